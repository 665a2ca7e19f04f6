import dgram from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { VtepError } from '../../../src/base/errors.ts';
import { EAGAIN } from '../../../src/linux/errno.ts';
import { lastErrno, libc } from '../../../src/linux/libc.ts';
import { readOption, trySetOption } from '../../../src/linux/socket-option.ts';
import { writeSockaddr } from '../../../src/linux/sockaddr.ts';
import * as uapi from '../../../src/linux/uapi.ts';
import {
  assertPortFree,
  closeSocket,
  openReceiveSocket,
  openTransmitSocket,
  probeSegmentation,
  shareTransmitPort,
  type ReceiveSocket,
  type ReceiveSocketOptions,
  type TransmitSocket,
  type TransmitSocketOptions,
} from '../../../src/linux/udp-socket.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { waitFor } from '../../support/wait.ts';

const LOOPBACK4 = { family: 4, address: parseIp('127.0.0.1')! } as const;
const LOOPBACK6 = { family: 6, address: parseIp('::1')! } as const;

const fds: number[] = [];

afterEach(() => {
  for (const fd of fds.splice(0)) closeSocket(fd);
});

function receiver(options: Partial<ReceiveSocketOptions> = {}): ReceiveSocket {
  const socket = openReceiveSocket({
    ...LOOPBACK4,
    port: 0,
    gro: true,
    reusePort: false,
    ...options,
  });
  fds.push(socket.fd);
  return socket;
}

function sender(options: Partial<TransmitSocketOptions> = {}): TransmitSocket {
  const socket = openTransmitSocket({ ...LOOPBACK4, ports: [49152, 65535], ...options });
  fds.push(socket.fd);
  return socket;
}

function failure(action: () => unknown): VtepError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(VtepError);
    return error as VtepError;
  }
  throw new Error('it did not fail');
}

function send(fd: number, target: { family: 4 | 6; address: Uint8Array }, port: number): number {
  const address = new Uint8Array(28);
  const length = writeSockaddr(
    new DataView(address.buffer),
    0,
    target.family,
    target.address,
    0,
    port,
    0,
  );
  const bytes = Buffer.from('datagram');
  return libc.sendto(fd, bytes, bytes.length, 0, address, length);
}

describe.each([LOOPBACK4, LOOPBACK6])('sockets of IPv$family', (loopback) => {
  test('a source port is shared only after its first socket allows it, and both send from it', async () => {
    const first = sender({ ...loopback });
    const again = { ...loopback, ports: [first.port, first.port], reusePort: true } as const;
    expect(failure(() => sender(again)).code).toBe('ERR_LIMIT');
    shareTransmitPort(first.fd);
    const second = sender(again);
    expect(second.port).toBe(first.port);
    const { fd, port } = receiver(loopback);
    const buffer = Buffer.alloc(100);
    for (const socket of [first, second]) {
      expect(send(socket.fd, loopback, port)).toBe(8);
      await waitFor(() => libc.recv(fd, buffer, buffer.length, 0) === 8, { what: 'a datagram' });
    }
  });

  test('what the transmit socket sends, the receive socket gets', async () => {
    const { fd, port } = receiver(loopback);
    const buffer = Buffer.alloc(100);
    expect(libc.recv(fd, buffer, buffer.length, 0)).toBe(-1);
    expect(lastErrno()).toBe(EAGAIN);
    expect(send(sender(loopback).fd, loopback, port)).toBe(8);
    await waitFor(() => libc.recv(fd, buffer, buffer.length, 0) === 8, { what: 'the datagram' });
    expect(buffer.toString('latin1', 0, 8)).toBe('datagram');
  });

  test('the transmit socket hears nothing, but learns of errors', async () => {
    const { fd, port } = sender(loopback);
    const stranger = receiver(loopback);
    expect(send(stranger.fd, loopback, port)).toBe(8);
    const buffer = Buffer.alloc(100);
    expect(libc.recv(fd, buffer, buffer.length, 0)).toBe(-1);
    expect(lastErrno()).toBe(EAGAIN);
    closeSocket(fds.pop()!);
    expect(send(fd, loopback, stranger.port)).toBe(8);
    await waitFor(() => libc.recv(fd, buffer, buffer.length, uapi.MSG_ERRQUEUE) >= 0, {
      what: 'the ICMP error',
    });
  });

  test('both set the options of their family', () => {
    const six = loopback.family === 6;
    const level = six ? uapi.IPPROTO_IPV6 : uapi.IPPROTO_IP;
    const { fd } = receiver(loopback);
    expect(readOption(fd, level, six ? uapi.IPV6_RECVTCLASS : uapi.IP_RECVTOS)).toBe(1);
    expect(readOption(fd, level, six ? uapi.IPV6_MULTICAST_ALL : uapi.IP_MULTICAST_ALL)).toBe(0);
    expect(readOption(fd, uapi.IPPROTO_UDP, uapi.UDP_GRO)).toBe(1);
    const out = sender(loopback).fd;
    expect(readOption(out, level, six ? uapi.IPV6_MTU_DISCOVER : uapi.IP_MTU_DISCOVER)).toBe(2);
    expect(readOption(out, level, six ? uapi.IPV6_RECVERR : uapi.IP_RECVERR)).toBe(1);
    if (six) expect(readOption(fd, level, uapi.IPV6_V6ONLY)).toBe(1);
  });

  test('probeSegmentation() finds it and leaves it off', () => {
    const { fd } = sender(loopback);
    expect(probeSegmentation(fd)).toBe(true);
    expect(readOption(fd, uapi.IPPROTO_UDP, uapi.UDP_SEGMENT)).toBe(0);
  });
});

