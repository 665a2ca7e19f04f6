// Hot path: no allocation, no throw, no await.

/**
 * Answers a frame that is too large for the path to a remote with an ICMP error to its sender, so that path
 * MTU discovery works through the tunnel: "fragmentation needed" (RFC 1191) for an IPv4 packet with DF,
 * "packet too big" (RFC 4443 section 3.2) for an IPv6 packet.
 *
 * Never for what must not be answered (RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e)): ICMP errors,
 * multicast and broadcast in either layer, fragments other than the first, sources that are no single
 * host. The answer comes from the address the packet was for, and no oftener than the rate allows.
 */
import { sumBytes, foldChecksum, sumPseudoIpv6 } from '../wire/checksum.ts';
import { ETHERNET_SOURCE_OFFSET } from '../wire/ethernet.ts';
import {
  ICMP_CHECKSUM_OFFSET,
  ICMP_DEST_UNREACH,
  ICMP_FRAG_NEEDED,
  ICMP_HEADER_LENGTH,
  ICMPV6_PACKET_TOO_BIG,
  IPPROTO_ICMPV6,
  writeIcmpTooBig,
} from '../wire/icmp.ts';
import {
  IPPROTO_ICMP,
  IPV4_DESTINATION_OFFSET,
  IPV4_FLAG_DF,
  IPV4_HEADER_LENGTH_MIN,
  IPV4_SOURCE_OFFSET,
  writeIpv4Checksum,
  writeIpv4Fragment,
  writeIpv4HeaderLength,
  writeIpv4Id,
  writeIpv4Protocol,
  writeIpv4Tos,
  writeIpv4TotalLength,
  writeIpv4Ttl,
} from '../wire/ipv4.ts';
import {
  IPV6_DESTINATION_OFFSET,
  IPV6_HEADER_LENGTH,
  IPV6_SOURCE_OFFSET,
  writeIpv6FirstWord,
  writeIpv6HopLimit,
  writeIpv6NextHeader,
  writeIpv6PayloadLength,
} from '../wire/ipv6.ts';
import { readMacHigh, readMacLowSigned, writeMac } from '../wire/mac.ts';
import { VXLAN_HEADER_LENGTH } from '../wire/vxlan.ts';
import type { Answers } from './answers.ts';
import { InnerPacket } from './inner-packet.ts';
import { mayBeAnswered } from './icmp-rules.ts';

/** What an error may be as a whole: RFC 1812 section 4.3.2.3, and RFC 4443 section 2.4 (c). */
const ERROR_BYTES_MAX_IPV4 = 576;
const ERROR_BYTES_MAX_IPV6 = 1280;
/** Smallest MTU that a host believes: RFC 791; below RFC 8200's it ignores the error (RFC 8201 section 4). */
const MTU_MIN_IPV4 = 68;
const MTU_MIN_IPV6 = 1280;

const OUTER_IPV4 = 28 + VXLAN_HEADER_LENGTH;
const OUTER_IPV6 = 48 + VXLAN_HEADER_LENGTH;

/** Internetwork control, what RFC 1812 section 4.3.2.5 wants of a router's errors. */
const TOS_CONTROL = 0xc0;
const TTL = 64;
/** So that a device that checks for neighbours lets it pass. */
const HOP_LIMIT = 255;

/** Answers of one worker to one tunnel: enough for many flows, too few to be of use for an attack. */
const ANSWERS_PER_SECOND = 100;

export class TooBig {
  readonly #answers: Answers;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #inner = new InnerPacket();
  /** Of each tunnel: the second in which it answered last, and how often in it. */
  readonly #second: Int32Array;
  readonly #answered: Int32Array;

  constructor(answers: Answers, tunnels: number) {
    this.#answers = answers;
    this.#view = answers.arena.view;
    this.#bytes = answers.arena.bytes;
    this.#second = new Int32Array(tunnels);
    this.#answered = new Int32Array(tunnels);
  }

