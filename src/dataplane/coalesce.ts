// Hot path: no allocation, no throw, no await.
import type { DeliveryPlan } from '../packet/delivery-plan.ts';
import { foldSum, sumPseudoIpv4, sumPseudoIpv6 } from '../wire/checksum.ts';
import type { Sum } from '../wire/checksum-simd.ts';
import {
  IPV4_FLAG_DF,
  IPV4_HEADER_LENGTH_MIN,
  IPV4_SOURCE_OFFSET,
  IPV4_TTL_OFFSET,
  ipv4ChecksumValid,
  readIpv4Fragment,
  readIpv4Id,
  writeIpv4Checksum,
  writeIpv4TotalLength,
} from '../wire/ipv4.ts';
import {
  IPV6_HEADER_LENGTH,
  IPV6_NEXT_HEADER_OFFSET,
  writeIpv6PayloadLength,
} from '../wire/ipv6.ts';
import {
  IPPROTO_TCP,
  isTcp,
  readTcpAcknowledgment,
  readTcpFlags,
  readTcpSequence,
  readTcpWindow,
  TCP_ACK,
  TCP_CHECKSUM_OFFSET,
  TCP_DATA_OFFSET_OFFSET,
  TCP_HEADER_LENGTH_MIN,
  TCP_PSH,
  tcpHeaderLength,
  writeTcpChecksum,
  writeTcpFlags,
} from '../wire/tcp.ts';
import { VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_HDR_GSO_TCPV6 } from '../wire/virtio-net.ts';
import { isTransportChecksumValid } from './checksum-offload.ts';
import type { InnerPacket } from './inner-packet.ts';
import { requestOffload } from './request-offload.ts';

const NONE = -1;
/** Segments in one super-frame: far below the 1,024 iovecs of a system call (UIO_MAXIOV). */
const SEGMENTS_MAX = 256;
/** Longest IP packet. */
const IP_LENGTH_MAX = 65_535;

/**
 * Joins consecutive TCP segments of one flow into one super-frame, as the kernel's GRO does before a
 * bridge or a socket: the overlay device then takes one large frame in place of many.
 *
 * Only the newest delivery of a plan can grow, so only segments that follow each other directly are
 * joined; every other frame closes it. Nothing is joined whose checksums are not right, because the
 * super-frame's is computed anew (VIRTIO_NET_HDR_F_NEEDS_CSUM) and would hide the damage.
 */
export class Coalescer {
  readonly #sum: Sum;
  #delivery = NONE;
  #tunnel = 0;
  #frame = 0;
  #l3 = 0;
  #l4 = 0;
  #family = 0;
  #headerLength = 0;
  #segmentBytes = 0;
  /** Signed: an unsigned one of 32 bits would need a box. */
  #nextSequence = 0;
  #segments = 0;
  #ipLength = 0;
  #pushed = false;
  /** The first segment's checksums are looked at only when a second one arrives. */
  #headVerified = false;

  /** `sum` sums bytes of the arena that frames lie in. */
  constructor(sum: Sum) {
    this.#sum = sum;
  }

  /** True when the frame could begin or continue a super-frame. */
  isCandidate(view: DataView, inner: InnerPacket, frame: number, length: number): boolean {
    const { l3, l4, end } = inner;
    if (inner.protocol !== IPPROTO_TCP || l4 < 0 || end !== frame + length) return false;
    // IP options and extension headers are rare and never joined.
    if (l4 - l3 !== (inner.family === 4 ? IPV4_HEADER_LENGTH_MIN : IPV6_HEADER_LENGTH))
      return false;
    if (!isTcp(view, l4, end - l4)) return false;
    const flags = readTcpFlags(view, l4);
    return (flags & ~TCP_PSH) === TCP_ACK && end - l4 > tcpHeaderLength(view, l4);
  }

