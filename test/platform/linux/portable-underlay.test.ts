import { createSocket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PortableUnderlay, type PortablePool } from '../../../src/linux/portable-underlay.ts';
import { closeSocket, openReceiveSocket } from '../../../src/linux/udp-socket.ts';
import { ADDRESS_BYTES, DatagramBatch } from '../../../src/packet/datagram-batch.ts';
import { SEND_UNREACHABLE, SENT } from '../../../src/packet/transmit-plan.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { bytesOf } from '../../support/packets.ts';
import { sleep, waitFor } from '../../support/wait.ts';
import { Bench } from './underlay-fixture.ts';

const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const;
const CAPACITY = 4;

interface Received {
  readonly endpoint: number;
  readonly bytes: Uint8Array;
  readonly stride: number;
  readonly source: Uint8Array;
}

let bench: Bench;
let underlay: PortableUnderlay;
let received: Received[];
let calls: number;
let refused: number[];
const open = new Set<number>();
const fds: number[] = [];

beforeEach(() => {
  bench = new Bench(8);
  received = [];
  calls = 0;
  const slots = bench.memory.take(DatagramBatch.bytesFor(CAPACITY));
  const batch = new DatagramBatch(bench.arena, slots, CAPACITY);
  refused = [];
  const collect = (endpoint: number): void => {
    calls += 1;
    for (let index = 0; index < batch.count; index += 1) {
      const offset = batch.offsets[index]!;
      received.push({
        endpoint,
        bytes: bench.arena.bytes.slice(offset, offset + batch.lengths[index]!),
        stride: batch.strides[index]!,
        source: batch.sources.slice(index * ADDRESS_BYTES, (index + 1) * ADDRESS_BYTES),
      });
    }
  };
  underlay = new PortableUnderlay(batch, bench.remotes, 8, {
    received: collect,
    refused: (tunnel) => void refused.push(tunnel),
  });
});

afterEach(async () => {
  for (const id of open) closeEndpoint(id);
  open.clear();
  for (const fd of fds.splice(0)) closeSocket(fd);
  // What the event loop still holds of the batch must not outlive its memory.
  await sleep(20);
  bench.close();
});

/** A port that is free just now. */
function freePort(family: 4 | 6 = 4): number {
  const address = parseIp(LOOPBACK[family])!;
  const { fd, port } = openReceiveSocket({
    ...{ family, address, port: 0 },
    ...{ gro: false, reusePort: false },
  });
  closeSocket(fd);
  return port;
}

async function openEndpoint(
  id: number,
  family: 4 | 6,
  change: Partial<PortablePool & { port: number }> = {},
): Promise<number> {
  const port = change.port ?? freePort(family);
  const address = LOOPBACK[family];
  const sourcePorts = [49152, 65535] as const;
  open.add(id);
  const lanes = { firstLane: id * 4, lanes: 2 };
  await underlay.open(id, { family, address, port });
  await underlay.openPool(id, { family, address, sourcePorts, ttl: 0, ...lanes, ...change });
  underlay.listen(id);
  return port;
}

function closeEndpoint(id: number): void {
  underlay.close(id);
  underlay.closePool(id);
}

describe.each([4, 6] as const)('over IPv%d', (family) => {
  test('every datagram of a message arrives, with its sender', async () => {
    const port = await openEndpoint(0, family);
    const remote = bench.remote(LOOPBACK[family], port);
    const sent = [300, 300, 300, 20].map((length, index) => bytesOf(length, index));
    bench.fill([
      { remote, datagrams: sent },
      { remote, datagrams: [bytesOf(60)], lane: 1, tos: 2 },
    ]);
    underlay.send(bench.plan);
    expect(bench.results()).toEqual([SENT, SENT]);
    // The plan's memory is free at once: what was sent is what was there.
    bench.arena.bytes.fill(0, 0, 1 << 20);
    await waitFor(() => received.length >= 5, { what: 'five datagrams' });
    const source = parseIp(LOOPBACK[family])!;
    const bytes = received.map((one) => Buffer.from(one.bytes).toString('hex')).sort();
    const wanted = [...sent, bytesOf(60)].map((one) => Buffer.from(one).toString('hex')).sort();
    expect(bytes).toEqual(wanted);
    for (const one of received)
      expect([one.endpoint, one.stride, one.source]).toEqual([0, 0, source]);
    expect(refused).toEqual([]);
  });
});

