// Hot path: no allocation, no throw, no await.
import type { Arena } from '../packet/arena.ts';
import { SLOT_FRAME_OFFSET, SLOT_VXLAN_OFFSET } from '../packet/slot.ts';
import { foldChecksum, sumBytes, sumPseudoIpv4, sumPseudoIpv6, sumWord } from '../wire/checksum.ts';
import type { Sum } from '../wire/checksum-simd.ts';
import {
  IPV4_CHECKSUM_OFFSET,
  readIpv4Id,
  writeIpv4Id,
  writeIpv4TotalLength,
} from '../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, writeIpv6PayloadLength } from '../wire/ipv6.ts';
import {
  IPPROTO_TCP,
  isTcp,
  readTcpFlags,
  readTcpSequence,
  TCP_CWR,
  TCP_FIN,
  TCP_PSH,
  tcpHeaderLength,
  writeTcpChecksum,
  writeTcpFlags,
  writeTcpSequence,
} from '../wire/tcp.ts';
import {
  IPPROTO_UDP,
  UDP_CHECKSUM_ZERO,
  UDP_HEADER_LENGTH,
  writeUdpChecksum,
  writeUdpLength,
} from '../wire/udp.ts';
import {
  VIRTIO_NET_HDR_GSO_TCPV4,
  VIRTIO_NET_HDR_GSO_TCPV6,
  VIRTIO_NET_HDR_GSO_UDP_L4,
} from '../wire/virtio-net.ts';
import { VXLAN_HEADER_LENGTH, writeVxlan } from '../wire/vxlan.ts';
import type { InnerPacket } from './inner-packet.ts';
import { payloadSum } from './payload-sum.ts';

/**
 * Segments of one super-frame: 64 KiB in the smallest segments that TCP allows (48 bytes). UDP's may be
 * of a single byte, but there are 128 of them at most.
 */
const PIECES_MAX = 1400;

/** VXLAN, Ethernet with two tags, the longest IPv4 or a usual IPv6 header, the longest TCP header. */
const HEADER_BYTES_MAX = 256;

/** Room for the headers of several super-frames until they are sent. */
export const SEGMENT_HEADER_AREA_BYTES = 512 * 1024;

export const SEGMENT_MALFORMED = -1;
/** No room for headers: send what was prepared before, reset(), and call again. */
export const SEGMENT_NO_ROOM = -2;

/**
 * Turns frames into pieces: each piece becomes one datagram, made of a head (VXLAN and inner headers) and
 * a tail (payload, referenced where it is). An ordinary frame is one piece without a tail; a super-frame
 * is cut into segments with a copy of its headers each.
 *
 * The pieces of the newest frame stay valid until the next call; the headers they point to until reset().
 */
export class Segmenter {
  readonly headOffset = new Int32Array(PIECES_MAX);
  readonly headLength = new Int32Array(PIECES_MAX);
  readonly tailOffset = new Int32Array(PIECES_MAX);
  readonly tailLength = new Int32Array(PIECES_MAX);
  count = 0;

  readonly #arena: Arena;
  readonly #sum: Sum;
  readonly #area: number;
  #next: number;

  // The template of the super-frame in hand.
  #tcp = true;
  #ipv4 = true;
  #toL3 = 0;
  #toL4 = 0;
  #l3Length = 0;
  #l4HeaderLength = 0;
  #flags = 0;
  /** Signed: an unsigned one of 32 bits would need a box. */
  #sequence = 0;
  #id = 0;
  #l3Sum = 0;
  #l4Sum = 0;

  /** `area` is where SEGMENT_HEADER_AREA_BYTES for headers begin in `arena`. */
  constructor(arena: Arena, area: number) {
    this.#arena = arena;
    this.#sum = payloadSum(arena);
    this.#area = area;
    this.#next = area;
  }

  /** Gives the header area free: nothing that was prepared is needed any more. */
  reset(): void {
    this.#next = this.#area;
  }

