import type { z } from 'zod';
import { bitRate, flag, wholeNumber } from './fields.ts';
import type { Values } from './read-mapping.ts';
import type { Field } from './schema.ts';

/** What protects a tunnel from its own hosts, its remotes and everybody else. */
export interface SafetyConfig {
  /** Most entries that are learned, in the tunnel and of one remote; 0 is no limit. */
  readonly limit: number;
  readonly remoteLimit: number;
  /** Unicast to unknown MACs goes to the flood list. */
  readonly floodUnknown: boolean;
  /** Frames of senders that nothing names are taken. */
  readonly anyRemote: boolean;
  /** Frames per second that may be sent, by kind; undefined is no limit. */
  readonly storm: StormConfig;
  /** Kilobits per second of inner frames; undefined is no limit. */
  readonly rate: RateConfig;
  /** A MAC that moves so often (0: never) within so many seconds is frozen for some (0: until deleted). */
  readonly macMoves: number;
  readonly macMoveWindowSeconds: number;
  readonly macFreezeSeconds: number;
}

export interface StormConfig {
  readonly broadcast: number | undefined;
  readonly multicast: number | undefined;
  readonly unknown: number | undefined;
}

export interface RateConfig {
  readonly transmit: number | undefined;
  readonly receive: number | undefined;
}

/** What a switch of the middle class holds; a fourth of it for one remote. */
export const DEFAULT_LIMIT = 65_536;
export const DEFAULT_REMOTE_LIMIT = 16_384;
/** RFC 7432 section 15.1. */
export const DEFAULT_MAC_MOVES = 5;
export const DEFAULT_MAC_MOVE_WINDOW_SECONDS = 180;
export const DEFAULT_MAC_FREEZE_SECONDS = 600;

/** More than the FDB holds. */
export const LIMIT_MAX = 1_048_576;
/** So that a second of it, in thousandths of a frame, fits 31 bits. */
export const STORM_MAX = 2_000_000;
export const MAC_MOVES_MAX = 1000;
export const MAC_SECONDS_MAX = 86_400;

/** The keys of a tunnel that are about its safety, beside `remotes: any`. */
export const SAFETY_SHAPE = {
  limit: one(wholeNumber(0, LIMIT_MAX), 'mac-limit'),
  'remote-limit': one(wholeNumber(0, LIMIT_MAX)),
  'flood-unknown': one(flag()),
  'storm-broadcast': one(wholeNumber(1, STORM_MAX)),
  'storm-multicast': one(wholeNumber(1, STORM_MAX)),
  'storm-unknown': one(wholeNumber(1, STORM_MAX)),
  'rate-transmit': one(bitRate()),
  'rate-receive': one(bitRate()),
  'mac-moves': one(wholeNumber(0, MAC_MOVES_MAX)),
  'mac-move-window': one(wholeNumber(1, MAC_SECONDS_MAX)),
  'mac-freeze': one(wholeNumber(0, MAC_SECONDS_MAX)),
} as const;

/** The safety of a tunnel with every default filled in. */
export function resolveSafety(
  values: Values<typeof SAFETY_SHAPE>,
  anyRemote: boolean,
): SafetyConfig {
  return {
    limit: values.limit?.value ?? DEFAULT_LIMIT,
    remoteLimit: values['remote-limit']?.value ?? DEFAULT_REMOTE_LIMIT,
    floodUnknown: values['flood-unknown']?.value ?? true,
    anyRemote,
    storm: {
      broadcast: values['storm-broadcast']?.value,
      multicast: values['storm-multicast']?.value,
      unknown: values['storm-unknown']?.value,
    },
    rate: { transmit: values['rate-transmit']?.value, receive: values['rate-receive']?.value },
    macMoves: values['mac-moves']?.value ?? DEFAULT_MAC_MOVES,
    macMoveWindowSeconds: values['mac-move-window']?.value ?? DEFAULT_MAC_MOVE_WINDOW_SECONDS,
    macFreezeSeconds: values['mac-freeze']?.value ?? DEFAULT_MAC_FREEZE_SECONDS,
  };
}

function one<T>(type: z.ZodType<T>, ...aliases: string[]): Field<T, false> {
  return { type, many: false, aliases };
}
