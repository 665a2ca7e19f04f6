// Hot path: no allocation, no throw, no await.
import { writeUint64 } from '../packet/iovec.ts';
import { IP_PKTINFO, IPPROTO_IP, IPPROTO_IPV6, IPV6_PKTINFO } from './uapi.ts';

/**
 * `struct mmsghdr` on 64-bit Linux (linux/socket.h).
 *
 * ```
 *  0 name (address)     8 name length (32)
 * 16 iovecs (address)  24 number of iovecs
 * 32 control (address) 40 control length
 * 48 flags (32)        56 bytes transferred (32)
 * ```
 */
export const MMSGHDR_BYTES = 64;
export const MMSGHDR_NAME = 0;
export const MMSGHDR_NAME_LENGTH = 8;
export const MMSGHDR_IOVECS = 16;
export const MMSGHDR_IOVEC_COUNT = 24;
export const MMSGHDR_CONTROL = 32;
export const MMSGHDR_CONTROL_LENGTH = 40;
export const MMSGHDR_TRANSFERRED = 56;

/** `struct cmsghdr`: length (64), level (32), type (32), then the data, padded to 8. */
export const CMSGHDR_BYTES = 16;
const CMSG_LEVEL = 8;
const CMSG_TYPE = 12;

/** Room of a control message whose data takes at most 8 bytes. */
export const CMSG_SPACE = 24;

/** Writes a control message with a 32-bit value. */
export function writeCmsgInt(
  view: DataView,
  offset: number,
  level: number,
  type: number,
  value: number,
): void {
  writeUint64(view, offset, CMSGHDR_BYTES + 4);
  view.setUint32(offset + CMSG_LEVEL, level, true);
  view.setUint32(offset + CMSG_TYPE, type, true);
  view.setUint32(offset + CMSGHDR_BYTES, value, true);
}

/** Writes a control message with a 16-bit value. */
export function writeCmsgShort(
  view: DataView,
  offset: number,
  level: number,
  type: number,
  value: number,
): void {
  writeCmsgInt(view, offset, level, type, value);
  writeUint64(view, offset, CMSGHDR_BYTES + 2);
}

/**
 * Writes a control message with a 32-bit value in network order.
 */
export function writeCmsgNetworkInt(
  view: DataView,
  offset: number,
  level: number,
  type: number,
  value: number,
): void {
  writeCmsgInt(view, offset, level, type, 0);
  view.setInt32(offset + CMSGHDR_BYTES, value);
}

/** Room of an IP_PKTINFO control message (`struct in_pktinfo`, 12 bytes). */
export const PKTINFO4_SPACE = 32;
/** Room of an IPV6_PKTINFO control message (`struct in6_pktinfo`, 20 bytes). */
export const PKTINFO6_SPACE = 40;

/**
 * Writes IP_PKTINFO: the device to leave by, and the source address, the four bytes of `source` in
 * network order (0 for what the route says), which the kernel would otherwise choose anew.
 */
export function writePktinfo4(
  view: DataView,
  offset: number,
  device: number,
  source: number,
): void {
  writeCmsgInt(view, offset, IPPROTO_IP, IP_PKTINFO, device);
  writeUint64(view, offset, CMSGHDR_BYTES + 12);
  view.setInt32(offset + CMSGHDR_BYTES + 4, source);
  view.setUint32(offset + CMSGHDR_BYTES + 8, 0);
}

/** Writes IPV6_PKTINFO: the device to leave by; the source address stays that of the socket. */
export function writePktinfo6(view: DataView, offset: number, device: number): void {
  writeCmsgInt(view, offset, IPPROTO_IPV6, IPV6_PKTINFO, 0);
  writeUint64(view, offset, CMSGHDR_BYTES + 20);
  for (let at = 0; at < 16; at += 4) view.setUint32(offset + CMSGHDR_BYTES + at, 0);
  view.setUint32(offset + CMSGHDR_BYTES + 16, device, true);
}

export function cmsgLength(view: DataView, offset: number): number {
  return view.getUint32(offset, true);
}

export function isCmsg(view: DataView, offset: number, level: number, type: number): boolean {
  return (
    view.getUint32(offset + CMSG_LEVEL, true) === level &&
    view.getUint32(offset + CMSG_TYPE, true) === type
  );
}
