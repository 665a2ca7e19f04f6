// Hot path: no allocation, no throw, no await.

import { foldChecksum, foldSum, sumBytes, sumPseudoIpv6 } from './checksum.ts';
import {
  IPV6_DESTINATION_OFFSET,
  IPV6_HEADER_LENGTH,
  IPV6_HOP_LIMIT_OFFSET,
  IPV6_NEXT_HEADER_OFFSET,
  IPV6_PAYLOAD_LENGTH_OFFSET,
  IPV6_SOURCE_OFFSET,
  isIpv6,
  readIpv6PayloadLength,
} from './ipv6.ts';
import { writeMac } from './mac.ts';

/**
 * Neighbour solicitation and advertisement of IPv6 neighbour discovery, RFC 4861 §4.3 and §4.4, directly
 * behind the IPv6 header.
 *
 *  0                   1                   2                   3
 * +---------------+---------------+-------------------------------+
 * |  Type         |  Code (0)     |          Checksum             |
 * +-+-+-+---------+---------------+-------------------------------+
 * |R|S|O|                     Reserved                            |   R, S, O: advertisement only
 * +-+-+-+---------------------------------------------------------+
 * |                      Target Address (16)                      |
 * +---------------+---------------+-------------------------------+
 * |  Option type  | Length/8      |  link-layer address (6) …     |
 * +---------------+---------------+-------------------------------+
 */
export const IPPROTO_ICMPV6 = 58;

export const NEIGHBOUR_SOLICITATION = 135;
export const NEIGHBOUR_ADVERTISEMENT = 136;

/** The sender is a router. */
export const NA_ROUTER = 0x80;
/** Answers a solicitation. */
export const NA_SOLICITED = 0x40;
/** Takes the place of the link-layer address that a receiver has. */
export const NA_OVERRIDE = 0x20;

export const OPTION_SOURCE_LINK_LAYER = 1;
export const OPTION_TARGET_LINK_LAYER = 2;

/** Bytes from the IPv6 header to the end of what {@link writeNeighbourAdvertisement} writes. */
export const NA_PACKET_LENGTH = IPV6_HEADER_LENGTH + 32;

const NOTHING = -1;
const HOP_LIMIT = 255;
const CHECKSUM_OFFSET = 2;
const FLAGS_OFFSET = 4;
const TARGET_OFFSET = 8;
const OPTIONS_OFFSET = 24;
const OPTION_UNIT = 8;
const OPTION_MAC_OFFSET = 2;
const MULTICAST = 0xff;

/**
 * NEIGHBOUR_SOLICITATION or NEIGHBOUR_ADVERTISEMENT when the `available` bytes at `l3` begin with an IPv6
 * packet that is one and passes all of RFC 4861 §7.1.1 or §7.1.2; -1 for everything else.
 */
export function neighbourMessage(view: DataView, l3: number, available: number): number {
  if (!isIpv6(view, l3, available)) return NOTHING;
  if (view.getUint8(l3 + IPV6_NEXT_HEADER_OFFSET) !== IPPROTO_ICMPV6) return NOTHING;
  const length = readIpv6PayloadLength(view, l3);
  if (length < OPTIONS_OFFSET) return NOTHING;
  const icmp = l3 + IPV6_HEADER_LENGTH;
  const type = view.getUint8(icmp);
  if (type !== NEIGHBOUR_SOLICITATION && type !== NEIGHBOUR_ADVERTISEMENT) return NOTHING;
  if (view.getUint8(icmp + 1) !== 0) return NOTHING;
  if (view.getUint8(l3 + IPV6_HOP_LIMIT_OFFSET) !== HOP_LIMIT) return NOTHING;
  if (view.getUint8(icmp + TARGET_OFFSET) === MULTICAST) return NOTHING;
  if (view.getUint8(l3 + IPV6_SOURCE_OFFSET) === MULTICAST) return NOTHING;
  if (!areOptionsSound(view, icmp + OPTIONS_OFFSET, icmp + length)) return NOTHING;
  if (type === NEIGHBOUR_ADVERTISEMENT ? !isSoundNa(view, l3) : !isSoundNs(view, l3, length)) {
    return NOTHING;
  }
  const sum = sumBytes(view, icmp, length, sumPseudoIpv6(view, l3, IPPROTO_ICMPV6, length));
  return foldSum(sum) === 0xffff ? type : NOTHING;
}

/** Offset of the 16 bytes of the target of the message at `l3`. */
export function ndTargetOffset(l3: number): number {
  return l3 + IPV6_HEADER_LENGTH + TARGET_OFFSET;
}

/** NA_ flags of the advertisement at `l3`. */
export function naFlags(view: DataView, l3: number): number {
  return view.getUint8(l3 + IPV6_HEADER_LENGTH + FLAGS_OFFSET);
}

/**
 * Offset of the MAC in the first option of the type in the message at `l3`, which {@link neighbourMessage}
 * accepted; -1 when there is none, or it is not of the length that Ethernet has.
 */
export function ndLinkLayerOption(view: DataView, l3: number, type: number): number {
  const icmp = l3 + IPV6_HEADER_LENGTH;
  return findOption(view, icmp + OPTIONS_OFFSET, icmp + readIpv6PayloadLength(view, l3), type);
}

