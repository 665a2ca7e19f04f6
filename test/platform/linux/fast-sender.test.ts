import koffi from 'koffi';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EAGAIN, EACCES, EHOSTUNREACH, EIO, ENOBUFS, EPERM } from '../../../src/linux/errno.ts';
import { FastSender } from '../../../src/linux/fast-sender.ts';
import { libc } from '../../../src/linux/libc.ts';
import { linkByName, setLink } from '../../../src/linux/netlink-link.ts';
import { closeTap, openTap } from '../../../src/linux/tap.ts';
import { MSG_ERRQUEUE } from '../../../src/linux/uapi.ts';
import {
  closeSocket,
  openReceiveSocket,
  openTransmitSocket,
} from '../../../src/linux/udp-socket.ts';
import {
  SEND_FAILED,
  SEND_FULL,
  SEND_TOO_BIG,
  SEND_UNREACHABLE,
  SENT,
} from '../../../src/packet/transmit-plan.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { bytesOf } from '../../support/packets.ts';
import { describeIf } from '../../support/requires.ts';
import { waitFor } from '../../support/wait.ts';
import { deleteLink, ip, uniqueName } from './names.ts';
import { Bench, drainSocket } from './underlay-fixture.ts';

const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const;

let bench: Bench;
let sender: FastSender;
const fds: number[] = [];

beforeEach(() => {
  bench = new Bench();
  sender = new FastSender(bench.memory, bench.remotes, 2);
});

afterEach(() => {
  vi.restoreAllMocks();
  for (const fd of fds.splice(0)) closeSocket(fd);
  bench.close();
});

function receiver(family: 4 | 6 = 4): { fd: number; port: number } {
  const address = parseIp(LOOPBACK[family])!;
  const socket = openReceiveSocket({ family, address, port: 0, gro: false, reusePort: false });
  fds.push(socket.fd);
  return socket;
}

function lane(index = 0, family: 4 | 6 = 4, local: string = LOOPBACK[family]): number {
  const address = parseIp(local)!;
  const { fd } = openTransmitSocket({ family, address, ports: [49152, 65535] });
  fds.push(fd);
  sender.setLane(index, fd, family);
  return fd;
}

/** A port of the loopback that nobody listens on. */
function deadPort(): number {
  const { port } = receiver();
  closeSocket(fds.pop()!);
  return port;
}

function datagrams(count: number, length: number, last = length): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    bytesOf(index === count - 1 ? last : length, index + length),
  );
}

async function arrived(fd: number, count: number): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  await waitFor(() => all.push(...drainSocket(fd)) >= count, { what: `${count} datagrams` });
  return all;
}

/** The first `times` calls of sendmmsg fail with `errno`; the rest is real. */
function failing(errno: number, times: number) {
  const real = libc.sendmmsg;
  let left = times;
  return vi.spyOn(libc, 'sendmmsg').mockImplementation((...call) => {
    if (left === 0) return real(...call);
    left -= 1;
    koffi.errno(errno);
    return -1;
  });
}

describe.each([4, 6] as const)('over IPv%d', (family) => {
  test('a message with segments arrives as datagrams, the last one shorter', async () => {
    const { fd, port } = receiver(family);
    lane(0, family);
    const sent = datagrams(40, 1300, 33);
    bench.fill([{ remote: bench.remote(LOOPBACK[family], port), datagrams: sent, tos: 2 }]);
    expect(bench.plan.count).toBe(1);
    sender.send(bench.plan);
    expect(bench.results()).toEqual([SENT]);
    expect(await arrived(fd, 40)).toEqual(sent);
  });

  test('messages of several remotes and lanes arrive in order per lane', async () => {
    const [one, other] = [receiver(family), receiver(family)];
    lane(0, family);
    lane(1, family);
    const remotes = [one, other].map(({ port }) => bench.remote(LOOPBACK[family], port));
    const single = datagrams(150, 90);
    bench.fill(
      single.map((datagram, index) => ({
        remote: remotes[index % 2]!,
        datagrams: [datagram],
        lane: Math.floor(index / 2) % 2,
      })),
    );
    expect(bench.plan.count).toBe(150);
    sender.send(bench.plan);
    expect(bench.results()).toEqual(new Array(150).fill(SENT));
    const wanted = (parity: number, ofLane: number): Uint8Array[] =>
      single.filter((_, index) => index % 2 === parity && Math.floor(index / 2) % 2 === ofLane);
    expect(await arrived(one.fd, 75)).toEqual([...wanted(0, 0), ...wanted(0, 1)]);
    expect(await arrived(other.fd, 75)).toEqual([...wanted(1, 0), ...wanted(1, 1)]);
  });
});

