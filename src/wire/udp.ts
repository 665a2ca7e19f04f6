// Hot path: no allocation, no throw, no await.

/**
 * UDP header, RFC 768.
 *
 *  0                   1                   2                   3
 * +-------------------------------+-------------------------------+
 * |          Source Port          |       Destination Port        |
 * +-------------------------------+-------------------------------+
 * |            Length             |           Checksum            |
 * +-------------------------------+-------------------------------+
 */
export const IPPROTO_UDP = 17;

export const UDP_HEADER_LENGTH = 8;

export const UDP_SOURCE_PORT_OFFSET = 0;
export const UDP_DESTINATION_PORT_OFFSET = 2;
export const UDP_LENGTH_OFFSET = 4;
export const UDP_CHECKSUM_OFFSET = 6; // also the virtio csum_offset of UDP

/** What stands for a computed checksum of 0, since a 0 in the field says "none" (RFC 768). */
export const UDP_CHECKSUM_ZERO = 0xffff;

/**
 * True when the `available` bytes at `l4` hold a whole datagram: a length field of at least 8 that stays
 * inside `available`. More may follow; it is not payload.
 */
export function isUdp(view: DataView, l4: number, available: number): boolean {
  if (available < UDP_HEADER_LENGTH) return false;
  const length = readUdpLength(view, l4);
  return length >= UDP_HEADER_LENGTH && length <= available;
}

/** Source port, 0..65535. */
export function readUdpSourcePort(view: DataView, l4: number): number {
  return view.getUint16(l4 + UDP_SOURCE_PORT_OFFSET);
}

/** Destination port, 0..65535. */
export function readUdpDestinationPort(view: DataView, l4: number): number {
  return view.getUint16(l4 + UDP_DESTINATION_PORT_OFFSET);
}

/** Bytes of header and payload, 8..65535 after {@link isUdp}. */
export function readUdpLength(view: DataView, l4: number): number {
  return view.getUint16(l4 + UDP_LENGTH_OFFSET);
}

/** Checksum as it stands; 0 says that there is none. */
export function readUdpChecksum(view: DataView, l4: number): number {
  return view.getUint16(l4 + UDP_CHECKSUM_OFFSET);
}

/** Writes the source port, 0..65535. */
export function writeUdpSourcePort(view: DataView, l4: number, port: number): void {
  view.setUint16(l4 + UDP_SOURCE_PORT_OFFSET, port);
}

/** Writes the destination port, 0..65535. */
export function writeUdpDestinationPort(view: DataView, l4: number, port: number): void {
  view.setUint16(l4 + UDP_DESTINATION_PORT_OFFSET, port);
}

/** Writes the bytes of header and payload, 8..65535. */
export function writeUdpLength(view: DataView, l4: number, length: number): void {
  view.setUint16(l4 + UDP_LENGTH_OFFSET, length);
}

/** Writes a computed checksum; 0 becomes {@link UDP_CHECKSUM_ZERO}. Never removes a checksum. */
export function writeUdpChecksum(view: DataView, l4: number, checksum: number): void {
  view.setUint16(l4 + UDP_CHECKSUM_OFFSET, checksum === 0 ? UDP_CHECKSUM_ZERO : checksum);
}