  /** Appends a candidate to the open super-frame; false when it does not continue it. */
  append(
    plan: DeliveryPlan,
    tunnel: number,
    inner: InnerPacket,
    frame: number,
    length: number,
  ): boolean {
    if (this.#delivery === NONE || tunnel !== this.#tunnel || inner.family !== this.#family)
      return false;
    const { view } = plan.arena;
    const { l3, l4, end } = inner;
    const headerLength = l4 + tcpHeaderLength(view, l4) - frame;
    const payload = length - headerLength;
    if (
      headerLength !== this.#headerLength ||
      l4 - frame !== this.#l4 - this.#frame ||
      payload > this.#segmentBytes ||
      this.#pushed ||
      this.#segments === SEGMENTS_MAX ||
      this.#ipLength + payload > IP_LENGTH_MAX ||
      readTcpSequence(view, l4) !== this.#nextSequence ||
      !this.#sameHeaders(view, frame, l3, l4) ||
      !this.#verified(view, inner, l3)
    ) {
      return false;
    }
    if (!plan.extend(frame + headerLength, end - frame - headerLength, length)) return false;
    this.#segments += 1;
    this.#ipLength += payload;
    this.#nextSequence = (this.#nextSequence + payload) | 0;
    // A shorter segment or a push ends the super-frame.
    const pushed = (readTcpFlags(view, l4) & TCP_PSH) !== 0;
    if (pushed || payload < this.#segmentBytes) this.#pushed = true;
    if (pushed) writeTcpFlags(view, this.#l4, readTcpFlags(view, this.#l4) | TCP_PSH);
    return true;
  }

  /** Makes the newest delivery, a candidate, the one that may grow. */
  open(
    plan: DeliveryPlan,
    tunnel: number,
    inner: InnerPacket,
    frame: number,
    length: number,
  ): void {
    const { view } = plan.arena;
    const { l3, l4 } = inner;
    this.#delivery = plan.count - 1;
    this.#tunnel = tunnel;
    this.#frame = frame;
    this.#l3 = l3;
    this.#l4 = l4;
    this.#family = inner.family;
    this.#headerLength = l4 + tcpHeaderLength(view, l4) - frame;
    this.#segmentBytes = length - this.#headerLength;
    this.#nextSequence = (readTcpSequence(view, l4) + this.#segmentBytes) | 0;
    this.#segments = 1;
    this.#ipLength = frame + length - l3;
    this.#pushed = (readTcpFlags(view, l4) & TCP_PSH) !== 0;
    this.#headVerified = false;
  }

  /** Forgets the open super-frame. */
  discard(): void {
    this.#delivery = NONE;
  }

  /** Finishes the open super-frame's headers, if several segments were joined. */
  close(plan: DeliveryPlan): void {
    const delivery = this.#delivery;
    this.#delivery = NONE;
    if (delivery === NONE || this.#segments === 1) return;
    const { view } = plan.arena;
    const l3 = this.#l3;
    const l4 = this.#l4;
    const ipv4 = this.#family === 4;
    const l4Length = this.#ipLength - (l4 - l3);
    if (ipv4) {
      writeIpv4TotalLength(view, l3, this.#ipLength);
      writeIpv4Checksum(view, l3);
    } else {
      writeIpv6PayloadLength(view, l3, this.#ipLength - IPV6_HEADER_LENGTH);
    }
    const pseudo = ipv4
      ? sumPseudoIpv4(view, l3, IPPROTO_TCP, l4Length)
      : sumPseudoIpv6(view, l3, IPPROTO_TCP, l4Length);
    writeTcpChecksum(view, l4, foldSum(pseudo));
    requestOffload(
      view,
      plan.vnet[delivery]!,
      ipv4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6,
      this.#headerLength,
      this.#segmentBytes,
      l4 - this.#frame,
      TCP_CHECKSUM_OFFSET,
    );
  }

  /**
   * MACs, tags, TOS, TTL, DF, addresses, ports, acknowledgement, window and options all agree with the
   * first segment.
   */
  #sameHeaders(view: DataView, frame: number, l3: number, l4: number): boolean {
    if (!equalBytes(view, this.#frame, frame, l3 - frame)) return false;
    if (this.#family === 4) {
      const headFragment = readIpv4Fragment(view, this.#l3);
      // Version, header length and TOS.
      if (view.getUint16(this.#l3) !== view.getUint16(l3)) return false;
      if (headFragment !== readIpv4Fragment(view, l3)) return false;
      // TTL and protocol; both addresses.
      if (view.getUint16(this.#l3 + IPV4_TTL_OFFSET) !== view.getUint16(l3 + IPV4_TTL_OFFSET))
        return false;
      if (!equalBytes(view, this.#l3 + IPV4_SOURCE_OFFSET, l3 + IPV4_SOURCE_OFFSET, 8))
        return false;
      // Segmented anew the ids would count up: they must have done so before, unless DF says they mean
      // nothing.
      if ((headFragment & IPV4_FLAG_DF) === 0) {
        const expected = (readIpv4Id(view, this.#l3) + this.#segments) & 0xffff;
        if (readIpv4Id(view, l3) !== expected) return false;
      }
    } else {
      // Version, traffic class and flow label; next header, hop limit and addresses.
      if (view.getUint32(this.#l3) !== view.getUint32(l3)) return false;
      if (!equalBytes(view, this.#l3 + IPV6_NEXT_HEADER_OFFSET, l3 + IPV6_NEXT_HEADER_OFFSET, 34))
        return false;
    }
    // Ports; then all but sequence, flags and checksum.
    return (
      view.getUint32(this.#l4) === view.getUint32(l4) &&
      readTcpAcknowledgment(view, this.#l4) === readTcpAcknowledgment(view, l4) &&
      // Header length and the reserved bits, of which accurate ECN uses one.
      view.getUint8(this.#l4 + TCP_DATA_OFFSET_OFFSET) ===
        view.getUint8(l4 + TCP_DATA_OFFSET_OFFSET) &&
      readTcpWindow(view, this.#l4) === readTcpWindow(view, l4) &&
      equalBytes(
        view,
        this.#l4 + TCP_HEADER_LENGTH_MIN,
        l4 + TCP_HEADER_LENGTH_MIN,
        frame + this.#headerLength - l4 - TCP_HEADER_LENGTH_MIN,
      )
    );
  }

  #verified(view: DataView, inner: InnerPacket, l3: number): boolean {
    if (inner.family === 4 && !ipv4ChecksumValid(view, l3)) return false;
    if (!isTransportChecksumValid(view, inner, this.#sum)) return false;
    if (this.#headVerified) return true;
    this.#headVerified = this.#isHeadValid(view);
    return this.#headVerified;
  }

  #isHeadValid(view: DataView): boolean {
    const l4Length = this.#headerLength + this.#segmentBytes - (this.#l4 - this.#frame);
    if (this.#family === 4 && !ipv4ChecksumValid(view, this.#l3)) return false;
    const pseudo =
      this.#family === 4
        ? sumPseudoIpv4(view, this.#l3, IPPROTO_TCP, l4Length)
        : sumPseudoIpv6(view, this.#l3, IPPROTO_TCP, l4Length);
    return foldSum(this.#sum(this.#l4, l4Length) + pseudo) === 0xffff;
  }
}

/** `length` is even. */
function equalBytes(view: DataView, left: number, right: number, length: number): boolean {
  let offset = 0;
  for (; offset + 4 <= length; offset += 4) {
    if (view.getUint32(left + offset) !== view.getUint32(right + offset)) return false;
  }
  return offset === length || view.getUint16(left + offset) === view.getUint16(right + offset);
}
