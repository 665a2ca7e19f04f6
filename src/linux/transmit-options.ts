/** What the outer header owes to the socket that a datagram is sent from: options of the whole socket. */
import { VtepError } from '../base/errors.ts';
import { EINVAL, ENODEV, ENOPROTOOPT, syscallError } from './errno.ts';
import { lastErrno, libc } from './libc.ts';
import { setOption, trySetOption } from './socket-option.ts';
import * as uapi from './uapi.ts';

/**
 * What is done with a datagram and its DF bit.
 *
 * | | DF over IPv4 | larger than the path |
 * |---|---|---|
 * | `set` | set | refused (RFC 7348 section 4.3) |
 * | `unset` | clear | refused when larger than the device takes |
 * | `fragment` | clear | fragmented here |
 *
 * IPv6 has no DF, and no router fragments it: `unset` is `set` there.
 */
export type Fragmentation = 'set' | 'unset' | 'fragment';

export interface OuterSocketOptions {
  readonly fragmentation: Fragmentation;
  /** False sends UDP checksums of zero; UDP_SEGMENT is refused then. */
  readonly checksum: boolean;
  /** True lets the kernel choose an IPv6 flow label for each flow; else it is 0 unless a message has one. */
  readonly autoFlowLabel: boolean;
}

export const DEFAULT_OUTER_SOCKET: OuterSocketOptions = {
  fragmentation: 'set',
  checksum: true,
  autoFlowLabel: true,
};

/** Sets the options of a transmit socket; throws ERR_SYSCALL, ERR_PERMISSION. */
export function setOuterOptions(fd: number, family: 4 | 6, options: OuterSocketOptions): void {
  const { fragmentation, checksum, autoFlowLabel } = options;
  if (family === 4) {
    setOption(fd, uapi.IPPROTO_IP, uapi.IP_MTU_DISCOVER, DISCOVER_4[fragmentation]);
    if (!checksum) setOption(fd, uapi.SOL_SOCKET, uapi.SO_NO_CHECK, 1);
    return;
  }
  setOption(fd, uapi.IPPROTO_IPV6, uapi.IPV6_MTU_DISCOVER, DISCOVER_6[fragmentation]);
  if (!checksum) setOption(fd, uapi.IPPROTO_UDP, uapi.UDP_NO_CHECK6_TX, 1);
  // Linux 3.17. Where the system allows no other label (auto_flowlabels is 3) it is refused.
  if (!autoFlowLabel) trySetOption(fd, uapi.IPPROTO_IPV6, uapi.IPV6_AUTOFLOWLABEL, 0);
}

/**
 * Binds a socket to a device: it sends by that one only, and hears nothing of others. Before bind().
 *
 * Throws ERR_NOT_FOUND when there is no such device, ERR_PERMISSION before Linux 5.7 without
 * CAP_NET_RAW, ERR_SYSCALL.
 */
export function bindToDevice(fd: number, name: string): void {
  const bytes = Buffer.from(`${name}\0`);
  const { SOL_SOCKET, SO_BINDTODEVICE } = uapi;
  if (libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bytes, bytes.length) === 0) return;
  const errno = lastErrno();
  if (errno === ENODEV || errno === EINVAL) {
    throw new VtepError('ERR_NOT_FOUND', `Cannot find the underlay device '${name}'`, {
      hint: 'list the devices with: ip link; "link" of a tunnel must be one of them',
    });
  }
  const hint = 'Linux before 5.7 lets only processes with CAP_NET_RAW do this';
  throw syscallError('bind', errno, `a socket to the device '${name}'`, hint);
}

/** Lets a socket take IPv6 datagrams with a UDP checksum of zero, RFC 6935 section 5. */
export function takeZeroChecksums(fd: number): void {
  if (trySetOption(fd, uapi.IPPROTO_UDP, uapi.UDP_NO_CHECK6_RX, 1)) return;
  const errno = lastErrno();
  const hint = errno === ENOPROTOOPT ? 'this needs Linux 3.16' : undefined;
  throw syscallError('set', errno, 'UDP_NO_CHECK6_RX', hint);
}

const DISCOVER_4 = {
  set: uapi.IP_PMTUDISC_DO,
  unset: uapi.IP_PMTUDISC_INTERFACE,
  fragment: uapi.IP_PMTUDISC_DONT,
} as const;
const DISCOVER_6 = {
  set: uapi.IPV6_PMTUDISC_DO,
  unset: uapi.IPV6_PMTUDISC_DO,
  fragment: uapi.IPV6_PMTUDISC_DONT,
} as const;
