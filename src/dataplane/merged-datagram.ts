// Hot path: no allocation, no throw, no await.
import { IPPROTO_UDP, readUdpLength } from '../wire/udp.ts';
import { hasReservedBits, isVxlan, readVni, VXLAN_HEADER_LENGTH } from '../wire/vxlan.ts';
import { checksumFieldOffset, isChecksumUnfinished } from './checksum-offload.ts';
import type { InnerPacket } from './inner-packet.ts';

/** Several datagrams, `stride` bytes apart. */
export const MERGED = 0;
/** One datagram that holds a super-frame. */
export const SUPER_FRAME = 1;
/** It could be read as either, with different VNIs: nothing of it is delivered. */
export const AMBIGUOUS = 2;

/**
 * What a receive buffer with a UDP_GRO message of `stride` holds.
 *
 * A kernel vxlan device on the other end of a veth hands over whole inner UDP super-frames, in one
 * datagram with one VXLAN header, and the message then says the *inner* segment size. Taken for the
 * distance between datagrams it would read payload as VXLAN headers, and an application could inject
 * frames into any VNI. So: when the first inner packet fills the buffer and its UDP checksum is still
 * unfinished, it is one super-frame.
 *
 * The reverse lie, a frame whose lengths claim the datagrams merged behind it, could carry another VNI's
 * frames into this one; when a header of another VNI stands at a stride, the buffer is refused.
 *
 * `inner` has been parsed for the frame behind the first VXLAN header, taken as long as the whole buffer.
 */
export function classifyMerged(
  view: DataView,
  offset: number,
  length: number,
  stride: number,
  inner: InnerPacket,
): number {
  if (!isWholeUdp(view, offset, length, inner)) return MERGED;
  const vni = readVni(view, offset);
  for (let at = offset + stride; at + VXLAN_HEADER_LENGTH <= offset + length; at += stride) {
    const header = isVxlan(view, at, VXLAN_HEADER_LENGTH) && !hasReservedBits(view, at);
    if (header && readVni(view, at) !== vni) return AMBIGUOUS;
  }
  return SUPER_FRAME;
}

function isWholeUdp(view: DataView, offset: number, length: number, inner: InnerPacket): boolean {
  if (inner.protocol !== IPPROTO_UDP || inner.end !== offset + length) return false;
  const field = checksumFieldOffset(inner);
  if (field < 0 || readUdpLength(view, inner.l4) !== inner.end - inner.l4) return false;
  return isChecksumUnfinished(view, inner, field);
}

/**
 * Segment size of the TCP super-frame that a datagram with an unfinished checksum and without a UDP_GRO
 * message holds, or 0 when it is an ordinary frame. The sender's segment size is not told: segments as
 * large as `mtu` allows are right.
 */
export function tcpSuperFrameSize(inner: InnerPacket, headerLength: number, mtu: number): number {
  if (inner.end - inner.l3 <= mtu) return 0;
  const size = mtu - (inner.l4 - inner.l3) - headerLength;
  return size > 0 ? size : 0;
}