describe('PortableUnderlay', () => {
  test('tells of datagrams that the kernel refused later, by tunnel', async () => {
    await openEndpoint(0, 4);
    // 240.0.0.0/4 is nobody's: there is no route to it.
    const remote = bench.remote('240.0.0.1', 4789);
    bench.fill([{ remote, datagrams: [bytesOf(60)] }]);
    underlay.send(bench.plan);
    await waitFor(() => refused.length > 0, { what: 'a refused datagram' });
    expect(refused).toEqual([0]);
  });

  test('hands over more than a batch in several', async () => {
    const port = await openEndpoint(0, 4);
    const remote = bench.remote('127.0.0.1', port);
    const sent = Array.from({ length: 11 }, (_, index) => bytesOf(50 + index, index));
    bench.fill(sent.map((datagram) => ({ remote, datagrams: [datagram] })));
    underlay.send(bench.plan);
    await waitFor(() => received.length === 11, { what: 'all datagrams' });
    expect(received.map(({ bytes }) => bytes)).toEqual(sent);
    expect(calls).toBeGreaterThanOrEqual(3);
  });

  test('never mixes the datagrams of two endpoints in one batch', async () => {
    const ports = [await openEndpoint(0, 4), await openEndpoint(1, 6)];
    const remotes = [bench.remote('127.0.0.1', ports[0]!), bench.remote('::1', ports[1]!)];
    bench.fill(
      [0, 1, 0, 1].map((id, index) => ({
        remote: remotes[id]!,
        datagrams: [bytesOf(50, index)],
        lane: id * 4,
      })),
    );
    underlay.send(bench.plan);
    await waitFor(() => received.length === 4, { what: 'all datagrams' });
    for (const { endpoint, source } of received)
      expect(source).toEqual(parseIp(endpoint === 0 ? '127.0.0.1' : '::1'));
    expect(received.filter(({ endpoint }) => endpoint === 0)).toHaveLength(2);
  });

  test('goes on after "port unreachable" of a dead remote', async () => {
    const port = await openEndpoint(0, 4);
    const dead = bench.remote('127.0.0.1', freePort());
    const healthy = bench.remote('127.0.0.1', port);
    for (let round = 0; round < 5; round += 1) {
      bench.fill([dead, healthy].map((remote) => ({ remote, datagrams: [bytesOf(50, round)] })));
      underlay.send(bench.plan);
      await waitFor(() => received.length === round + 1, { what: `datagram ${round}` });
    }
  });

  test('takes the next source port when one is in use, and says when there is none', async () => {
    const taken = createSocket('udp4');
    await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve));
    const { port } = taken.address();
    try {
      const sourcePorts = [port, port + 20] as const;
      const own = await openEndpoint(0, 4, { sourcePorts });
      const remote = bench.remote('127.0.0.1', own);
      bench.fill([{ remote, datagrams: [bytesOf(50)], lane: 1 }]);
      underlay.send(bench.plan);
      await waitFor(() => received.length === 1, { what: 'the datagram' });
      const none = openEndpoint(1, 4, { sourcePorts: [port, port] });
      await expect(none).rejects.toMatchObject({ code: 'EADDRINUSE' });
    } finally {
      taken.close();
    }
  });

  test('sends nothing on a lane that is not open or is closed again', async () => {
    const port = await openEndpoint(0, 4);
    const remote = bench.remote('127.0.0.1', port);
    bench.fill([{ remote, datagrams: [bytesOf(50)], lane: 7 }]);
    underlay.send(bench.plan);
    expect(bench.results()).toEqual([SEND_UNREACHABLE]);
    closeEndpoint(0);
    open.delete(0);
    bench.fill([{ remote, datagrams: [bytesOf(50)] }]);
    underlay.send(bench.plan);
    expect(bench.results()).toEqual([SEND_UNREACHABLE]);
    // The port is free again.
    await openEndpoint(0, 4, { port });
  });
});
