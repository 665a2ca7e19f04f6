// Hot path: no allocation, no throw, no await.

/**
 * ICMP (RFC 792) and ICMPv6 (RFC 4443 §2.1): the header that both families share, and which messages are
 * errors.
 *
 *  0                   1                   2                   3
 * +---------------+---------------+-------------------------------+
 * |     Type      |     Code      |           Checksum            |
 * +---------------+---------------+-------------------------------+
 * |               what the type says (4)                          |
 * +---------------------------------------------------------------+
 *
 * The last word is the MTU in "fragmentation needed" (its lower half, RFC 1191 §4) and in "packet too
 * big" (all of it, RFC 4443 §3.2).
 */
export const ICMP_HEADER_LENGTH = 8;
export const ICMP_CHECKSUM_OFFSET = 2;

export const IPPROTO_ICMPV6 = 58;

export const ICMP_DEST_UNREACH = 3;
export const ICMP_FRAG_NEEDED = 4; // code of ICMP_DEST_UNREACH
export const ICMPV6_PACKET_TOO_BIG = 2;

const ICMP_SOURCE_QUENCH = 4;
const ICMP_REDIRECT = 5;
const ICMP_TIME_EXCEEDED = 11;
const ICMP_PARAMETER_PROBLEM = 12;
/** Informational messages of ICMPv6 have the highest bit of the type set, RFC 4443 §2.1. */
const ICMPV6_INFORMATIONAL = 0x80;
const MTU_OFFSET = 4;

/** Type of the message at `l4`, 0..255. */
export function readIcmpType(view: DataView, l4: number): number {
  return view.getUint8(l4);
}

/**
 * True for the types that no error may be sent about: errors themselves and redirects, RFC 1122 §3.2.2.
 */
export function isIcmpError(type: number): boolean {
  return (
    type === ICMP_DEST_UNREACH ||
    type === ICMP_SOURCE_QUENCH ||
    type === ICMP_REDIRECT ||
    type === ICMP_TIME_EXCEEDED ||
    type === ICMP_PARAMETER_PROBLEM
  );
}

/** True for the errors of ICMPv6, types 0..127 (RFC 4443 §2.4 (e.1)). */
export function isIcmpv6Error(type: number): boolean {
  return (type & ICMPV6_INFORMATIONAL) === 0;
}

/** Writes type, code and MTU, and a checksum of 0, which is to be computed. */
export function writeIcmpTooBig(
  view: DataView,
  l4: number,
  type: number,
  code: number,
  mtu: number,
): void {
  view.setUint8(l4, type);
  view.setUint8(l4 + 1, code);
  view.setUint16(l4 + ICMP_CHECKSUM_OFFSET, 0);
  view.setUint32(l4 + MTU_OFFSET, mtu);
}
