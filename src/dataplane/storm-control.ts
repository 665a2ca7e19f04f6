// Hot path: no allocation, no throw, no await.

/**
 * What a tunnel may send, by kind of destination and in all. Judged once a frame and before it is
 * replicated, so that the limits are those of the overlay and not of the number of remotes.
 */
import { isMulticastMac } from '../wire/mac.ts';
import {
  DROP_NONE,
  DROP_RATE_TRANSMIT,
  DROP_STORM_BROADCAST,
  DROP_STORM_MULTICAST,
  DROP_STORM_UNKNOWN,
} from './drop-reasons.ts';
import {
  FRAME_TOKENS,
  POLICE_BROADCAST,
  POLICE_MULTICAST,
  POLICE_TRANSMIT,
  POLICE_UNKNOWN,
  type Policers,
} from './policers.ts';

/**
 * The drop reason of a frame to this MAC, or DROP_NONE when it may leave. `isKnown` says that the MAC has
 * an entry of its own; a super-frame counts as its `segments`, `bytes` is their length without the VXLAN
 * headers.
 */
export function policeTransmit(
  policers: Policers,
  tunnel: number,
  macHigh: number,
  macLow: number,
  isKnown: boolean,
  segments: number,
  bytes: number,
): number {
  const tokens = segments * FRAME_TOKENS;
  if (isMulticastMac(macHigh)) {
    if (macHigh === 0xffff && macLow === -1) {
      if (!policers.take(tunnel, POLICE_BROADCAST, tokens)) return DROP_STORM_BROADCAST;
    } else if (!policers.take(tunnel, POLICE_MULTICAST, tokens)) return DROP_STORM_MULTICAST;
  } else if (!isKnown && !policers.take(tunnel, POLICE_UNKNOWN, tokens)) {
    return DROP_STORM_UNKNOWN;
  }
  return policers.take(tunnel, POLICE_TRANSMIT, bytes * 8) ? DROP_NONE : DROP_RATE_TRANSMIT;
}
