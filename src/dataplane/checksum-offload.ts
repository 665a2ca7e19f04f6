// Hot path: no allocation, no throw, no await.
import { foldChecksum, foldSum, sumPseudoIpv4, sumPseudoIpv6 } from '../wire/checksum.ts';
import type { Sum } from '../wire/checksum-simd.ts';
import { IPPROTO_TCP, TCP_CHECKSUM_OFFSET, TCP_HEADER_LENGTH_MIN } from '../wire/tcp.ts';
import {
  IPPROTO_UDP,
  UDP_CHECKSUM_OFFSET,
  UDP_CHECKSUM_ZERO,
  UDP_HEADER_LENGTH,
} from '../wire/udp.ts';
import { readVnetCsumOffset, readVnetCsumStart } from '../wire/virtio-net.ts';
import type { InnerPacket } from './inner-packet.ts';

/**
 * Completes the checksum that the sender's stack left to us (VIRTIO_NET_HDR_F_NEEDS_CSUM): the field
 * holds the sum of the pseudo-header already. False when the header's offsets leave the frame.
 */
export function completeChecksum(
  view: DataView,
  vnet: number,
  frame: number,
  length: number,
  inner: InnerPacket,
  sum: Sum,
): boolean {
  const start = readVnetCsumStart(view, vnet);
  const field = start + readVnetCsumOffset(view, vnet);
  if (start < 14 || field + 2 > length || field < start) return false;
  // Ethernet padding behind the IP packet is not payload.
  const end = inner.family !== 0 && inner.end >= frame + field + 2 ? inner.end : frame + length;
  const checksum = foldChecksum(sum(frame + start, end - frame - start));
  // To UDP a checksum of 0 means "none" (RFC 768); to all others 0 and ffff are the same. The offsets
  // may name a packet inside a tunnel packet, so that nothing here knows which it is.
  view.setUint16(frame + field, checksum === 0 ? UDP_CHECKSUM_ZERO : checksum);
  return true;
}

/** Un-folded sum of the pseudo-header of the packet's transport part, whole length. */
export function sumPseudo(view: DataView, inner: InnerPacket): number {
  return inner.family === 4
    ? sumPseudoIpv4(view, inner.l3, inner.protocol, inner.end - inner.l4)
    : sumPseudoIpv6(view, inner.l3, inner.protocol, inner.end - inner.l4);
}

/**
 * Offset of the checksum field from the transport header, or -1 for a protocol without or a header cut
 * short.
 */
export function checksumFieldOffset(inner: InnerPacket): number {
  if (inner.l4 < 0) return -1;
  const available = inner.end - inner.l4;
  if (inner.protocol === IPPROTO_TCP)
    return available >= TCP_HEADER_LENGTH_MIN ? TCP_CHECKSUM_OFFSET : -1;
  if (inner.protocol === IPPROTO_UDP)
    return available >= UDP_HEADER_LENGTH ? UDP_CHECKSUM_OFFSET : -1;
  return -1;
}

/**
 * True when the checksum field holds exactly the folded pseudo-header sum: a kernel vxlan device over a
 * veth hands its inner packets over like that (CHECKSUM_PARTIAL), because veth promises to finish them
 * and never does. `field` is {@link checksumFieldOffset}, not -1.
 */
export function isChecksumUnfinished(view: DataView, inner: InnerPacket, field: number): boolean {
  return view.getUint16(inner.l4 + field) === foldSum(sumPseudo(view, inner));
}

/** True when the transport checksum of the packet is right. */
export function isTransportChecksumValid(view: DataView, inner: InnerPacket, sum: Sum): boolean {
  return foldSum(sum(inner.l4, inner.end - inner.l4) + sumPseudo(view, inner)) === 0xffff;
}
