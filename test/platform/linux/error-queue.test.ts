import { afterEach, beforeEach, expect, test } from 'vitest';
import { ErrorQueue } from '../../../src/linux/error-queue.ts';
import { libc } from '../../../src/linux/libc.ts';
import { mapArena, unmapArena } from '../../../src/linux/memory.ts';
import { linkByName, setLink } from '../../../src/linux/netlink-link.ts';
import { SOCKADDR_LENGTH_MAX, writeSockaddr } from '../../../src/linux/sockaddr.ts';
import { closeTap, openTap, type Tap } from '../../../src/linux/tap.ts';
import { closeSocket, openTransmitSocket } from '../../../src/linux/udp-socket.ts';
import { type Arena, ArenaAllocator } from '../../../src/packet/arena.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { describeIf } from '../../support/requires.ts';
import { deleteLink, ip, uniqueName } from './names.ts';

const ENDS = {
  4: { own: '198.51.100.1', prefix: 24, other: '198.51.100.2', room: 1500 - 28 },
  6: { own: '2001:db8:7::1', prefix: 64, other: '2001:db8:7::2', room: 1500 - 48 },
} as const;

describeIf({ root: true, tun: true, commands: ['ip'] }, 'ErrorQueue', () => {
  let arena: Arena;
  let queue: ErrorQueue;
  let name: string;
  let tap: Tap;

  beforeEach(() => {
    arena = mapArena(4096);
    queue = new ErrorQueue(new ArenaAllocator(arena));
    name = uniqueName();
    tap = openTap({ name, queues: 1, offload: true });
    setLink(linkByName(name)!.index, { up: true });
  });
  afterEach(() => {
    closeTap(tap);
    deleteLink(name);
    unmapArena(arena);
  });

  test.each([4, 6] as const)('names the MTU that refused a datagram over IPv%d', (family) => {
    const { own, prefix, other, room } = ENDS[family];
    const nodad = family === 6 ? ['nodad'] : [];
    ip('address', 'add', `${own}/${prefix}`, 'dev', name, ...nodad);
    ip('neigh', 'add', other, 'lladdr', '02:00:00:00:00:02', 'dev', name);
    const { fd } = openTransmitSocket({ family, address: parseIp(own)!, ports: [49152, 65535] });
    try {
      expect(queue.drain(fd)).toBe(0);
      expect(send(fd, family, other, room)).toBe(room);
      expect(queue.drain(fd)).toBe(0);
      expect(send(fd, family, other, room + 1)).toBe(-1);
      expect(queue.drain(fd)).toBe(1500);
      expect(queue.drain(fd)).toBe(0);
      expect(send(fd, family, other, room + 1)).toBe(-1);
      ip('link', 'set', name, 'mtu', '1400');
      expect(send(fd, family, other, room + 1)).toBe(-1);
      expect(queue.drain(fd), 'the newest counts').toBe(1400);
    } finally {
      closeSocket(fd);
    }
  });

  test('says nothing of other errors', () => {
    const address = parseIp('127.0.0.1')!;
    const { fd } = openTransmitSocket({ family: 4, address, ports: [49152, 65535] });
    try {
      send(fd, 4, '127.0.0.1', 10, 1);
      expect(send(fd, 4, '127.0.0.1', 10, 1), 'refused by the port before').toBe(-1);
      send(fd, 4, '127.0.0.1', 10, 1);
      expect(queue.drain(fd)).toBe(0);
    } finally {
      closeSocket(fd);
    }
  });
});

function send(fd: number, family: 4 | 6, to: string, bytes: number, port = 4789): number {
  const address = new Uint8Array(SOCKADDR_LENGTH_MAX);
  const view = new DataView(address.buffer);
  const length = writeSockaddr(view, 0, family, parseIp(to)!, 0, port, 0);
  return libc.sendto(fd, new Uint8Array(bytes), bytes, 0, address, length);
}