describe('openReceiveSocket()', () => {
  test('reports the buffer that the kernel granted', () => {
    const { fd, bufferBytes } = receiver();
    expect(bufferBytes).toBe(readOption(fd, uapi.SOL_SOCKET, uapi.SO_RCVBUF));
    // Twice the size asked for when we may; the system's limit else.
    if (mayExceed(fd, uapi.SO_RCVBUFFORCE)) expect(bufferBytes).toBe(16 << 20);
  });

  test('leaves aggregation off when not asked for it', () => {
    const { fd, gro } = receiver({ gro: false });
    expect(gro).toBe(false);
    expect(readOption(fd, uapi.IPPROTO_UDP, uapi.UDP_GRO)).toBe(0);
  });

  test('shares a port among workers that ask for it', () => {
    const { port } = receiver({ reusePort: true });
    expect(receiver({ reusePort: true, port }).port).toBe(port);
    const error = failure(() => receiver({ port }));
    expect(error.code).toBe('ERR_PORT_IN_USE');
  });

  test('an IPv6 socket on all addresses leaves the port free for IPv4', () => {
    const { port } = receiver({ family: 6, address: parseIp('::')! });
    expect(receiver({ address: parseIp('0.0.0.0')!, port }).port).toBe(port);
  });

  test('says what to do about an address that is not ours', () => {
    const error = failure(() => receiver({ address: parseIp('192.0.2.1')!, port: 4789 }));
    expect(error.code).toBe('ERR_SYSCALL');
    expect(error.message).toBe('Cannot bind 192.0.2.1:4789: EADDRNOTAVAIL');
    expect(error.hint).toContain('give 192.0.2.1 to an interface');
  });
});

describe('assertPortFree()', () => {
  test('does nothing for a free port and leaves it free', () => {
    const { port, fd } = receiver();
    closeSocket(fd);
    fds.pop();
    assertPortFree({ ...LOOPBACK4, port });
    assertPortFree({ ...LOOPBACK4, port });
  });

  test('finds a clash that a shared port would hide, and names the owner', () => {
    const { port } = receiver({ reusePort: true });
    const error = failure(() => assertPortFree({ ...LOOPBACK4, port }));
    expect(error.code).toBe('ERR_PORT_IN_USE');
    expect(error.message).toContain(
      `Cannot bind 127.0.0.1:${port}: the UDP port is taken by process `,
    );
    expect(error.message).toContain(`(pid ${process.pid})`);
  });

  test('finds a program on all addresses in the way of one', async () => {
    const other = dgram.createSocket('udp4').bind(0);
    await once(other, 'listening');
    const { port } = other.address();
    try {
      const error = failure(() => assertPortFree({ ...LOOPBACK4, port }));
      expect(error.message).toContain(`(pid ${process.pid})`);
    } finally {
      other.close();
    }
  });
});

describe('openTransmitSocket()', () => {
  test('takes the next port of the range when one is in use, and wraps around', () => {
    // A stretch of three ports that nobody uses just now.
    const ports = freeStretch(3);
    const [low] = ports;
    expect(sender({ ports }).port).toBe(low);
    expect(sender({ ports }).port).toBe(low + 1);
    expect(sender({ ports, start: low + 1 }).port).toBe(low + 2);
    const error = failure(() => sender({ ports, start: low + 2 }));
    expect(error.code).toBe('ERR_LIMIT');
    expect(error.message).toContain(`${low} to ${low + 2}`);
    closeSocket(fds.shift()!);
    expect(sender({ ports, start: low + 2 }).port).toBe(low);
  });

  test('reports the buffer that the kernel granted', () => {
    const { fd, bufferBytes } = sender();
    expect(bufferBytes).toBe(readOption(fd, uapi.SOL_SOCKET, uapi.SO_SNDBUF));
    if (mayExceed(fd, uapi.SO_SNDBUFFORCE)) expect(bufferBytes).toBe(8 << 20);
  });
});

/** True with CAP_NET_ADMIN over the whole machine, which root of a user namespace lacks. */
function mayExceed(fd: number, option: number): boolean {
  return trySetOption(fd, uapi.SOL_SOCKET, option, 1 << 20);
}

function freeStretch(count: number): readonly [number, number] {
  for (let low = 50_000; low < 60_000; low += count) {
    try {
      for (let i = 0; i < count; i++) assertPortFree({ ...LOOPBACK4, port: low + i });
      return [low, low + count - 1];
    } catch {
      continue;
    }
  }
  throw new Error('no free ports');
}
