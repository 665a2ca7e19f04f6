// Hot path: no allocation, no throw, no await.
import type { Arena } from '../packet/arena.ts';
import { SLOT_FRAME_OFFSET, SLOT_VXLAN_OFFSET } from '../packet/slot.ts';
import { foldChecksum, sumBytes, sumPseudoIpv4, sumPseudoIpv6, sumWord } from '../wire/checksum.ts';
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
  TCP_CHECKSUM_OFFSET,
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
  UDP_CHECKSUM_OFFSET,
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

/** Segments of one super-frame: 64 KiB in the smallest segments that TCP allows (48 bytes). */
const PIECES_MAX = 1400;
const SEGMENT_BYTES_MIN = 48;

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
  readonly #area: number;
  #next: number;

  /** `area` is where SEGMENT_HEADER_AREA_BYTES for headers begin in `arena`. */
  constructor(arena: Arena, area: number) {
    this.#arena = arena;
    this.#area = area;
    this.#next = area;
  }

  /** Gives the header area free: nothing that was prepared is needed any more. */
  reset(): void {
    this.#next = this.#area;
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
    const frame = slot + SLOT_FRAME_OFFSET;
    const { l3, l4, end, family } = inner;
    const tcp = inner.protocol === IPPROTO_TCP;
    if (!matches(inner, type) || l4 < 0 || size < SEGMENT_BYTES_MIN) return SEGMENT_MALFORMED;
    if (tcp ? !isTcp(view, l4, end - l4) : end - l4 < UDP_HEADER_LENGTH) return SEGMENT_MALFORMED;
    const l4HeaderLength = tcp ? tcpHeaderLength(view, l4) : UDP_HEADER_LENGTH;
    const headerLength = l4 + l4HeaderLength - frame;
    const headLength = VXLAN_HEADER_LENGTH + headerLength;
    const payload = end - frame - headerLength;
    const count = payload <= 0 ? 1 : Math.floor((payload + size - 1) / size);
    if (headLength > HEADER_BYTES_MAX || count > PIECES_MAX) return SEGMENT_MALFORMED;
    const headStride = (headLength + 15) & ~15;
    if (this.#next + count * headStride > this.#area + SEGMENT_HEADER_AREA_BYTES)
      return SEGMENT_NO_ROOM;

    // Everything that differs between segments is cleared in the template, so that its sums are shared.
    const flags = tcp ? readTcpFlags(view, l4) : 0;
    const firstSequence = tcp ? readTcpSequence(view, l4) : 0;
    const firstId = family === 4 ? readIpv4Id(view, l3) : 0;
    const checksumField = l4 + (tcp ? TCP_CHECKSUM_OFFSET : UDP_CHECKSUM_OFFSET);
    view.setUint16(checksumField, 0);
    if (tcp) {
      writeTcpFlags(view, l4, 0);
      writeTcpSequence(view, l4, 0);
    } else {
      writeUdpLength(view, l4, 0);
    }
    let l3Sum = 0;
    if (family === 4) {
      writeIpv4TotalLength(view, l3, 0);
      writeIpv4Id(view, l3, 0);
      view.setUint16(l3 + IPV4_CHECKSUM_OFFSET, 0);
      l3Sum = sumBytes(view, l3, l4 - l3, 0);
    }
    const pseudoSum =
      family === 4
        ? sumPseudoIpv4(view, l3, inner.protocol, 0)
        : sumPseudoIpv6(view, l3, inner.protocol, 0);
    const l4Sum = sumBytes(view, l4, l4HeaderLength, pseudoSum);
    writeVxlan(view, slot + SLOT_VXLAN_OFFSET, vni);

    const template = slot + SLOT_VXLAN_OFFSET;
    const toL3 = l3 - template;
    const toL4 = l4 - template;
    let from = frame + headerLength;
    let left = payload;
    let head = this.#next;
    for (let index = 0; index < count; index += 1) {
      const bytes = left < size ? left : size;
      for (let word = 0; word < headLength; word += 4) {
        view.setUint32(head + word, view.getUint32(template + word));
      }
      const l4Length = l4HeaderLength + bytes;
      let sum = sumBytes(view, from, bytes, l4Sum) + sumWord(l4Length);
      if (tcp) {
        let segmentFlags = flags;
        if (index < count - 1) segmentFlags &= ~(TCP_FIN | TCP_PSH);
        if (index > 0) segmentFlags &= ~TCP_CWR;
        const sequence = (firstSequence + index * size) >>> 0;
        writeTcpFlags(view, head + toL4, segmentFlags);
        writeTcpSequence(view, head + toL4, sequence);
        sum += sumWord(segmentFlags) + sumWord(sequence >>> 16) + sumWord(sequence & 0xffff);
        writeTcpChecksum(view, head + toL4, foldChecksum(sum));
      } else {
        writeUdpLength(view, head + toL4, l4Length);
        const checksum = foldChecksum(sum + sumWord(l4Length));
        writeUdpChecksum(view, head + toL4, checksum === 0 ? UDP_CHECKSUM_ZERO : checksum);
      }
      if (family === 4) {
        const totalLength = l4 - l3 + l4Length;
        const id = (firstId + index) & 0xffff;
        writeIpv4TotalLength(view, head + toL3, totalLength);
        writeIpv4Id(view, head + toL3, id);
        view.setUint16(
          head + toL3 + IPV4_CHECKSUM_OFFSET,
          foldChecksum(l3Sum + sumWord(totalLength) + sumWord(id)),
        );
      } else {
        writeIpv6PayloadLength(view, head + toL3, l4 - l3 - IPV6_HEADER_LENGTH + l4Length);
      }
      this.headOffset[index] = head;
      this.headLength[index] = headLength;
      this.tailOffset[index] = from;
      this.tailLength[index] = bytes;
      head += headStride;
      from += bytes;
      left -= bytes;
    }
    this.#next = head;
    this.count = count;
    return count;
  }

  /** Writes another VNI into the headers of all pieces; nothing that was prepared may still wait to be sent. */
  rewriteVni(vni: number): void {
    for (let index = 0; index < this.count; index += 1) {
      writeVxlan(this.#arena.view, this.headOffset[index]!, vni);
    }
  }
}

function matches(inner: InnerPacket, type: number): boolean {
  if (type === VIRTIO_NET_HDR_GSO_TCPV4)
    return inner.family === 4 && inner.protocol === IPPROTO_TCP;
  if (type === VIRTIO_NET_HDR_GSO_TCPV6)
    return inner.family === 6 && inner.protocol === IPPROTO_TCP;
  return type === VIRTIO_NET_HDR_GSO_UDP_L4 && inner.family !== 0 && inner.protocol === IPPROTO_UDP;
}
