// Hot path: no allocation, no throw, no await.

/**
 * TCP header, RFC 9293 §3.1.
 *
 *  0                   1                   2                   3
 * +-------------------------------+-------------------------------+
 * |          Source Port          |       Destination Port        |
 * +-------------------------------+-------------------------------+
 * |                        Sequence Number                        |
 * +---------------------------------------------------------------+
 * |                    Acknowledgment Number                      |
 * +-------+-------+-+-+-+-+-+-+-+-+-------------------------------+
 * | Data  |Reser- |C|E|U|A|P|R|S|F|                               |
 * | Offset| ved   |W|C|R|C|S|S|Y|I|            Window             |
 * |       |       |R|E|G|K|H|T|N|N|                               |
 * +-------+-------+-+-+-+-+-+-+-+-+-------------------------------+
 * |           Checksum            |        Urgent Pointer         |
 * +-------------------------------+-------------------------------+
 */
export const IPPROTO_TCP = 6;

export const TCP_HEADER_LENGTH_MIN = 20;

export const TCP_SOURCE_PORT_OFFSET = 0;
export const TCP_DESTINATION_PORT_OFFSET = 2;
export const TCP_SEQUENCE_OFFSET = 4;
export const TCP_ACKNOWLEDGMENT_OFFSET = 8;
export const TCP_DATA_OFFSET_OFFSET = 12; // upper 4 bits: header length in 32-bit words
export const TCP_FLAGS_OFFSET = 13;
export const TCP_WINDOW_OFFSET = 14;
export const TCP_CHECKSUM_OFFSET = 16; // also the virtio csum_offset of TCP

export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;
export const TCP_URG = 0x20;
export const TCP_ECE = 0x40;
export const TCP_CWR = 0x80;

/** True when the `available` bytes at `l4` hold a whole TCP header with its options. */
export function isTcp(view: DataView, l4: number, available: number): boolean {
  if (available < TCP_HEADER_LENGTH_MIN) return false;
  const headerLength = tcpHeaderLength(view, l4);
  return headerLength >= TCP_HEADER_LENGTH_MIN && headerLength <= available;
}

/** Bytes of the header with its options, 20..60 after {@link isTcp}. */
export function tcpHeaderLength(view: DataView, l4: number): number {
  return (view.getUint8(l4 + TCP_DATA_OFFSET_OFFSET) >>> 4) << 2;
}

/** Source port, 0..65535. */
export function readTcpSourcePort(view: DataView, l4: number): number {
  return view.getUint16(l4 + TCP_SOURCE_PORT_OFFSET);
}

/** Destination port, 0..65535. */
export function readTcpDestinationPort(view: DataView, l4: number): number {
  return view.getUint16(l4 + TCP_DESTINATION_PORT_OFFSET);
}

/** Sequence number modulo 2^32, signed: so it needs no box on its way, and wraps with `| 0`. */
export function readTcpSequence(view: DataView, l4: number): number {
  return view.getInt32(l4 + TCP_SEQUENCE_OFFSET);
}

/** Acknowledgment number, 0..0xffffffff. */
export function readTcpAcknowledgment(view: DataView, l4: number): number {
  return view.getUint32(l4 + TCP_ACKNOWLEDGMENT_OFFSET);
}

/** The eight flag bits TCP_FIN..TCP_CWR. */
export function readTcpFlags(view: DataView, l4: number): number {
  return view.getUint8(l4 + TCP_FLAGS_OFFSET);
}

/** Window as it stands, not scaled. */
export function readTcpWindow(view: DataView, l4: number): number {
  return view.getUint16(l4 + TCP_WINDOW_OFFSET);
}

/** Checksum as it stands: in a partial one, the folded pseudo-header sum. */
export function readTcpChecksum(view: DataView, l4: number): number {
  return view.getUint16(l4 + TCP_CHECKSUM_OFFSET);
}

/** Writes the sequence number; numbers beyond 32 bits wrap. */
export function writeTcpSequence(view: DataView, l4: number, sequence: number): void {
  view.setUint32(l4 + TCP_SEQUENCE_OFFSET, sequence);
}

/** Writes the acknowledgment number; numbers beyond 32 bits wrap. */
export function writeTcpAcknowledgment(view: DataView, l4: number, acknowledgment: number): void {
  view.setUint32(l4 + TCP_ACKNOWLEDGMENT_OFFSET, acknowledgment);
}

/** Writes the eight flag bits. */
export function writeTcpFlags(view: DataView, l4: number, flags: number): void {
  view.setUint8(l4 + TCP_FLAGS_OFFSET, flags);
}

/** Writes the window, not scaled. */
export function writeTcpWindow(view: DataView, l4: number, window: number): void {
  view.setUint16(l4 + TCP_WINDOW_OFFSET, window);
}

/** Writes the checksum, 0..65535. */
export function writeTcpChecksum(view: DataView, l4: number, checksum: number): void {
  view.setUint16(l4 + TCP_CHECKSUM_OFFSET, checksum);
}
