/**
 * Underlay sockets: one that receives on the VXLAN port, and the pool that sends from ports of its
 * own.
 */
import { VtepError } from '../base/errors.ts';
import { formatIp } from '../wire/ip.ts';
import { EACCES, EADDRINUSE, EADDRNOTAVAIL, syscallError } from './errno.ts';
import { lastErrno, libc } from './libc.ts';
import { describePortOwner } from './port-owner.ts';
import { SOCKADDR_LENGTH_MAX, sockaddrPort, writeSockaddr } from './sockaddr.ts';
import {
  attachDropAll,
  bytesOf,
  forceBuffer,
  readOption,
  setOption,
  trySetOption,
} from './socket-option.ts';
import {
  bindToDevice,
  DEFAULT_OUTER_SOCKET,
  type OuterSocketOptions,
  setOuterOptions,
  takeZeroChecksums,
} from './transmit-options.ts';
import * as uapi from './uapi.ts';

/** Bytes of queued datagrams: 64 KiB super-frames make bursts of hundreds of kilobytes ordinary. */
export const RECEIVE_BUFFER_BYTES = 8 << 20;
export const TRANSMIT_BUFFER_BYTES = 4 << 20;

/** An address to bind to. */
export interface SocketAddress {
  readonly family: 4 | 6;
  /** 16 bytes, IPv4 mapped. The unspecified address binds to all of the family. */
  readonly address: Uint8Array;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Interface index of an IPv6 link-local address, else absent or 0. */
  readonly scope?: number;
  /** The only device to send and receive on; all when absent. */
  readonly device?: string | undefined;
}

export interface ReceiveSocketOptions extends SocketAddress {
  /** Ask for UDP_GRO. */
  readonly gro: boolean;
  /**
   * Share the port with the sockets of the other workers. Check with {@link assertPortFree} before
   * the first.
   */
  readonly reusePort: boolean;
  /** Take IPv6 datagrams with a UDP checksum of zero; over IPv4 they are always taken. */
  readonly zeroChecksum?: boolean;
}

export interface ReceiveSocket {
  readonly fd: number;
  readonly port: number;
  /** False when not asked for or when the kernel has none (before Linux 5.0). */
  readonly gro: boolean;
  /** What the kernel granted, in its own accounting (twice the payload). */
  readonly bufferBytes: number;
}

export interface TransmitSocketOptions {
  readonly family: 4 | 6;
  readonly address: Uint8Array;
  readonly scope?: number;
  readonly device?: string | undefined;
  /** Default: DF, checksums, and a flow label that the kernel chooses. */
  readonly outer?: OuterSocketOptions;
  /** Lowest and highest source port, both included. */
  readonly ports: readonly [number, number];
  /** Where in the range to begin looking; the search wraps around. Default: the lowest port. */
  readonly start?: number;
  /** Share the port with sockets that {@link shareTransmitPort} has opened to it. */
  readonly reusePort?: boolean;
}

export interface TransmitSocket {
  readonly fd: number;
  readonly port: number;
  readonly bufferBytes: number;
}

/**
 * Opens the non-blocking socket that receives VXLAN datagrams.
 *
 * Every datagram comes with its TOS or traffic class, and with the stride when `gro` is on. IPv6
 * sockets take no IPv4. Throws ERR_PORT_IN_USE, ERR_PERMISSION, ERR_SYSCALL; nothing stays open
 * then.
 */