/** True for `::`, the source of duplicate address detection (RFC 4862 §5.4.2). */
export function isSourceUnspecified(view: DataView, l3: number): boolean {
  const source = l3 + IPV6_SOURCE_OFFSET;
  return (
    (view.getInt32(source) |
      view.getInt32(source + 4) |
      view.getInt32(source + 8) |
      view.getInt32(source + 12)) ===
    0
  );
}

/**
 * True when the 16 bytes at `offset` may be the address of a neighbour: neither multicast, nor of ::/80,
 * where the unspecified, the loopback and the IPv4-mapped addresses are.
 */
export function isHostIpv6(view: DataView, offset: number): boolean {
  if (view.getUint8(offset) === MULTICAST) return false;
  return (view.getInt32(offset) | view.getInt32(offset + 4) | view.getUint16(offset + 8)) !== 0;
}

/**
 * Writes the advertisement that answers the solicitation at `request` (offset of its IPv6 header): from
 * its target to its source, with the target link-layer option; NA_PACKET_LENGTH bytes at `at`.
 */
export function writeNeighbourAdvertisement(
  view: DataView,
  at: number,
  request: number,
  flags: number,
  macHigh: number,
  macLow: number,
): void {
  const icmp = at + IPV6_HEADER_LENGTH;
  const length = NA_PACKET_LENGTH - IPV6_HEADER_LENGTH;
  const target = ndTargetOffset(request);
  view.setUint32(at, 0x6000_0000);
  view.setUint16(at + IPV6_PAYLOAD_LENGTH_OFFSET, length);
  view.setUint8(at + IPV6_NEXT_HEADER_OFFSET, IPPROTO_ICMPV6);
  view.setUint8(at + IPV6_HOP_LIMIT_OFFSET, HOP_LIMIT);
  copyAddress(view, at + IPV6_SOURCE_OFFSET, target);
  copyAddress(view, at + IPV6_DESTINATION_OFFSET, request + IPV6_SOURCE_OFFSET);
  view.setUint16(icmp, NEIGHBOUR_ADVERTISEMENT << 8);
  view.setUint16(icmp + CHECKSUM_OFFSET, 0);
  view.setUint32(icmp + FLAGS_OFFSET, 0);
  view.setUint8(icmp + FLAGS_OFFSET, flags);
  copyAddress(view, icmp + TARGET_OFFSET, target);
  view.setUint16(icmp + OPTIONS_OFFSET, (OPTION_TARGET_LINK_LAYER << 8) | 1);
  writeMac(view, icmp + OPTIONS_OFFSET + OPTION_MAC_OFFSET, macHigh, macLow);
  const sum = sumBytes(view, icmp, length, sumPseudoIpv6(view, at, IPPROTO_ICMPV6, length));
  view.setUint16(icmp + CHECKSUM_OFFSET, foldChecksum(sum));
}

/** RFC 4861 §7.1.2: what goes to a multicast address was not solicited. */
function isSoundNa(view: DataView, l3: number): boolean {
  if (view.getUint8(l3 + IPV6_DESTINATION_OFFSET) !== MULTICAST) return true;
  return (naFlags(view, l3) & NA_SOLICITED) === 0;
}

/** RFC 4861 §7.1.1: from `::` only to a solicited-node address, ff02::1:ff00:0/104, with no source option. */
function isSoundNs(view: DataView, l3: number, length: number): boolean {
  if (!isSourceUnspecified(view, l3)) return true;
  const destination = l3 + IPV6_DESTINATION_OFFSET;
  if (
    view.getInt32(destination) !== (0xff02_0000 | 0) ||
    view.getInt32(destination + 4) !== 0 ||
    view.getInt32(destination + 8) !== 1 ||
    view.getUint8(destination + 12) !== 0xff
  ) {
    return false;
  }
  const icmp = l3 + IPV6_HEADER_LENGTH;
  const options = icmp + OPTIONS_OFFSET;
  return findOption(view, options, icmp + length, OPTION_SOURCE_LINK_LAYER) === NOTHING;
}

/** True when the options fill the bytes from `at` to `end` exactly and none has length 0. */
function areOptionsSound(view: DataView, at: number, end: number): boolean {
  let next = at;
  while (next + OPTION_UNIT <= end) {
    const units = view.getUint8(next + 1);
    if (units === 0) return false;
    next += units * OPTION_UNIT;
  }
  return next === end;
}

/** For options that {@link areOptionsSound} accepted: every turn advances by at least 8 bytes. */
function findOption(view: DataView, at: number, end: number, type: number): number {
  let next = at;
  while (next + OPTION_UNIT <= end) {
    const units = view.getUint8(next + 1);
    if (units === 0) return NOTHING;
    if (view.getUint8(next) === type) return units === 1 ? next + OPTION_MAC_OFFSET : NOTHING;
    next += units * OPTION_UNIT;
  }
  return NOTHING;
}

function copyAddress(view: DataView, to: number, from: number): void {
  for (let at = 0; at < 16; at += 4) view.setInt32(to + at, view.getInt32(from + at));
}
