import { afterEach, beforeEach, expect, test } from 'vitest';
import { VtepError } from '../../../src/base/errors.ts';
import { addressOf, lastErrno, libc } from '../../../src/linux/libc.ts';
import { linkByName, setLink } from '../../../src/linux/netlink-link.ts';
import {
  attachTapQueue,
  closeTap,
  detachTapQueue,
  openTap,
  type Tap,
  type TapOptions,
} from '../../../src/linux/tap.ts';
import { F_GETFD, F_GETFL, O_NONBLOCK } from '../../../src/linux/uapi.ts';
import { describeIf } from '../../support/requires.ts';
import { deleteLink, ip, uniqueName } from './names.ts';

const REQUIREMENT = { root: true, tun: true, commands: ['ip'] };

let name: string;
const taps: Tap[] = [];

beforeEach(() => {
  name = uniqueName();
});

afterEach(() => {
  for (const tap of taps.splice(0)) closeTap(tap);
  deleteLink(name);
});

function open(options: Partial<TapOptions> = {}): Tap {
  const tap = openTap({ name, queues: 1, offload: true, ...options });
  taps.push(tap);
  return tap;
}

function failure(options: Partial<TapOptions> = {}): VtepError {
  try {
    open(options);
  } catch (error) {
    expect(error).toBeInstanceOf(VtepError);
    return error as VtepError;
  }
  throw new Error('openTap() did not fail');
}

function openDescriptors(): number {
  let count = 0;
  for (let fd = 0; fd < 1024; fd++) if (libc.fcntl(fd, F_GETFD, 0) >= 0) count++;
  return count;
}

describeIf(REQUIREMENT, 'openTap() of a new device', () => {
  test('creates it with one queue and every offload the kernel has', () => {
    const tap = open();
    expect(tap).toMatchObject({ name, multiQueue: false, created: true });
    expect(tap.fds).toHaveLength(1);
    expect(tap.offloads).toMatchObject({ checksum: true, tso4: true, tso6: true });
    expect(linkByName(name)?.tun).toEqual({
      type: 'tap',
      persistent: false,
      multiQueue: false,
      queues: 0,
    });
  });

  test('opens as many queues as asked', () => {
    const tap = open({ queues: 3 });
    expect(tap.multiQueue).toBe(true);
    expect(new Set(tap.fds).size).toBe(3);
    expect(linkByName(name)?.tun).toMatchObject({ multiQueue: true, queues: 3 });
  });

  test('opens descriptors that do not block and are not inherited', () => {
    for (const fd of open({ queues: 2 }).fds) {
      expect(libc.fcntl(fd, F_GETFL, 0) & O_NONBLOCK).toBe(O_NONBLOCK);
      expect(libc.fcntl(fd, F_GETFD, 0)).toBe(1);
    }
  });

  test('reports no offload when it is switched off', () => {
    expect(open({ offload: false }).offloads).toEqual({
      checksum: false,
      tso4: false,
      tso6: false,
      uso: false,
    });
  });

  test('the device goes when it is closed', () => {
    closeTap(openTap({ name, queues: 2, offload: true }));
    expect(linkByName(name)).toBeUndefined();
  });

  test('a frame read from it follows a header of 10 bytes', () => {
    const tap = open();
    setLink(linkByName(name)!.index, { up: true });
    ip('address', 'add', '198.51.100.1/24', 'dev', name);
    ip('neigh', 'add', '198.51.100.2', 'lladdr', '02:00:00:00:00:02', 'dev', name);
    const packet = Buffer.from('ping');
    const socket = libc.socket(2, 2, 0);
    try {
      const destination = Buffer.from('02001234c63364020000000000000000', 'hex');
      expect(libc.sendto(socket, packet, packet.length, 0, destination, 16)).toBe(packet.length);
    } finally {
      libc.close(socket);
    }
    const frame = readUntil(tap.fds[0]!, (bytes) => bytes.readUInt16BE(10 + 12) === 0x0800);
    expect(frame.subarray(10, 16).toString('hex')).toBe('020000000002');
    expect(frame.length).toBe(10 + 14 + 20 + 8 + 4);
    // The checksum is left to us: the flag, then csum_start 34 and csum_offset 6 in little-endian order.
    expect(frame[0]).toBe(1);
    expect([frame.readUInt16LE(6), frame.readUInt16LE(8)]).toEqual([34, 6]);
  });
});

describeIf(REQUIREMENT, 'openTap() of a device somebody made', () => {
  test('takes over one with the multi_queue flag, even for one queue', () => {
    ip('tuntap', 'add', name, 'mode', 'tap', 'multi_queue');
    const tap = open({ queues: 1 });
    expect(tap).toMatchObject({ multiQueue: true, created: false });
    closeTap(taps.pop()!);
    expect(open({ queues: 4 }).fds).toHaveLength(4);
  });

  test('takes over one without the flag, with a single queue', () => {
    ip('tuntap', 'add', name, 'mode', 'tap');
    const tap = open({ queues: 4 });
    expect(tap).toMatchObject({ multiQueue: false, created: false });
    expect(tap.fds).toHaveLength(1);
  });

  test('leaves it there when closing', () => {
    ip('tuntap', 'add', name, 'mode', 'tap');
    closeTap(openTap({ name, queues: 1, offload: true }));
    expect(linkByName(name)?.tun?.persistent).toBe(true);
  });

  test.each([true, false])('says that another program has it open (multi_queue %s)', (multi) => {
    ip('tuntap', 'add', name, 'mode', 'tap', ...(multi ? ['multi_queue'] : []));
    open();
    const error = failure();
    expect(error.code).toBe('ERR_TUN_DEVICE');
    expect(error.message).toMatch(/EBUSY, another program has it open$/u);
  });

  test('says what a device is that is not a TAP', () => {
    ip('tuntap', 'add', name, 'mode', 'tun');
    expect(failure().message).toBe(`Cannot use '${name}' as a TAP: it is a layer 3 tun device`);
    ip('link', 'del', name);
    ip('link', 'add', name, 'type', 'bridge');
    expect(failure().message).toBe(`Cannot use '${name}' as a TAP: it is a bridge device`);
    expect(failure({ name: 'lo' }).code).toBe('ERR_TUN_DEVICE');
  });

  test('leaves no descriptor open after a failure', () => {
    ip('tuntap', 'add', name, 'mode', 'tap');
    open();
    const before = openDescriptors();
    for (let i = 0; i < 5; i++) failure();
    expect(openDescriptors()).toBe(before);
  });
});

describeIf(REQUIREMENT, 'TAP queues', () => {
  test('are detached and attached again', () => {
    const tap = open({ queues: 2 });
    detachTapQueue(tap.fds[1]!);
    expect(() => detachTapQueue(tap.fds[1]!)).toThrow(/detach a TAP queue/u);
    attachTapQueue(tap.fds[1]!);
    expect(linkByName(name)?.tun?.queues).toBe(2);
  });
});

/** Reads frames that are there until one pleases; others (multicast of IPv6) may come before it. */
function readUntil(fd: number, wanted: (frame: Buffer) => boolean): Buffer {
  const buffer = Buffer.alloc(4096);
  const address = Number(addressOf(buffer));
  for (let i = 0; i < 100; i++) {
    const length = libc.read(fd, address, buffer.length);
    if (length < 0) throw new Error(`read: errno ${lastErrno()}`);
    if (wanted(buffer)) return buffer.subarray(0, length);
  }
  throw new Error('no such frame');
}
