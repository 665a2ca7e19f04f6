// Hot path: no allocation, no throw, no await.
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, l3EtherType, l3Offset } from '../wire/ethernet.ts';
import {
  ipv4HeaderLength,
  readIpv4Protocol,
  readIpv4Tos,
  readIpv4TotalLength,
  isFragmentIpv4,
  isIpv4,
} from '../wire/ipv4.ts';
import {
  IPV6_HEADER_LENGTH,
  isFirstFragmentIpv6,
  ipv6L4Offset,
  ipv6L4Protocol,
  readIpv6PayloadLength,
  readIpv6TrafficClass,
  isIpv6,
} from '../wire/ipv6.ts';

/**
 * Where the headers of one inner frame lie. One object is used for all frames: parse() fills it in.
 *
 * Offsets are absolute in the view. Whatever is not there is -1 (offsets, protocol) or 0 (family, tos).
 */
export class InnerPacket {
  /** 4, 6, or 0 for a frame that holds no well-formed IP packet. */
  family = 0;
  /** Begin of the network header, after up to two VLAN tags; set for every frame long enough. */
  l3 = -1;
  /** Begin of the transport header; -1 also for a fragment. */
  l4 = -1;
  /** Of what stands at l4; also of an IPv4 fragment. */
  protocol = -1;
  /** TOS or traffic class. */
  tos = 0;
  /** End of the IP packet: Ethernet padding lies behind it. */
  end = 0;

  /** Reads the headers of the frame of `length` bytes at `frame`. */
  parse(view: DataView, frame: number, length: number): void {
    this.family = 0;
    this.l4 = -1;
    this.protocol = -1;
    this.tos = 0;
    this.end = frame + length;
    const l3 = l3Offset(view, frame, length);
    this.l3 = l3;
    if (l3 < 0) return;
    const etherType = l3EtherType(view, l3);
    const available = frame + length - l3;
    if (etherType === ETHERTYPE_IPV4) {
      if (!isIpv4(view, l3, available)) return;
      this.family = 4;
      this.tos = readIpv4Tos(view, l3);
      this.protocol = readIpv4Protocol(view, l3);
      this.end = l3 + readIpv4TotalLength(view, l3);
      if (!isFragmentIpv4(view, l3)) this.l4 = l3 + ipv4HeaderLength(view, l3);
    } else if (etherType === ETHERTYPE_IPV6) {
      if (!isIpv6(view, l3, available)) return;
      this.family = 6;
      this.tos = readIpv6TrafficClass(view, l3);
      this.end = l3 + IPV6_HEADER_LENGTH + readIpv6PayloadLength(view, l3);
      this.l4 = ipv6L4Offset(view, l3, this.end);
      if (this.l4 < 0) return;
      if (this.l4 > l3 + IPV6_HEADER_LENGTH && isFirstFragmentIpv6(view, l3, this.end)) {
        this.l4 = -1;
        return;
      }
      this.protocol = ipv6L4Protocol(view, l3, this.end);
    }
  }
}
