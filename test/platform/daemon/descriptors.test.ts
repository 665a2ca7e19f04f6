import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { Descriptors, NO_FD } from '../../../src/daemon/descriptors.ts';
import { Epoll } from '../../../src/linux/epoll.ts';
import { mapArena } from '../../../src/linux/memory.ts';
import { closeSocket, openReceiveSocket } from '../../../src/linux/udp-socket.ts';
import { ArenaAllocator } from '../../../src/packet/arena.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { waitFor } from '../../support/wait.ts';

const TUNNELS = 4;
const ENDPOINTS = 2;
const fds: number[] = [];
const made: Descriptors[] = [];

afterEach(() => {
  for (const descriptors of made.splice(0)) descriptors.close();
  for (const fd of fds.splice(0)) closeSocket(fd);
});

function create(): Descriptors {
  const memory = new ArenaAllocator(mapArena(Epoll.bytesFor()));
  const descriptors = new Descriptors(memory, TUNNELS, ENDPOINTS);
  made.push(descriptors);
  return descriptors;
}

/** A socket with a datagram in it. */
async function waiting(): Promise<number> {
  const address = parseIp('127.0.0.1')!;
  const options = { family: 4, address, port: 0, gro: false, reusePort: false } as const;
  const { fd, port } = openReceiveSocket(options);
  fds.push(fd);
  const sender = createSocket('udp4');
  await new Promise((resolve) => sender.send('datagram', port, '127.0.0.1', resolve));
  sender.close();
  return fd;
}

describe('Descriptors', () => {
  test('tells a tunnel whose queue waits from an endpoint whose socket does', async () => {
    const descriptors = create();
    const queue = await waiting();
    descriptors.addQueue(3, queue);
    await waitFor(() => descriptors.ready() === 1, { what: 'the queue' });
    expect(descriptors.tunnelOf(0)).toBe(3);
    descriptors.removeQueue(3);
    const socket = await waiting();
    descriptors.addSocket(1, socket);
    await waitFor(() => descriptors.next() === 1, { what: 'the socket' });
    expect(descriptors.tunnelOf(0)).toBe(-1);
    expect(descriptors.endpointOf(0)).toBe(1);
    expect(descriptors.hasFailed(0)).toBe(false);
    expect([descriptors.queue(3), descriptors.socket(1)]).toEqual([NO_FD, socket]);
  });

  test('reports a pause', () => {
    expect(create().next()).toBe(0);
  });

  test('removes what is not there without complaint', async () => {
    const descriptors = create();
    descriptors.addSocket(0, await waiting());
    descriptors.removeQueue(0);
    descriptors.removeSocket(1);
    descriptors.removeSocket(0);
    descriptors.removeSocket(0);
    expect(descriptors.ready()).toBe(0);
  });
});
