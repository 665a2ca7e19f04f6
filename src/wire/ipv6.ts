// Hot path: no allocation, no throw, no await.

/**
 * IPv6 header, RFC 8200 §3, and the walk over its extension headers, §4.
 *
 *  0                   1                   2                   3
 * +-------+---------------+---------------------------------------+
 * |Version| Traffic Class |              Flow Label               |
 * +-------+---------------+-------+---------------+---------------+
 * |        Payload Length         |  Next Header  |   Hop Limit   |
 * +-------------------------------+---------------+---------------+
 * |                     Source Address (16)                       |
 * +---------------------------------------------------------------+
 * |                   Destination Address (16)                    |
 * +---------------------------------------------------------------+
 *
 * Addresses are read in place, at IPV6_SOURCE_OFFSET and IPV6_DESTINATION_OFFSET.
 */
export const IPV6_HEADER_LENGTH = 40;

export const IPV6_PAYLOAD_LENGTH_OFFSET = 4;
export const IPV6_NEXT_HEADER_OFFSET = 6;
export const IPV6_HOP_LIMIT_OFFSET = 7;
export const IPV6_SOURCE_OFFSET = 8;
export const IPV6_DESTINATION_OFFSET = 24;

export const IPPROTO_HOPOPTS = 0;
export const IPPROTO_ROUTING = 43;
export const IPPROTO_FRAGMENT = 44;
export const IPPROTO_NONE = 59;
export const IPPROTO_DSTOPTS = 60;

/** Extension headers walked at most; more than that is no honest packet. */
export const IPV6_EXTENSION_HEADERS_MAX = 8;

const EXTENSION_LENGTH_MIN = 8;
const FRAGMENT_FIELD_OFFSET = 2; // 16 bits in the fragment header: offset, two reserved bits, M
const FRAGMENT_OFFSET_MASK = 0xfff8;
const FRAGMENT_FLAG_MORE = 0x0001;
const PACKED_FRAGMENT = 0x4000_0000;
const PACKED_OFFSET_MASK = 0x3fff_ffff;

/**
 * True when the `available` bytes at `l3` hold a whole IPv6 packet: version 6, header and payload inside
 * `available`. More may follow (Ethernet padding). Jumbograms (RFC 2675) read as empty packets.
 */
export function isIpv6(view: DataView, l3: number, available: number): boolean {
  if (available < IPV6_HEADER_LENGTH) return false;
  if (view.getUint8(l3) >>> 4 !== 6) return false;
  return IPV6_HEADER_LENGTH + readIpv6PayloadLength(view, l3) <= available;
}

/** DSCP and ECN, 0..255. */
export function readIpv6TrafficClass(view: DataView, l3: number): number {
  return (view.getUint16(l3) >>> 4) & 0xff;
}

/** Flow label, 0..0xfffff. */
export function readIpv6FlowLabel(view: DataView, l3: number): number {
  return view.getUint32(l3) & 0xf_ffff;
}

/** Bytes behind the 40 of the header, extension headers included, 0..65535. */
export function readIpv6PayloadLength(view: DataView, l3: number): number {
  return view.getUint16(l3 + IPV6_PAYLOAD_LENGTH_OFFSET);
}

/** What follows the header: an extension header or the L4 protocol, an IPPROTO_ number. */
export function readIpv6NextHeader(view: DataView, l3: number): number {
  return view.getUint8(l3 + IPV6_NEXT_HEADER_OFFSET);
}

/** Hop limit, 0..255. */
export function readIpv6HopLimit(view: DataView, l3: number): number {
  return view.getUint8(l3 + IPV6_HOP_LIMIT_OFFSET);
}

/** Writes version 6, traffic class (0..255) and flow label (0..0xfffff): the first 4 bytes. */
export function writeIpv6FirstWord(
  view: DataView,
  l3: number,
  trafficClass: number,
  flowLabel: number,
): void {
  view.setUint32(l3, 0x6000_0000 | (trafficClass << 20) | flowLabel);
}