export function openReceiveSocket(options: ReceiveSocketOptions): ReceiveSocket {
  const { family, gro, reusePort } = options;
  const fd = openUdp(family);
  try {
    if (options.device !== undefined) bindToDevice(fd, options.device);
    if (family === 6 && options.zeroChecksum === true) takeZeroChecksums(fd);
    if (reusePort) setOption(fd, uapi.SOL_SOCKET, uapi.SO_REUSEPORT, 1);
    if (family === 4) {
      setOption(fd, uapi.IPPROTO_IP, uapi.IP_RECVTOS, 1);
      setOption(fd, uapi.IPPROTO_IP, uapi.IP_MULTICAST_ALL, 0);
    } else {
      setOption(fd, uapi.IPPROTO_IPV6, uapi.IPV6_RECVTCLASS, 1);
      // Linux 4.20; before it only sockets bound to all addresses saw foreign groups.
      trySetOption(fd, uapi.IPPROTO_IPV6, uapi.IPV6_MULTICAST_ALL, 0);
    }
    // How many datagrams were lost for want of room comes with the next one.
    setOption(fd, uapi.SOL_SOCKET, uapi.SO_RXQ_OVFL, 1);
    const groOn = gro && trySetOption(fd, uapi.IPPROTO_UDP, uapi.UDP_GRO, 1);
    forceBuffer(fd, uapi.SO_RCVBUFFORCE, uapi.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
    const errno = bindTo(fd, options);
    if (errno !== 0) throw bindError(options, errno);
    const bufferBytes = readOption(fd, uapi.SOL_SOCKET, uapi.SO_RCVBUF);
    return { fd, port: boundPort(fd), gro: groOn, bufferBytes };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/**
 * Opens a non-blocking socket that sends from the next free source port of the range and hears
 * nothing.
 *
 * DF is set and nothing is fragmented here (RFC 7348 §4.3) unless `outer` says otherwise; ICMP errors
 * wait in the error queue.
 * Throws ERR_LIMIT when no port of the range is free, ERR_PERMISSION, ERR_SYSCALL.
 */
export function openTransmitSocket(options: TransmitSocketOptions): TransmitSocket {
  const { family } = options;
  const fd = openUdp(family);
  try {
    if (options.device !== undefined) bindToDevice(fd, options.device);
    setOuterOptions(fd, family, options.outer ?? DEFAULT_OUTER_SOCKET);
    if (family === 4) setOption(fd, uapi.IPPROTO_IP, uapi.IP_RECVERR, 1);
    else setOption(fd, uapi.IPPROTO_IPV6, uapi.IPV6_RECVERR, 1);
    forceBuffer(fd, uapi.SO_SNDBUFFORCE, uapi.SO_SNDBUF, TRANSMIT_BUFFER_BYTES);
    // Before the port is bound, so that not even the first datagram of a stranger is queued.
    attachDropAll(fd);
    if (options.reusePort === true) setOption(fd, uapi.SOL_SOCKET, uapi.SO_REUSEPORT, 1);
    const port = bindInRange(fd, options);
    return { fd, port, bufferBytes: readOption(fd, uapi.SOL_SOCKET, uapi.SO_SNDBUF) };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/**
 * Lets further sockets of this user bind to the port of a transmit socket that got it for itself alone.
 *
 * In this order nobody else's port is ever shared: the first bind finds a port that is free.
 */
export function shareTransmitPort(fd: number): void {
  setOption(fd, uapi.SOL_SOCKET, uapi.SO_REUSEPORT, 1);
}

/**
 * Throws ERR_PORT_IN_USE, naming the owner, unless the port can be bound without sharing it.
 *
 * Sockets that share a port do not clash with a second daemon that shares it too, so this comes
 * before the first of them.
 */
export function assertPortFree(address: SocketAddress): void {
  const fd = openUdp(address.family);
  try {
    if (address.device !== undefined) bindToDevice(fd, address.device);
    const errno = bindTo(fd, address);
    if (errno !== 0) throw bindError(address, errno);
  } finally {
    libc.close(fd);
  }
}

/**
 * True when the kernel cuts one send into segments (UDP_SEGMENT, Linux 4.18); the socket is left as
 * it was.
 */
export function probeSegmentation(fd: number): boolean {
  return (
    trySetOption(fd, uapi.IPPROTO_UDP, uapi.UDP_SEGMENT, 1200) &&
    trySetOption(fd, uapi.IPPROTO_UDP, uapi.UDP_SEGMENT, 0)
  );
}

/** Closes either kind of socket. */
export function closeSocket(fd: number): void {
  libc.close(fd);
}

function openUdp(family: 4 | 6): number {
  const domain = family === 4 ? uapi.AF_INET : uapi.AF_INET6;
  const type = uapi.SOCK_DGRAM | uapi.SOCK_NONBLOCK | uapi.SOCK_CLOEXEC;
  const fd = libc.socket(domain, type, 0);
  if (fd < 0) throw syscallError('open', lastErrno(), `an IPv${family} UDP socket`);
  if (family === 6) setOption(fd, uapi.IPPROTO_IPV6, uapi.IPV6_V6ONLY, 1);
  return fd;
}

function bindInRange(fd: number, options: TransmitSocketOptions): number {
  const [low, high] = options.ports;
  const count = high - low + 1;
  const start = Math.min(Math.max(options.start ?? low, low), high) - low;
  for (let i = 0; i < count; i++) {
    const port = low + ((start + i) % count);
    const errno = bindTo(fd, { ...options, port });
    if (errno === 0) return boundPort(fd);
    if (errno !== EADDRINUSE) throw bindError({ ...options, port }, errno);
  }
  throw new VtepError('ERR_LIMIT', `Cannot find a free source port in ${low} to ${high}`, {
    hint: 'widen the port range or use fewer transmit sockets',
  });
}

function bindTo(fd: number, target: SocketAddress): number {
  const bytes = new Uint8Array(SOCKADDR_LENGTH_MAX);
  const view = new DataView(bytes.buffer);
  const { family, address, port, scope = 0 } = target;
  const length = writeSockaddr(view, 0, family, address, 0, port, scope);
  return libc.bind(fd, bytes, length) < 0 ? lastErrno() : 0;
}

function bindError(target: SocketAddress, errno: number): VtepError {
  const { family, port } = target;
  const ip = formatIp(target.address);
  const where = family === 4 ? `${ip}:${port}` : `[${ip}]:${port}`;
  if (errno === EADDRINUSE) {
    const owner = describePortOwner(port, target.address);
    const who = owner === undefined ? '' : ` by ${owner}`;
    return new VtepError('ERR_PORT_IN_USE', `Cannot bind ${where}: the UDP port is taken${who}`, {
      hint: 'stop the owner, or give this tunnel another port (all its remotes need the same)',
    });
  }
  const hints = new Map([
    [
      EADDRNOTAVAIL,
      `give ${ip} to an interface of this host first, or choose another local address`,
    ],
    [EACCES, 'ports below 1024 need CAP_NET_BIND_SERVICE'],
  ]);
  return syscallError('bind', errno, where, hints.get(errno));
}

function boundPort(fd: number): number {
  const bytes = new Uint8Array(SOCKADDR_LENGTH_MAX);
  const length = new Uint32Array([bytes.length]);
  if (libc.getsockname(fd, bytes, bytesOf(length)) < 0)
    throw syscallError('getsockname', lastErrno());
  return sockaddrPort(new DataView(bytes.buffer), 0);
}