  /** Length of all pieces of the newest frame, VXLAN headers included. */
  bytes(): number {
    let bytes = 0;
    for (let piece = 0; piece < this.count; piece += 1) {
      bytes += this.headLength[piece]! + this.tailLength[piece]!;
    }
    return bytes;
  }

  /** The frame in `slot` as one piece, its VXLAN header written in front of it. */
  whole(slot: number, length: number, vni: number): void {
    writeVxlan(this.#arena.view, slot + SLOT_VXLAN_OFFSET, vni);
    this.headOffset[0] = slot + SLOT_VXLAN_OFFSET;
    this.headLength[0] = VXLAN_HEADER_LENGTH + length;
    this.tailLength[0] = 0;
    this.count = 1;
  }

  /**
   * Cuts the super-frame in `slot` into segments of `size` payload bytes; `type` is its gso_type without
   * the ECN bit. The original headers serve as the template and are spoilt.
   *
   * Returns the number of pieces, SEGMENT_MALFORMED when headers and request contradict each other, or
   * SEGMENT_NO_ROOM.
   */
  segment(slot: number, inner: InnerPacket, type: number, size: number, vni: number): number {
    const { view } = this.#arena;
    if (!isSegmentable(view, inner, type, size)) return SEGMENT_MALFORMED;
    const frame = slot + SLOT_FRAME_OFFSET;
    const l4HeaderLength = transportHeaderLength(view, inner);
    const headerLength = inner.l4 + l4HeaderLength - frame;
    const headLength = VXLAN_HEADER_LENGTH + headerLength;
    const payload = inner.end - frame - headerLength;
    const count = payload <= size ? 1 : Math.floor((payload + size - 1) / size);
    if (headLength > HEADER_BYTES_MAX || count > PIECES_MAX) return SEGMENT_MALFORMED;
    const stride = (headLength + 15) & ~15;
    if (this.#next + count * stride > this.#area + SEGMENT_HEADER_AREA_BYTES)
      return SEGMENT_NO_ROOM;

    writeVxlan(view, slot + SLOT_VXLAN_OFFSET, vni);
    this.#openTemplate(slot + SLOT_VXLAN_OFFSET, inner, l4HeaderLength);
    let head = this.#next;
    let from = frame + headerLength;
    let left = payload;
    for (let index = 0; index < count; index += 1) {
      const bytes = left < size ? left : size;
      for (let word = 0; word < headLength; word += 4) {
        view.setUint32(head + word, view.getUint32(slot + SLOT_VXLAN_OFFSET + word));
      }
      const sum = this.#sum(from, bytes) + this.#l4Sum;
      if (this.#tcp) this.#finishTcp(head, index, index === count - 1, size, bytes, sum);
      else this.#finishUdp(head, bytes, sum);
      this.#finishIp(head, index, bytes);
      this.headOffset[index] = head;
      this.headLength[index] = headLength;
      this.tailOffset[index] = from;
      this.tailLength[index] = bytes;
      head += stride;
      from += bytes;
      left -= bytes;
    }
    this.#next = head;
    this.count = count;
    return count;
  }

  /**
   * Makes the headers of the super-frame the template of all segments: what differs between them is
   * remembered and cleared, so that the sums of the rest are taken once.
   */
  #openTemplate(template: number, inner: InnerPacket, l4HeaderLength: number): void {
    const { view } = this.#arena;
    const { l3, l4, family, protocol } = inner;
    this.#tcp = protocol === IPPROTO_TCP;
    this.#ipv4 = family === 4;
    this.#toL3 = l3 - template;
    this.#toL4 = l4 - template;
    this.#l3Length = l4 - l3;
    this.#l4HeaderLength = l4HeaderLength;
    if (this.#tcp) {
      this.#flags = readTcpFlags(view, l4);
      this.#sequence = readTcpSequence(view, l4);
      writeTcpFlags(view, l4, 0);
      writeTcpSequence(view, l4, 0);
      writeTcpChecksum(view, l4, 0);
    } else {
      writeUdpLength(view, l4, 0);
      writeUdpChecksum(view, l4, 0);
    }
    if (this.#ipv4) {
      this.#id = readIpv4Id(view, l3);
      writeIpv4TotalLength(view, l3, 0);
      writeIpv4Id(view, l3, 0);
      view.setUint16(l3 + IPV4_CHECKSUM_OFFSET, 0);
      this.#l3Sum = sumBytes(view, l3, l4 - l3, 0);
    }
    const pseudo = this.#ipv4
      ? sumPseudoIpv4(view, l3, protocol, 0)
      : sumPseudoIpv6(view, l3, protocol, 0);
    this.#l4Sum = sumBytes(view, l4, l4HeaderLength, pseudo);
  }

  /** FIN and PSH belong to the last segment only, CWR to the first (RFC 3168 section 6.1.2). */
  #finishTcp(
    head: number,
    index: number,
    last: boolean,
    size: number,
    bytes: number,
    sum: number,
  ): void {
    const { view } = this.#arena;
    const l4 = head + this.#toL4;
    let flags = this.#flags;
    if (!last) flags &= ~(TCP_FIN | TCP_PSH);
    if (index > 0) flags &= ~TCP_CWR;
    const sequence = (this.#sequence + index * size) | 0;
    writeTcpFlags(view, l4, flags);
    writeTcpSequence(view, l4, sequence);
    const own = sumWord(flags) + sumWord(sequence >>> 16) + sumWord(sequence & 0xffff);
    writeTcpChecksum(view, l4, foldChecksum(sum + sumWord(this.#l4HeaderLength + bytes) + own));
  }

  /** The length counts twice: in the header and in the pseudo-header. */
  #finishUdp(head: number, bytes: number, sum: number): void {
    const { view } = this.#arena;
    const l4 = head + this.#toL4;
    const length = UDP_HEADER_LENGTH + bytes;
    const checksum = foldChecksum(sum + sumWord(length) + sumWord(length));
    writeUdpLength(view, l4, length);
    writeUdpChecksum(view, l4, checksum === 0 ? UDP_CHECKSUM_ZERO : checksum);
  }

  #finishIp(head: number, index: number, bytes: number): void {
    const { view } = this.#arena;
    const l3 = head + this.#toL3;
    const length = this.#l3Length + this.#l4HeaderLength + bytes;
    if (!this.#ipv4) {
      writeIpv6PayloadLength(view, l3, length - IPV6_HEADER_LENGTH);
      return;
    }
    const id = (this.#id + index) & 0xffff;
    writeIpv4TotalLength(view, l3, length);
    writeIpv4Id(view, l3, id);
    const checksum = foldChecksum(this.#l3Sum + sumWord(length) + sumWord(id));
    view.setUint16(l3 + IPV4_CHECKSUM_OFFSET, checksum);
  }

  /**
   * Writes another VNI into the headers of all pieces; nothing that was prepared may still wait to be
   * sent.
   */
  rewriteVni(vni: number): void {
    for (let index = 0; index < this.count; index += 1) {
      writeVxlan(this.#arena.view, this.headOffset[index]!, vni);
    }
  }
}

/** True when headers and offload request agree, and the transport header is whole. */
function isSegmentable(view: DataView, inner: InnerPacket, type: number, size: number): boolean {
  if (inner.l4 < 0 || size === 0) return false;
  const available = inner.end - inner.l4;
  switch (type) {
    case VIRTIO_NET_HDR_GSO_TCPV4:
      return (
        inner.family === 4 && inner.protocol === IPPROTO_TCP && isTcp(view, inner.l4, available)
      );
    case VIRTIO_NET_HDR_GSO_TCPV6:
      return (
        inner.family === 6 && inner.protocol === IPPROTO_TCP && isTcp(view, inner.l4, available)
      );
    case VIRTIO_NET_HDR_GSO_UDP_L4:
      return inner.protocol === IPPROTO_UDP && available >= UDP_HEADER_LENGTH;
    default:
      return false;
  }
}

function transportHeaderLength(view: DataView, inner: InnerPacket): number {
  return inner.protocol === IPPROTO_TCP ? tcpHeaderLength(view, inner.l4) : UDP_HEADER_LENGTH;
}
