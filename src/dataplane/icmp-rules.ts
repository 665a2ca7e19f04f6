// Hot path: no allocation, no throw, no await.
import { isIcmpError, isIcmpv6Error, IPPROTO_ICMPV6, readIcmpType } from '../wire/icmp.ts';
import {
  IPPROTO_ICMP,
  IPV4_DESTINATION_OFFSET,
  IPV4_FLAG_DF,
  IPV4_FRAGMENT_OFFSET_MASK,
  IPV4_SOURCE_OFFSET,
  ipv4ChecksumValid,
  ipv4HeaderLength,
  readIpv4Fragment,
} from '../wire/ipv4.ts';
import {
  ipv6L4Offset,
  ipv6L4Protocol,
  IPV6_DESTINATION_OFFSET,
  IPV6_SOURCE_OFFSET,
} from '../wire/ipv6.ts';
import { isMulticastMac, readMacHigh } from '../wire/mac.ts';
import type { InnerPacket } from './inner-packet.ts';

/**
 * True when the frame at `frame` may be answered with an ICMP error that its packet is too big: RFC 1122
 * section 3.2.2 and RFC 4443 section 2.4 (e), as the kernel's own tunnels do
 * (net/ipv4/ip_tunnel_core.c, skb_tunnel_check_pmtu). IPv4 only with DF.
 */
export function mayBeAnswered(view: DataView, frame: number, inner: InnerPacket): boolean {
  if (isMulticastMac(readMacHigh(view, frame))) return false;
  if (inner.family === 4) return mayBeAnswered4(view, inner);
  return inner.family === 6 && mayBeAnswered6(view, inner);
}

function mayBeAnswered4(view: DataView, { l3, protocol, end }: InnerPacket): boolean {
  const fragment = readIpv4Fragment(view, l3);
  if ((fragment & IPV4_FLAG_DF) === 0 || (fragment & IPV4_FRAGMENT_OFFSET_MASK) !== 0) return false;
  if (!ipv4ChecksumValid(view, l3)) return false;
  const source = view.getUint8(l3 + IPV4_SOURCE_OFFSET);
  // 0.0.0.0/8, 127.0.0.0/8, and everything from 224.0.0.0 on: groups, reserved, broadcast.
  if (source === 0 || source === 127 || source >= 224) return false;
  if (view.getUint8(l3 + IPV4_DESTINATION_OFFSET) >= 224) return false;
  if (protocol !== IPPROTO_ICMP) return true;
  const l4 = l3 + ipv4HeaderLength(view, l3);
  return l4 < end && !isIcmpError(readIcmpType(view, l4));
}

function mayBeAnswered6(view: DataView, { l3, end }: InnerPacket): boolean {
  if (view.getUint8(l3 + IPV6_SOURCE_OFFSET) === 0xff) return false;
  if (view.getUint8(l3 + IPV6_DESTINATION_OFFSET) === 0xff) return false;
  if (isUnspecifiedOrLoopback(view, l3 + IPV6_SOURCE_OFFSET)) return false;
  // Of a fragment the first alone has a protocol here.
  const protocol = ipv6L4Protocol(view, l3, end);
  if (protocol !== IPPROTO_ICMPV6) return protocol >= 0;
  const l4 = ipv6L4Offset(view, l3, end);
  return l4 < end && !isIcmpv6Error(readIcmpType(view, l4));
}

/** `::` and `::1`. */
function isUnspecifiedOrLoopback(view: DataView, at: number): boolean {
  if (view.getInt32(at) !== 0 || view.getInt32(at + 4) !== 0) return false;
  return view.getInt32(at + 8) === 0 && (view.getInt32(at + 12) & ~1) === 0;
}
