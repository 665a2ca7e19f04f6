import { afterEach, describe, expect, test } from 'vitest';
import { libc } from '../../../src/linux/libc.ts';
import { readOption } from '../../../src/linux/socket-option.ts';
import {
  bindToDevice,
  DEFAULT_OUTER_SOCKET,
  setOuterOptions,
  takeZeroChecksums,
} from '../../../src/linux/transmit-options.ts';
import * as uapi from '../../../src/linux/uapi.ts';
import { closeSocket, probeSegmentation } from '../../../src/linux/udp-socket.ts';

const fds: number[] = [];
afterEach(() => {
  for (const fd of fds.splice(0)) closeSocket(fd);
});

function socket(family: 4 | 6): number {
  const fd = libc.socket(family === 4 ? uapi.AF_INET : uapi.AF_INET6, uapi.SOCK_DGRAM, 0);
  fds.push(fd);
  return fd;
}

describe('setOuterOptions()', () => {
  test.each([
    ['set', uapi.IP_PMTUDISC_DO, uapi.IPV6_PMTUDISC_DO],
    ['unset', uapi.IP_PMTUDISC_INTERFACE, uapi.IPV6_PMTUDISC_DO],
    ['fragment', uapi.IP_PMTUDISC_DONT, uapi.IPV6_PMTUDISC_DONT],
  ] as const)('%s decides what the kernel does about the path MTU', (fragmentation, four, six) => {
    const options = { ...DEFAULT_OUTER_SOCKET, fragmentation };
    const [one, other] = [socket(4), socket(6)];
    setOuterOptions(one, 4, options);
    setOuterOptions(other, 6, options);
    expect(readOption(one, uapi.IPPROTO_IP, uapi.IP_MTU_DISCOVER)).toBe(four);
    expect(readOption(other, uapi.IPPROTO_IPV6, uapi.IPV6_MTU_DISCOVER)).toBe(six);
  });

  test.each([true, false])('checksum %s is what each family has', (checksum) => {
    const options = { ...DEFAULT_OUTER_SOCKET, checksum };
    const [one, other] = [socket(4), socket(6)];
    setOuterOptions(one, 4, options);
    setOuterOptions(other, 6, options);
    const off = checksum ? 0 : 1;
    expect(readOption(one, uapi.SOL_SOCKET, uapi.SO_NO_CHECK)).toBe(off);
    expect(readOption(other, uapi.IPPROTO_UDP, uapi.UDP_NO_CHECK6_TX)).toBe(off);
    expect(probeSegmentation(one)).toBe(true);
  });

  test('a flow label that is not left to the kernel switches its own off', () => {
    const fd = socket(6);
    setOuterOptions(fd, 6, { ...DEFAULT_OUTER_SOCKET, autoFlowLabel: false });
    expect(readOption(fd, uapi.IPPROTO_IPV6, uapi.IPV6_AUTOFLOWLABEL)).toBe(0);
  });
});

describe('bindToDevice()', () => {
  test('binds to a device that exists', () => {
    const fd = socket(4);
    bindToDevice(fd, 'lo');
    const name = new Uint8Array(16);
    const length = new Uint8Array(new Uint32Array([name.length]).buffer);
    libc.getsockopt(fd, uapi.SOL_SOCKET, uapi.SO_BINDTODEVICE, name, length);
    expect(Buffer.from(name).toString('latin1')).toMatch(/^lo\0/);
  });

  test('names the device that does not', () => {
    expect(() => bindToDevice(socket(4), 'no-such-device')).toThrow(
      "Cannot find the underlay device 'no-such-device'",
    );
  });
});

test('takeZeroChecksums() lets an IPv6 socket take them', () => {
  const fd = socket(6);
  takeZeroChecksums(fd);
  expect(readOption(fd, uapi.IPPROTO_UDP, uapi.UDP_NO_CHECK6_RX)).toBe(1);
});
