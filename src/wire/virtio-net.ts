// Hot path: no allocation, no throw, no await.

/**
 * struct virtio_net_hdr, linux/virtio_net.h; OASIS VIRTIO 1.2 §5.1.6. Little-endian, which a TAP speaks
 * after TUNSETVNETLE, whatever the machine.
 *
 *  0                   1                   2                   3
 * +---------------+---------------+-------------------------------+
 * |     flags     |   gso_type    |            hdr_len            |
 * +---------------+---------------+-------------------------------+
 * |            gso_size           |          csum_start           |
 * +-------------------------------+-------------------------------+
 * |          csum_offset          |
 * +-------------------------------+
 *
 * hdr_len: bytes of all headers in front of the payload, a hint that forwarded frames get wrong.
 * gso_size: payload bytes of each segment. csum_start: distance of the L4 header from the frame's first
 * byte. csum_offset: distance of the checksum field from there.
 */
export const VIRTIO_NET_HDR_LENGTH = 10;

export const VIRTIO_NET_HDR_F_NEEDS_CSUM = 1; // the field holds the pseudo-header sum: finish it
export const VIRTIO_NET_HDR_F_DATA_VALID = 2; // the checksum was verified

export const VIRTIO_NET_HDR_GSO_NONE = 0;
export const VIRTIO_NET_HDR_GSO_TCPV4 = 1;
export const VIRTIO_NET_HDR_GSO_TCPV6 = 4;
export const VIRTIO_NET_HDR_GSO_UDP_L4 = 5;
export const VIRTIO_NET_HDR_GSO_ECN = 0x80; // or-ed to a TCP type: CWR is set

const FLAGS_OFFSET = 0;
const GSO_TYPE_OFFSET = 1;
const HDR_LEN_OFFSET = 2;
const GSO_SIZE_OFFSET = 4;
const CSUM_START_OFFSET = 6;
const CSUM_OFFSET_OFFSET = 8;

/** Zeroes all 10 bytes: a frame that is finished and whole. */
export function clearVnetHeader(view: DataView, offset: number): void {
  view.setUint32(offset, 0, true);
  view.setUint32(offset + GSO_SIZE_OFFSET, 0, true);
  view.setUint16(offset + CSUM_OFFSET_OFFSET, 0, true);
}

/** VIRTIO_NET_HDR_F_ bits. */
export function readVnetFlags(view: DataView, offset: number): number {
  return view.getUint8(offset + FLAGS_OFFSET);
}

/** VIRTIO_NET_HDR_GSO_ number, with VIRTIO_NET_HDR_GSO_ECN where it applies. */
export function readVnetGsoType(view: DataView, offset: number): number {
  return view.getUint8(offset + GSO_TYPE_OFFSET);
}

/** Bytes of the headers, as the kernel guesses: check it against the frame. */
export function readVnetHdrLen(view: DataView, offset: number): number {
  return view.getUint16(offset + HDR_LEN_OFFSET, true);
}

/** Payload bytes of each segment; 0 without GSO. */
export function readVnetGsoSize(view: DataView, offset: number): number {
  return view.getUint16(offset + GSO_SIZE_OFFSET, true);
}

/** Distance of the L4 header from the frame's first byte. */
export function readVnetCsumStart(view: DataView, offset: number): number {
  return view.getUint16(offset + CSUM_START_OFFSET, true);
}

/** Distance of the checksum field from csum_start. */
export function readVnetCsumOffset(view: DataView, offset: number): number {
  return view.getUint16(offset + CSUM_OFFSET_OFFSET, true);
}

/** Writes the VIRTIO_NET_HDR_F_ bits. */
export function writeVnetFlags(view: DataView, offset: number, flags: number): void {
  view.setUint8(offset + FLAGS_OFFSET, flags);
}

/** Writes the VIRTIO_NET_HDR_GSO_ number. */
export function writeVnetGsoType(view: DataView, offset: number, gsoType: number): void {
  view.setUint8(offset + GSO_TYPE_OFFSET, gsoType);
}

/** Writes the bytes of the headers, 0..65535. */
export function writeVnetHdrLen(view: DataView, offset: number, hdrLen: number): void {
  view.setUint16(offset + HDR_LEN_OFFSET, hdrLen, true);
}

/** Writes the payload bytes of each segment, 0..65535. */
export function writeVnetGsoSize(view: DataView, offset: number, gsoSize: number): void {
  view.setUint16(offset + GSO_SIZE_OFFSET, gsoSize, true);
}

/** Writes the distance of the L4 header from the frame's first byte, 0..65535. */
export function writeVnetCsumStart(view: DataView, offset: number, csumStart: number): void {
  view.setUint16(offset + CSUM_START_OFFSET, csumStart, true);
}

/** Writes the distance of the checksum field from csum_start, 0..65535. */
export function writeVnetCsumOffset(view: DataView, offset: number, csumOffset: number): void {
  view.setUint16(offset + CSUM_OFFSET_OFFSET, csumOffset, true);
}
