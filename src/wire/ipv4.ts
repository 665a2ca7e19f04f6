// Hot path: no allocation, no throw, no await.

import { foldChecksum, foldSum, sumBytes, updateChecksum16 } from './checksum.ts';

/**
 * IPv4 header, RFC 791 §3.1; TOS as DSCP and ECN, RFC 2474 §3 and RFC 3168 §5.
 *
 *  0                   1                   2                   3
 * +-------+-------+-----------+---+-------------------------------+
 * |Version|  IHL  |   DSCP    |ECN|         Total Length          |
 * +-------+-------+-----------+---+-+-+-+-------------------------+
 * |        Identification         |0|D|M|    Fragment Offset      |
 * +---------------+---------------+-+-+-+-------------------------+
 * | Time to Live  |   Protocol    |        Header Checksum        |
 * +---------------+---------------+-------------------------------+
 * |                        Source Address                         |
 * +---------------------------------------------------------------+
 * |                      Destination Address                      |
 * +---------------------------------------------------------------+
 *
 * Writers change their field only: after the last of them call writeIpv4Checksum().
 * Addresses are unsigned 32-bit numbers in host order: 192.0.2.1 is 0xc0000201.
 */
export const IPV4_HEADER_LENGTH_MIN = 20;

export const IPV4_TOS_OFFSET = 1;
export const IPV4_TOTAL_LENGTH_OFFSET = 2;
export const IPV4_ID_OFFSET = 4;
export const IPV4_FRAGMENT_OFFSET = 6; // 16 bits: flags and fragment offset
export const IPV4_TTL_OFFSET = 8;
export const IPV4_PROTOCOL_OFFSET = 9;
export const IPV4_CHECKSUM_OFFSET = 10;
export const IPV4_SOURCE_OFFSET = 12;
export const IPV4_DESTINATION_OFFSET = 16;

export const IPV4_FLAG_DF = 0x4000;
export const IPV4_FLAG_MF = 0x2000;
export const IPV4_FRAGMENT_OFFSET_MASK = 0x1fff; // in units of 8 bytes

export const IPPROTO_ICMP = 1;

/**
 * True when the `available` bytes at `l3` hold a whole IPv4 packet: version 4, IHL of at least 5, and
 * header and total length inside `available`. More may follow (Ethernet padding); it is not payload.
 */
export function isIpv4(view: DataView, l3: number, available: number): boolean {
  if (available < IPV4_HEADER_LENGTH_MIN) return false;
  if (view.getUint8(l3) >>> 4 !== 4) return false;
  const headerLength = ipv4HeaderLength(view, l3);
  const totalLength = readIpv4TotalLength(view, l3);
  return (
    headerLength >= IPV4_HEADER_LENGTH_MIN &&
    headerLength <= totalLength &&
    totalLength <= available
  );
}

/** Bytes of the header with its options, 20..60 after {@link isIpv4}. */
export function ipv4HeaderLength(view: DataView, l3: number): number {
  return (view.getUint8(l3) & 0x0f) << 2;
}

/** DSCP and ECN, 0..255. */
export function readIpv4Tos(view: DataView, l3: number): number {
  return view.getUint8(l3 + IPV4_TOS_OFFSET);
}

/** Bytes of header and payload, 0..65535. */
export function readIpv4TotalLength(view: DataView, l3: number): number {
  return view.getUint16(l3 + IPV4_TOTAL_LENGTH_OFFSET);
}

/** Identification, 0..65535. */
export function readIpv4Id(view: DataView, l3: number): number {
  return view.getUint16(l3 + IPV4_ID_OFFSET);
}

/** Flags and fragment offset as they stand in the header: test with IPV4_FLAG_DF and its neighbours. */
export function readIpv4Fragment(view: DataView, l3: number): number {
  return view.getUint16(l3 + IPV4_FRAGMENT_OFFSET);
}

/** True for every fragment of a packet, the first one included. */
export function isFragmentIpv4(view: DataView, l3: number): boolean {
  return (readIpv4Fragment(view, l3) & (IPV4_FLAG_MF | IPV4_FRAGMENT_OFFSET_MASK)) !== 0;
}

