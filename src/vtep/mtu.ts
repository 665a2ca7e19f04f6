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