  /**
   * Answers one piece (see segment.ts): a head that begins with the VXLAN header, and a tail behind it,
   * of which a segment has its payload. `pathMtu` is that of the outer packet, over IPv4 or IPv6
   * (`outerFamily`).
   */
  answer(
    tunnel: number,
    head: number,
    headLength: number,
    tail: number,
    tailLength: number,
    pathMtu: number,
    outerFamily: number,
    nowSeconds: number,
  ): void {
    const inner = this.#inner;
    const frame = head + VXLAN_HEADER_LENGTH;
    inner.parse(this.#view, frame, headLength - VXLAN_HEADER_LENGTH + tailLength);
    if (!mayBeAnswered(this.#view, frame, inner)) return;
    const overhead = (outerFamily === 4 ? OUTER_IPV4 : OUTER_IPV6) + inner.l3 - frame;
    const mtu = pathMtu - overhead;
    if (mtu < (inner.family === 4 ? MTU_MIN_IPV4 : MTU_MIN_IPV6)) return;
    // Padding, and not the packet, was too large.
    if (inner.end - inner.l3 <= mtu) return;
    if (!this.#mayAnswer(tunnel, nowSeconds)) return;
    const to = this.#answers.begin(tunnel);
    if (to < 0) return;
    const inHead = headLength - VXLAN_HEADER_LENGTH - (inner.l3 - frame);
    this.#writeEthernet(to, frame, inner.l3 - frame);
    const l3 = to + inner.l3 - frame;
    const length =
      inner.family === 4
        ? this.#writeIpv4(l3, inHead, tail, mtu)
        : this.#writeIpv6(l3, inHead, tail, mtu);
    this.#answers.commit(l3 + length - to);
  }

  /** A new second gives every tunnel its answers again. */
  #mayAnswer(tunnel: number, nowSeconds: number): boolean {
    if (this.#second[tunnel] !== nowSeconds) {
      this.#second[tunnel] = nowSeconds;
      this.#answered[tunnel] = 0;
    }
    if (this.#answered[tunnel]! >= ANSWERS_PER_SECOND) return false;
    this.#answered[tunnel] = this.#answered[tunnel]! + 1;
    return true;
  }

  /** The frame's own link header, VLAN tags included, with the MACs the other way round. */
  #writeEthernet(to: number, frame: number, length: number): void {
    const view = this.#view;
    this.#bytes.copyWithin(to, frame, frame + length);
    const source = frame + ETHERNET_SOURCE_OFFSET;
    writeMac(view, to, readMacHigh(view, source), readMacLowSigned(view, source));
    const high = readMacHigh(view, frame);
    writeMac(view, to + ETHERNET_SOURCE_OFFSET, high, readMacLowSigned(view, frame));
  }

  /** Returns the packet's length. */
  #writeIpv4(l3: number, inHead: number, tail: number, mtu: number): number {
    const view = this.#view;
    const from = this.#inner.l3;
    const icmp = l3 + IPV4_HEADER_LENGTH_MIN;
    const quoteMax = ERROR_BYTES_MAX_IPV4 - IPV4_HEADER_LENGTH_MIN - ICMP_HEADER_LENGTH;
    const quote = this.#quote(icmp + ICMP_HEADER_LENGTH, quoteMax, inHead, tail);
    const length = IPV4_HEADER_LENGTH_MIN + ICMP_HEADER_LENGTH + quote;
    writeIpv4HeaderLength(view, l3, IPV4_HEADER_LENGTH_MIN);
    writeIpv4Tos(view, l3, TOS_CONTROL);
    writeIpv4TotalLength(view, l3, length);
    writeIpv4Id(view, l3, 0);
    writeIpv4Fragment(view, l3, IPV4_FLAG_DF);
    writeIpv4Ttl(view, l3, TTL);
    writeIpv4Protocol(view, l3, IPPROTO_ICMP);
    this.#swap(from, l3, IPV4_SOURCE_OFFSET, IPV4_DESTINATION_OFFSET, 4);
    writeIpv4Checksum(view, l3);
    writeIcmpTooBig(view, icmp, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu);
    const sum = sumBytes(view, icmp, ICMP_HEADER_LENGTH + quote, 0);
    view.setUint16(icmp + ICMP_CHECKSUM_OFFSET, foldChecksum(sum));
    return length;
  }

  #writeIpv6(l3: number, inHead: number, tail: number, mtu: number): number {
    const view = this.#view;
    const from = this.#inner.l3;
    const icmp = l3 + IPV6_HEADER_LENGTH;
    const quoteMax = ERROR_BYTES_MAX_IPV6 - IPV6_HEADER_LENGTH - ICMP_HEADER_LENGTH;
    const quote = this.#quote(icmp + ICMP_HEADER_LENGTH, quoteMax, inHead, tail);
    const payload = ICMP_HEADER_LENGTH + quote;
    writeIpv6FirstWord(view, l3, TOS_CONTROL, 0);
    writeIpv6PayloadLength(view, l3, payload);
    writeIpv6NextHeader(view, l3, IPPROTO_ICMPV6);
    writeIpv6HopLimit(view, l3, HOP_LIMIT);
    this.#swap(from, l3, IPV6_SOURCE_OFFSET, IPV6_DESTINATION_OFFSET, 16);
    writeIcmpTooBig(view, icmp, ICMPV6_PACKET_TOO_BIG, 0, mtu);
    const sum = sumBytes(view, icmp, payload, sumPseudoIpv6(view, l3, IPPROTO_ICMPV6, payload));
    view.setUint16(icmp + ICMP_CHECKSUM_OFFSET, foldChecksum(sum));
    return IPV6_HEADER_LENGTH + payload;
  }

  /** Copies what may be quoted of the packet, from its head and then from its tail; returns how much. */
  #quote(to: number, max: number, inHead: number, tail: number): number {
    const { l3, end } = this.#inner;
    const packet = end - l3;
    const length = packet < max ? packet : max;
    const first = length < inHead ? length : inHead;
    this.#bytes.copyWithin(to, l3, l3 + first);
    if (length > first) this.#bytes.copyWithin(to + first, tail, tail + length - first);
    return length;
  }

  /** Writes the source of the packet at `from` as the destination of the one at `to`, and the reverse. */
  #swap(from: number, to: number, source: number, destination: number, length: number): void {
    this.#bytes.copyWithin(to + destination, from + source, from + source + length);
    this.#bytes.copyWithin(to + source, from + destination, from + destination + length);
  }
}