/** Time to live, 0..255. */
export function readIpv4Ttl(view: DataView, l3: number): number {
  return view.getUint8(l3 + IPV4_TTL_OFFSET);
}

/** Protocol of the payload, an IPPROTO_ number. */
export function readIpv4Protocol(view: DataView, l3: number): number {
  return view.getUint8(l3 + IPV4_PROTOCOL_OFFSET);
}

/** Header checksum as it stands. */
export function readIpv4Checksum(view: DataView, l3: number): number {
  return view.getUint16(l3 + IPV4_CHECKSUM_OFFSET);
}

/** Source address, 0..0xffffffff. */
export function readIpv4Source(view: DataView, l3: number): number {
  return view.getUint32(l3 + IPV4_SOURCE_OFFSET);
}

/** Destination address, 0..0xffffffff. */
export function readIpv4Destination(view: DataView, l3: number): number {
  return view.getUint32(l3 + IPV4_DESTINATION_OFFSET);
}

/** True when the header, options included, sums up. Call only after {@link isIpv4}. */
export function ipv4ChecksumValid(view: DataView, l3: number): boolean {
  return foldSum(sumBytes(view, l3, ipv4HeaderLength(view, l3), 0)) === 0xffff;
}

/** Writes version 4 and a header length in bytes: a multiple of 4, 20..60. */
export function writeIpv4HeaderLength(view: DataView, l3: number, length: number): void {
  view.setUint8(l3, 0x40 | (length >>> 2));
}

/** Writes DSCP and ECN, 0..255. */
export function writeIpv4Tos(view: DataView, l3: number, tos: number): void {
  view.setUint8(l3 + IPV4_TOS_OFFSET, tos);
}

/** Writes DSCP and ECN, 0..255, and carries the change into the checksum: a wrong one stays wrong. */
export function updateIpv4Tos(view: DataView, l3: number, tos: number): void {
  const before = view.getUint16(l3);
  writeIpv4Tos(view, l3, tos);
  const checksum = updateChecksum16(readIpv4Checksum(view, l3), before, view.getUint16(l3));
  view.setUint16(l3 + IPV4_CHECKSUM_OFFSET, checksum);
}

/** Writes the bytes of header and payload, 20..65535. */
export function writeIpv4TotalLength(view: DataView, l3: number, length: number): void {
  view.setUint16(l3 + IPV4_TOTAL_LENGTH_OFFSET, length);
}

/** Writes the identification; numbers beyond 65535 wrap. */
export function writeIpv4Id(view: DataView, l3: number, id: number): void {
  view.setUint16(l3 + IPV4_ID_OFFSET, id);
}

/** Writes flags and fragment offset, all 16 bits. */
export function writeIpv4Fragment(view: DataView, l3: number, field: number): void {
  view.setUint16(l3 + IPV4_FRAGMENT_OFFSET, field);
}

/** Writes the time to live, 0..255. */
export function writeIpv4Ttl(view: DataView, l3: number, ttl: number): void {
  view.setUint8(l3 + IPV4_TTL_OFFSET, ttl);
}

/** Writes the protocol of the payload. */
export function writeIpv4Protocol(view: DataView, l3: number, protocol: number): void {
  view.setUint8(l3 + IPV4_PROTOCOL_OFFSET, protocol);
}

/** Writes the source address, 0..0xffffffff. */
export function writeIpv4Source(view: DataView, l3: number, address: number): void {
  view.setUint32(l3 + IPV4_SOURCE_OFFSET, address);
}

/** Writes the destination address, 0..0xffffffff. */
export function writeIpv4Destination(view: DataView, l3: number, address: number): void {
  view.setUint32(l3 + IPV4_DESTINATION_OFFSET, address);
}

/** Computes the header checksum, options included, and writes it. The header length must be right. */
export function writeIpv4Checksum(view: DataView, l3: number): void {
  view.setUint16(l3 + IPV4_CHECKSUM_OFFSET, 0);
  const sum = sumBytes(view, l3, ipv4HeaderLength(view, l3), 0);
  view.setUint16(l3 + IPV4_CHECKSUM_OFFSET, foldChecksum(sum));
}
