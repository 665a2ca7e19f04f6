/** A tunnel's safety settings, as the tables of the frame's path hold them. */
import type { SafetyConfig } from '../config/safety.ts';
import {
  FRAME_TOKENS,
  POLICE_BROADCAST,
  POLICE_MULTICAST,
  POLICE_RECEIVE,
  POLICE_TRANSMIT,
  POLICE_UNKNOWN,
  type Policers,
} from '../dataplane/policers.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import {
  TUNNEL_ANY_SENDER,
  TUNNEL_KNOWN_ONLY,
  TUNNEL_POLICE_RECEIVE,
  TUNNEL_POLICE_TRANSMIT,
} from '../dataplane/tunnel-table.ts';

/** A bit rate's burst: so many milliseconds of it … */
const RATE_BURST_MS = 100;
/** … but not less than two super-frames, or TCP would never get one through; and no more than fits a word. */
const RATE_BURST_MIN = 2 * 65_536 * 8;
const RATE_BURST_MAX = 1_000_000_000;
/** A storm limit's burst is a second of it: an hour's first ARP requests come together. */
const STORM_BURST_MS = 1000;

/** The flags that the settings add to a tunnel's row. */
export function safetyFlags({ storm, rate, floodUnknown, anyRemote }: SafetyConfig): number {
  const transmit = [storm.broadcast, storm.multicast, storm.unknown, rate.transmit];
  return (
    (transmit.some((limit) => limit !== undefined) ? TUNNEL_POLICE_TRANSMIT : 0) |
    (rate.receive === undefined ? 0 : TUNNEL_POLICE_RECEIVE) |
    (floodUnknown ? 0 : TUNNEL_KNOWN_ONLY) |
    (anyRemote ? TUNNEL_ANY_SENDER : 0)
  );
}

/** Writes limits and buckets of a tunnel, the buckets full. */
export function applySafety(tables: SharedTables, tunnel: number, safety: SafetyConfig): void {
  const { limits, moves, policers } = tables;
  const { storm, rate } = safety;
  limits.setLimit(tunnel, { tunnel: safety.limit, remote: safety.remoteLimit });
  moves.setLimit(tunnel, safety.macMoves, safety.macMoveWindowSeconds);
  setStorm(policers, tunnel, POLICE_BROADCAST, storm.broadcast);
  setStorm(policers, tunnel, POLICE_MULTICAST, storm.multicast);
  setStorm(policers, tunnel, POLICE_UNKNOWN, storm.unknown);
  setRate(policers, tunnel, POLICE_TRANSMIT, rate.transmit);
  setRate(policers, tunnel, POLICE_RECEIVE, rate.receive);
}

/** Frames a second are thousandths of a frame a millisecond. */
function setStorm(policers: Policers, tunnel: number, kind: number, frames = 0): void {
  const burst = Math.max(frames * STORM_BURST_MS, FRAME_TOKENS);
  policers.configure(tunnel, kind, frames, burst);
}

/** Kilobits a second are bits a millisecond. */
function setRate(policers: Policers, tunnel: number, kind: number, kilobits = 0): void {
  const burst = Math.min(Math.max(kilobits * RATE_BURST_MS, RATE_BURST_MIN), RATE_BURST_MAX);
  policers.configure(tunnel, kind, kilobits, burst);
}
