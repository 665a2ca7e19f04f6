import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { watchReadable, type Watch } from '../../../src/linux/poll.ts';
import { closeTap, openTap } from '../../../src/linux/tap.ts';
import { closeSocket, openReceiveSocket } from '../../../src/linux/udp-socket.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { describeIf } from '../../support/requires.ts';
import { sleep, waitFor } from '../../support/wait.ts';
import { deleteLink, uniqueName } from './names.ts';
import { drainSocket } from './underlay-fixture.ts';

const watches: Watch[] = [];
const fds: number[] = [];

afterEach(() => {
  for (const watch of watches.splice(0)) watch.close();
  for (const fd of fds.splice(0)) closeSocket(fd);
});

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

describe('watchReadable()', () => {
  test('calls as long as something waits, and again when more comes', async () => {
    const { fd, port } = socket();
    let calls = 0;
    let received = 0;
    const watch = watchReadable(
      fd,
      () => {
        calls += 1;
        // Level-triggered: what is left alone twice is told a third time.
        if (calls % 3 === 0) received += drainSocket(fd).length;
      },
      () => expect.fail('an error'),
    );
    watches.push(watch);
    expect(calls).toBe(0);
    await send(port);
    await waitFor(() => received === 1, { what: 'the first datagram' });
    expect(calls).toBe(3);
    await send(port);
    await waitFor(() => received === 2, { what: 'the second datagram' });
    expect(calls).toBe(6);
  });

  test('is silent once closed', async () => {
    const { fd, port } = socket();
    let calls = 0;
    const watch = watchReadable(
      fd,
      () => {
        calls += 1;
        drainSocket(fd);
      },
      () => {},
    );
    await send(port);
    await waitFor(() => calls > 0, { what: 'the call' });
    const before = calls;
    watch.close();
    await send(port);
    await sleep(50);
    expect(calls).toBe(before);
    expect(drainSocket(fd)).toHaveLength(1);
  });

  test('follows several descriptors', async () => {
    const seen = new Set<number>();
    const both = [socket(), socket()];
    for (const { fd } of both) {
      const onReadable = (): void => {
        seen.add(fd);
        drainSocket(fd);
      };
      watches.push(watchReadable(fd, onReadable, () => {}));
    }
    for (const { port } of both) await send(port);
    await waitFor(() => seen.size === 2, { what: 'both calls' });
  });
});

describeIf({ root: true, tun: true, commands: ['ip'] }, 'a descriptor whose device is gone', () => {
  test('is told as an error or as readable, so that the reader finds out', async () => {
    const name = uniqueName();
    const tap = openTap({ name, queues: 1, offload: true });
    let told = 0;
    const watch = watchReadable(
      tap.fds[0]!,
      () => {
        told += 1;
        watch.close();
      },
      () => {
        told += 1;
        watch.close();
      },
    );
    deleteLink(name);
    await waitFor(() => told > 0, { what: 'the end of the device' });
    closeTap(tap);
  });
});
