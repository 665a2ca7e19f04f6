import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { Epoll } from '../../../src/linux/epoll.ts';
import { mapArena } from '../../../src/linux/memory.ts';
import { closeTap, openTap } from '../../../src/linux/tap.ts';
import { closeSocket, openReceiveSocket } from '../../../src/linux/udp-socket.ts';
import { ArenaAllocator } from '../../../src/packet/arena.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { describeIf } from '../../support/requires.ts';
import { deleteLink, uniqueName } from './names.ts';
import { drainSocket } from './underlay-fixture.ts';

const WAIT_MS = 5000;
const fds: number[] = [];
const epolls: Epoll[] = [];

afterEach(() => {
  for (const epoll of epolls.splice(0)) epoll.close();
  for (const fd of fds.splice(0)) closeSocket(fd);
});

function epollOf(): Epoll {
  const epoll = new Epoll(new ArenaAllocator(mapArena(Epoll.bytesFor())));
  epolls.push(epoll);
  return epoll;
}

function socket(): { fd: number; port: number } {
  const address = parseIp('127.0.0.1')!;
  const made = openReceiveSocket({ family: 4, address, port: 0, gro: false, reusePort: false });
  fds.push(made.fd);
  return made;
}

async function send(port: number): Promise<void> {
  const sender = createSocket('udp4');
  await new Promise((resolve) => sender.send('datagram', port, '127.0.0.1', resolve));
  sender.close();
}

/** Tokens of what is ready within {@link WAIT_MS}, sorted. */
function ready(epoll: Epoll): number[] {
  const count = epoll.wait(WAIT_MS);
  return Array.from({ length: count }, (_, index) => epoll.token(index)).sort((a, b) => a - b);
}

describe('Epoll', () => {
  test('names what waits by its token, as long as it waits', async () => {
    const epoll = epollOf();
    const [first, second] = [socket(), socket()];
    epoll.add(first.fd, 7);
    epoll.add(second.fd, 0x7fff_ffff);
    expect(epoll.wait(0)).toBe(0);
    await send(second.port);
    expect(ready(epoll)).toEqual([0x7fff_ffff]);
    expect(epoll.hasFailed(0)).toBe(false);
    await send(first.port);
    expect(ready(epoll)).toEqual([7, 0x7fff_ffff]);
    drainSocket(second.fd);
    expect(ready(epoll)).toEqual([7]);
    drainSocket(first.fd);
    expect(epoll.wait(0)).toBe(0);
  });

  test('forgets what was removed', async () => {
    const epoll = epollOf();
    const { fd, port } = socket();
    epoll.add(fd, 1);
    await send(port);
    expect(ready(epoll)).toEqual([1]);
    epoll.remove(fd);
    expect(epoll.wait(0)).toBe(0);
  });

  test('says which descriptor it cannot take', () => {
    const epoll = epollOf();
    const { fd } = socket();
    epoll.add(fd, 1);
    expect(() => epoll.add(fd, 1)).toThrow(new RegExp(`epoll_ctl descriptor ${fd}: .*EEXIST`));
  });

  test('is readable itself while something is ready', async () => {
    const outer = epollOf();
    const inner = epollOf();
    const { fd, port } = socket();
    inner.add(fd, 1);
    outer.add(inner.fd, 2);
    expect(outer.wait(0)).toBe(0);
    await send(port);
    expect(ready(outer)).toEqual([2]);
  });
});

describeIf({ root: true, tun: true, commands: ['ip'] }, 'a TAP whose device is gone', () => {
  test('is told as failed', () => {
    const epoll = epollOf();
    const name = uniqueName();
    const tap = openTap({ name, queues: 1, offload: true });
    epoll.add(tap.fds[0]!, 3);
    deleteLink(name);
    expect(ready(epoll)).toEqual([3]);
    expect(epoll.hasFailed(0)).toBe(true);
    closeTap(tap);
  });
});