describe('a dead remote', () => {
  test('whose host says "port unreachable" harms no other', async () => {
    const { fd, port } = receiver();
    lane();
    const dead = bench.remote('127.0.0.1', deadPort());
    const healthy = bench.remote('127.0.0.1', port);
    const sent = datagrams(60, 200);
    // The error of each datagram to the dead one fails the next send on the socket.
    const messages = sent.flatMap((datagram) => [
      { remote: dead, datagrams: [bytesOf(20)] },
      { remote: healthy, datagrams: [datagram] },
    ]);
    bench.fill(messages);
    sender.send(bench.plan);
    expect(bench.results().filter((_, index) => index % 2 === 1)).toEqual(new Array(60).fill(SENT));
    bench.fill(messages.slice(1));
    sender.send(bench.plan);
    expect(bench.results().filter((_, index) => index % 2 === 0)).toEqual(new Array(60).fill(SENT));
    expect(await arrived(fd, 120)).toEqual([...sent, ...sent]);
  });

  test('leaves an error queue that is drained', () => {
    const fd = lane();
    const dead = bench.remote('127.0.0.1', deadPort());
    bench.fill([{ remote: dead, datagrams: [bytesOf(20)] }]);
    sender.send(bench.plan);
    sender.drainErrors();
    expect(libc.recv(fd, new Uint8Array(100), 100, MSG_ERRQUEUE)).toBe(-1);
  });

  test('without a route is unreachable, and sending goes on behind it', async () => {
    const { fd, port } = receiver();
    lane();
    // From a loopback address nothing leaves the machine.
    const far = bench.remote('198.51.100.1', 4789);
    const near = bench.remote('127.0.0.1', port);
    bench.fill([far, near, far, near].map((remote) => ({ remote, datagrams: [bytesOf(50)] })));
    sender.send(bench.plan);
    const [first, second, third, fourth] = bench.results();
    expect([second, fourth]).toEqual([SENT, SENT]);
    expect([first, third]).not.toContain(SENT);
    expect(await arrived(fd, 2)).toHaveLength(2);
  });
});

