import { VXLAN_OVERHEAD_IPV4, VXLAN_OVERHEAD_IPV6 } from '../wire/vxlan.ts';

/** Least MTU of IPv4 (RFC 791), and of a TAP. */
const MTU_MIN = 68;

/**
 * MTU of an overlay device so that its largest frame fits one datagram on the underlay.
 *
 * `egressMtu` is the smallest MTU towards any remote; 50 bytes go to IPv4, UDP, VXLAN and the inner
 * Ethernet header, 70 over IPv6.
 */
export function overlayMtu(egressMtu: number, family: 4 | 6): number {
  const overhead = family === 4 ? VXLAN_OVERHEAD_IPV4 : VXLAN_OVERHEAD_IPV6;
  return Math.max(egressMtu - overhead, MTU_MIN);
}

/** A UDP payload over IPv4 holds so much (65,535 - 20 - 8), and one send so many segments (linux/udp.h). */
const UDP_PAYLOAD_MAX = 65_507;
const SEGMENTS_MAX = 64;
const VXLAN_AND_ETHERNET = 22;

/**
 * Segments of the largest super-frame that leaves in one send, for an overlay device of this MTU. One more,
 * and the rest of every super-frame takes a send of its own, and a small batch at the other end.
 */
export function superFrameSegments(mtu: number): number {
  const fitting = Math.floor(UDP_PAYLOAD_MAX / (mtu + VXLAN_AND_ETHERNET));
  return Math.min(Math.max(fitting, 1), SEGMENTS_MAX);
}

/** Headers of a TCP segment without options (RFC 9293 section 3.7.1, RFC 8200 section 8.3). */
const IPV4_AND_TCP = 40;
const IPV6_AND_TCP = 60;

/** What the rows of tunnels hold: the largest segments that a SYN may announce, 0 for any. */
export interface MssLimits {
  readonly mssLimit4: number;
  readonly mssLimit6: number;
}

/** Of a tunnel that clamps to `clamp` bytes, to what its `mtu` carries (true), or not at all (false). */
export function mssLimits(clamp: number | boolean, mtu: number): MssLimits {
  if (clamp === false) return { mssLimit4: 0, mssLimit6: 0 };
  if (typeof clamp === 'number') return { mssLimit4: clamp, mssLimit6: clamp };
  return {
    mssLimit4: Math.max(mtu - IPV4_AND_TCP, 1),
    mssLimit6: Math.max(mtu - IPV6_AND_TCP, 1),
  };
}
