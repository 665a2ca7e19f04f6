// Hot path: no allocation, no throw, no await.

import { VLAN_TAG_LENGTH } from './vlan.ts';

/**
 * Ethernet header (IEEE 802.3 §3.1, DIX form), optionally followed by one or two VLAN tags.
 *
 *  0                   1                   2                   3
 * +---------------------------------------------------------------+
 * |                  Destination MAC (6)                          |
 * +                               +-------------------------------+
 * |                               |                               |
 * +-------------------------------+         Source MAC (6)        +
 * |                                                               |
 * +-------------------------------+-------------------------------+
 * |      EtherType or TPID        |  payload, or the rest of a tag
 * +-------------------------------+
 */
export const ETHERNET_HEADER_LENGTH = 14;
export const ETHERNET_SOURCE_OFFSET = 6;
export const ETHERNET_TYPE_OFFSET = 12;

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_VLAN = 0x8100; // customer tag, IEEE 802.1Q
export const ETHERTYPE_IPV6 = 0x86dd;
export const ETHERTYPE_QINQ = 0x88a8; // service tag, IEEE 802.1ad

/**
 * EtherType right behind the MACs: a TPID when the frame carries a VLAN tag. Call only when the frame has
 * ETHERNET_HEADER_LENGTH bytes.
 */
export function readEtherType(view: DataView, frame: number): number {
  return view.getUint16(frame + ETHERNET_TYPE_OFFSET);
}

/** True for the EtherTypes that announce a VLAN tag. */
export function isVlanEtherType(etherType: number): boolean {
  return etherType === ETHERTYPE_VLAN || etherType === ETHERTYPE_QINQ;
}

/**
 * Absolute offset of what the frame of `length` bytes at `frame` carries, behind up to two VLAN tags, or
 * -1 when the headers do not fit. A third tag is left for l3EtherType() to show. Nothing is promised
 * about bytes at the result: it may be the frame's very end.
 */
export function l3Offset(view: DataView, frame: number, length: number): number {
  if (length < ETHERNET_HEADER_LENGTH) return -1;
  let l3 = frame + ETHERNET_HEADER_LENGTH;
  if (!isVlanEtherType(l3EtherType(view, l3))) return l3;
  l3 += VLAN_TAG_LENGTH;
  if (l3 > frame + length) return -1;
  if (!isVlanEtherType(l3EtherType(view, l3))) return l3;
  l3 += VLAN_TAG_LENGTH;
  return l3 > frame + length ? -1 : l3;
}

/** EtherType of what starts at `l3`, a result of {@link l3Offset}: the two bytes before it. */
export function l3EtherType(view: DataView, l3: number): number {
  return view.getUint16(l3 - 2);
}