describe('an error', () => {
  test('EMSGSIZE concerns its message only', async () => {
    const { fd, port } = receiver();
    lane();
    const remote = bench.remote('127.0.0.1', port);
    bench.fill([
      { remote, datagrams: [bytesOf(100)] },
      { remote, datagrams: [bytesOf(65_540)] },
      { remote, datagrams: [bytesOf(90)] },
    ]);
    sender.send(bench.plan);
    expect(bench.results()).toEqual([SENT, SEND_TOO_BIG, SENT]);
    expect((await arrived(fd, 2)).map(({ length }) => length)).toEqual([100, 90]);
  });

  test('EIO switches segmentation off for the socket, and the message arrives without', async () => {
    const { fd, port } = receiver();
    lane();
    const remote = bench.remote('127.0.0.1', port);
    const sent = datagrams(5, 300, 20);
    bench.fill([{ remote, datagrams: sent, tos: 2 }]);
    const spy = failing(EIO, 2);
    sender.send(bench.plan);
    expect(bench.results()).toEqual([SENT]);
    expect([bench.plan.laneSegments[0], bench.plan.laneSegments[1]]).toEqual([1, 64]);
    expect(bench.plan.segmentationFailures).toBe(1);
    expect(spy.mock.calls.length).toBeLessThan(4);
    expect(await arrived(fd, 5)).toEqual(sent);
    bench.fill([{ remote, datagrams: sent }]);
    expect(bench.plan.count).toBe(5);
  });

  test('EIO without segments is a failure like any other', () => {
    lane();
    bench.fill([{ remote: bench.remote('127.0.0.1', 9), datagrams: [bytesOf(50)] }]);
    failing(EIO, 9);
    sender.send(bench.plan);
    expect(bench.results()).toEqual([SEND_FAILED]);
    expect([bench.plan.laneSegments[0], bench.plan.segmentationFailures]).toEqual([64, 0]);
  });

  test.each([
    ['a firewall', EPERM, SEND_FAILED],
    ['a full queue', ENOBUFS, SEND_FULL],
    ['an administrator far away', EACCES, SEND_FAILED],
    ['a host that is down', EHOSTUNREACH, SEND_UNREACHABLE],
  ])('of %s that stays concerns its message, one that goes nothing', async (_, errno, result) => {
    const { fd, port } = receiver();
    lane();
    const remote = bench.remote('127.0.0.1', port);
    const messages = [60, 50].map((length) => ({ remote, datagrams: [bytesOf(length)] }));
    // Joined they would be one message: the second is of another size and TOS.
    bench.fill([messages[0]!, { ...messages[1]!, tos: 1 }]);
    failing(errno, errno === ENOBUFS ? 1 : 2);
    sender.send(bench.plan);
    expect(bench.results()).toEqual([result, SENT]);
    expect(await arrived(fd, 1)).toEqual([bytesOf(50)]);
    if (errno === ENOBUFS) return;
    vi.restoreAllMocks();
    failing(errno, 1);
    sender.send(bench.plan);
    expect(bench.results()).toEqual([result, SENT]);
    expect(await arrived(fd, 2)).toEqual([bytesOf(60), bytesOf(50)]);
  });

  test('EAGAIN is waited for once, then what is left is refused', () => {
    lane();
    const remote = bench.remote('127.0.0.1', 9);
    bench.fill([1, 2, 3].map((tos) => ({ remote, datagrams: [bytesOf(50)], tos })));
    const spy = failing(EAGAIN, 9);
    sender.send(bench.plan);
    expect(bench.results()).toEqual([SEND_FULL, SEND_FULL, SEND_FULL]);
    expect(spy).toHaveBeenCalledTimes(2);
  });

  test('of a lane without a socket is a failure', () => {
    const { port } = receiver();
    lane();
    sender.clearLane(0);
    const remote = bench.remote('127.0.0.1', port);
    bench.fill([{ remote, datagrams: [bytesOf(50)] }]);
    sender.send(bench.plan);
    expect(bench.results()).toEqual([SEND_FAILED]);
  });
});

describeIf({ root: true, tun: true, commands: ['ip'] }, 'segments larger than the path', () => {
  test('are too big, whether merged or not, and segmentation stays on', () => {
    const name = uniqueName();
    const tap = openTap({ name, queues: 1, offload: true });
    try {
      setLink(linkByName(name)!.index, { up: true });
      ip('address', 'add', '198.51.100.1/24', 'dev', name);
      ip('neigh', 'add', '198.51.100.2', 'lladdr', '02:00:00:00:00:02', 'dev', name);
      lane(0, 4, '198.51.100.1');
      const remote = bench.remote('198.51.100.2', 4789);
      const sent = [1472, 1473].map((length) => ({ remote, datagrams: datagrams(3, length) }));
      bench.fill([sent[0]!, { ...sent[1]!, tos: 1 }, { ...sent[0]!, tos: 2 }]);
      expect(bench.plan.count).toBe(3);
      sender.send(bench.plan);
      expect(bench.results()).toEqual([SENT, SEND_TOO_BIG, SENT]);
      expect([...bench.plan.pathMtu.subarray(0, 3)]).toEqual([0, 1500, 0]);
      bench.fill([{ remote, datagrams: [bytesOf(1473)] }]);
      sender.send(bench.plan);
      expect(bench.results()).toEqual([SEND_TOO_BIG]);
      expect(bench.plan.pathMtu[0]).toBe(1500);
      expect(bench.plan.laneSegments[0]).toBe(64);
    } finally {
      closeTap(tap);
      deleteLink(name);
    }
  });
});
