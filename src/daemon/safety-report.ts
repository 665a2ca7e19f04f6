/** What `vtep show` says of a tunnel's safety. */
import type { SafetyReport } from '../api/protocol.ts';
import { COUNTER_LIMITED, COUNTER_MOVED, COUNTER_NOT_LEARNED } from '../dataplane/counters.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import type { OpenTunnel } from './open-tunnel.ts';

const BITS_PER_KILOBIT = 1000;

/** The settings in force, and how often they mattered. */
export function safetyReport(tables: SharedTables, { info, config }: OpenTunnel): SafetyReport {
  const { safety } = config;
  const { storm, rate } = safety;
  const total = (column: number): number => tables.counters.tunnelTotal(info.index, column);
  return {
    limit: safety.limit,
    remoteLimit: safety.remoteLimit,
    notLearned: total(COUNTER_LIMITED) + total(COUNTER_NOT_LEARNED),
    moved: total(COUNTER_MOVED),
    macMoves: safety.macMoves,
    macMoveWindow: safety.macMoveWindowSeconds,
    macFreeze: safety.macFreezeSeconds,
    anyRemote: safety.anyRemote,
    floodUnknown: safety.floodUnknown,
    ...(storm.broadcast !== undefined && { stormBroadcast: storm.broadcast }),
    ...(storm.multicast !== undefined && { stormMulticast: storm.multicast }),
    ...(storm.unknown !== undefined && { stormUnknown: storm.unknown }),
    ...(rate.transmit !== undefined && { rateTransmit: rate.transmit * BITS_PER_KILOBIT }),
    ...(rate.receive !== undefined && { rateReceive: rate.receive * BITS_PER_KILOBIT }),
  };
}