/** Writes DSCP and ECN, 0..255; version and flow label stay. No checksum covers them. */
export function writeIpv6TrafficClass(view: DataView, l3: number, trafficClass: number): void {
  view.setUint16(l3, (view.getUint16(l3) & 0xf00f) | (trafficClass << 4));
}

/** Writes the bytes behind the header, 0..65535. */
export function writeIpv6PayloadLength(view: DataView, l3: number, length: number): void {
  view.setUint16(l3 + IPV6_PAYLOAD_LENGTH_OFFSET, length);
}

/** Writes the protocol of what follows the header. */
export function writeIpv6NextHeader(view: DataView, l3: number, nextHeader: number): void {
  view.setUint8(l3 + IPV6_NEXT_HEADER_OFFSET, nextHeader);
}

/** Writes the hop limit, 0..255. */
export function writeIpv6HopLimit(view: DataView, l3: number, hopLimit: number): void {
  view.setUint8(l3 + IPV6_HOP_LIMIT_OFFSET, hopLimit);
}

/**
 * Absolute offset of the L4 header of the packet at `l3` that ends before `end`, behind hop-by-hop,
 * routing, destination and fragment headers; -1 when the chain does not end inside the packet, is
 * longer than IPV6_EXTENSION_HEADERS_MAX, ends in "no next header", or when this is a fragment other
 * than the first. The result may be `end` itself: check what follows with isTcp() or isUdp().
 * Call only after {@link isIpv6}.
 */
export function ipv6L4Offset(view: DataView, l3: number, end: number): number {
  const found = walk(view, l3, end);
  return found < 0 ? -1 : l3 + ((found & PACKED_OFFSET_MASK) >>> 8);
}

/** Protocol of what stands at {@link ipv6L4Offset}, an IPPROTO_ number; -1 under the same conditions. */
export function ipv6L4Protocol(view: DataView, l3: number, end: number): number {
  const found = walk(view, l3, end);
  return found < 0 ? -1 : found & 0xff;
}

/**
 * True when {@link ipv6L4Offset} found an L4 header but the packet is the first of several fragments, so
 * that its L4 payload is not whole. An atomic fragment (RFC 6946) is whole. False where there is no L4.
 */
export function isFirstFragmentIpv6(view: DataView, l3: number, end: number): boolean {
  const found = walk(view, l3, end);
  return found >= 0 && (found & PACKED_FRAGMENT) !== 0;
}

/**
 * Walks the chain; -1, or in one number: L4 protocol (bits 0..7), distance of the L4 header from `l3`
 * (bits 8..29) and PACKED_FRAGMENT. One number is what a function can return without allocating.
 */
function walk(view: DataView, l3: number, end: number): number {
  let next = readIpv6NextHeader(view, l3);
  let at = l3 + IPV6_HEADER_LENGTH;
  let fragment = 0;
  for (let headers = 0; headers <= IPV6_EXTENSION_HEADERS_MAX; headers += 1) {
    if (next === IPPROTO_NONE || at > end) return -1;
    const isFragment = next === IPPROTO_FRAGMENT;
    if (!isFragment && next !== IPPROTO_HOPOPTS && next !== IPPROTO_ROUTING) {
      if (next !== IPPROTO_DSTOPTS) return fragment | ((at - l3) << 8) | next;
    }
    if (at + EXTENSION_LENGTH_MIN > end) return -1;
    next = view.getUint8(at);
    if (isFragment) {
      const field = view.getUint16(at + FRAGMENT_FIELD_OFFSET);
      if ((field & FRAGMENT_OFFSET_MASK) !== 0) return -1;
      if ((field & FRAGMENT_FLAG_MORE) !== 0) fragment = PACKED_FRAGMENT;
      at += EXTENSION_LENGTH_MIN;
    } else {
      at += EXTENSION_LENGTH_MIN + (view.getUint8(at + 1) << 3);
    }
  }
  return -1;
}
