import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EBADF } from '../../../src/linux/errno.ts';
import { FastReceiver } from '../../../src/linux/fast-receiver.ts';
import { FastSender } from '../../../src/linux/fast-sender.ts';
import { setOption } from '../../../src/linux/socket-option.ts';
import { SO_RCVBUF, SOL_SOCKET } from '../../../src/linux/uapi.ts';
import {
  closeSocket,
  openReceiveSocket,
  openTransmitSocket,
} from '../../../src/linux/udp-socket.ts';
import { ADDRESS_BYTES, DatagramBatch } from '../../../src/packet/datagram-batch.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { bytesOf, concat } from '../../support/packets.ts';
import { waitFor } from '../../support/wait.ts';
import { Bench } from './underlay-fixture.ts';

const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const;
const CAPACITY = 8;

interface Received {
  readonly bytes: Uint8Array;
  readonly stride: number;
  readonly tos: number;
  readonly source: Uint8Array;
}

let bench: Bench;
let batch: DatagramBatch;
let receiver: FastReceiver;
let sender: FastSender;
const fds: number[] = [];

beforeEach(() => {
  bench = new Bench();
  const slots = bench.memory.take(DatagramBatch.bytesFor(CAPACITY));
  batch = new DatagramBatch(bench.arena, slots, CAPACITY);
  receiver = new FastReceiver(bench.memory, batch);
  sender = new FastSender(bench.memory, bench.remotes, 2);
});

afterEach(() => {
  for (const fd of fds.splice(0)) closeSocket(fd);
  bench.close();
});

/** A receive socket and a lane that sends to it; returns its descriptor and the remote's row. */
function open(family: 4 | 6, gro: boolean): { fd: number; remote: number } {
  const address = parseIp(LOOPBACK[family])!;
  const { fd, port } = openReceiveSocket({ family, address, port: 0, gro, reusePort: false });
  const out = openTransmitSocket({ family, address, ports: [49152, 65535] });
  fds.push(fd, out.fd);
  sender.setLane(0, out.fd, family);
  return { fd, remote: bench.remote(LOOPBACK[family], port) };
}

/** What one call of receive() finds, waiting for the first datagram. */
async function next(fd: number): Promise<Received[]> {
  await waitFor(() => receiver.receive(fd) > 0, { what: 'a datagram' });
  return Array.from({ length: batch.count }, (_, index) => {
    const offset = batch.offsets[index]!;
    return {
      bytes: bench.arena.bytes.slice(offset, offset + batch.lengths[index]!),
      stride: batch.strides[index]!,
      tos: batch.tos[index]!,
      source: batch.sources.slice(index * ADDRESS_BYTES, (index + 1) * ADDRESS_BYTES),
    };
  });
}

describe.each([4, 6] as const)('receive() over IPv%d', (family) => {
  const source = parseIp(LOOPBACK[family])!;

  test('finds nothing where nothing waits, and that is no error', () => {
    const { fd } = open(family, true);
    expect([receiver.receive(fd), receiver.errno, batch.count]).toEqual([0, 0, 0]);
  });

  test('finds datagrams with their TOS and their sender, again and again', async () => {
    const { fd, remote } = open(family, false);
    for (const round of [1, 2, 3]) {
      const sent = [60, 1200, 1].map((length) => bytesOf(length, round));
      bench.fill(sent.map((datagram, index) => ({ remote, datagrams: [datagram], tos: index })));
      sender.send(bench.plan);
      expect(await next(fd)).toEqual(sent.map((bytes, tos) => ({ bytes, stride: 0, tos, source })));
    }
  });

  test('tells how many datagrams found no room in the socket', async () => {
    const { fd, remote } = open(family, false);
    setOption(fd, SOL_SOCKET, SO_RCVBUF, 4096);
    const lost = (): boolean => {
      bench.fill([{ remote, datagrams: [bytesOf(1000)] }]);
      for (let round = 0; round < 50; round += 1) sender.send(bench.plan);
      return receiver.receive(fd) > 0 && receiver.overflow > 0;
    };
    await waitFor(lost, { what: 'a datagram that tells of lost ones' });
  });

  test('finds what the kernel merged, with its stride', async () => {
    const { fd, remote } = open(family, true);
    const sent = [300, 300, 300, 7].map((length, index) => bytesOf(length, index));
    bench.fill([{ remote, datagrams: sent, tos: 2 }]);
    sender.send(bench.plan);
    expect(await next(fd)).toEqual([{ bytes: concat(...sent), stride: 300, tos: 2, source }]);
    // No stride of the one before is left behind.
    bench.fill([{ remote, datagrams: [bytesOf(20)] }]);
    sender.send(bench.plan);
    expect(await next(fd)).toEqual([{ bytes: bytesOf(20), stride: 0, tos: 0, source }]);
  });

  test('takes the largest merged datagram whole', async () => {
    const { fd, remote } = open(family, true);
    // With all its headers it must stay below the loopback's gso_max_size of 64 KiB.
    const sent = Array.from({ length: 53 }, (_, index) => bytesOf(1213, index));
    bench.fill([{ remote, datagrams: [...sent, bytesOf(5)] }]);
    expect([bench.plan.count, bench.plan.bytes[0]]).toEqual([1, 64_294]);
    sender.send(bench.plan);
    const [received] = await next(fd);
    expect(received!.bytes.length).toBe(64_294);
    expect(Buffer.from(received!.bytes).equals(concat(...sent, bytesOf(5)))).toBe(true);
  });

  test('leaves what does not fit for the next call', async () => {
    const { fd, remote } = open(family, false);
    const sent = Array.from({ length: CAPACITY + 3 }, (_, index) => bytesOf(50, index));
    bench.fill(sent.map((datagram, tos) => ({ remote, datagrams: [datagram], tos })));
    sender.send(bench.plan);
    const first = await next(fd);
    expect(receiver.drained).toBe(false);
    const second = await next(fd);
    expect(receiver.drained).toBe(true);
    expect([first.length, second.length]).toEqual([CAPACITY, 3]);
    expect([...first, ...second].map(({ bytes }) => bytes)).toEqual(sent);
  });
});

test('receive() says what is wrong with a socket, once', () => {
  const { fd } = open(4, true);
  expect([receiver.receive(9999), receiver.errno, batch.count]).toEqual([0, EBADF, 0]);
  expect([receiver.receive(fd), receiver.errno]).toEqual([0, 0]);
});

test('one batch serves sockets of both families', async () => {
  const six = open(6, true);
  bench.fill([{ remote: six.remote, datagrams: [bytesOf(40)] }]);
  sender.send(bench.plan);
  const [from6] = await next(six.fd);
  const four = open(4, true);
  bench.fill([{ remote: four.remote, datagrams: [bytesOf(40)] }]);
  sender.send(bench.plan);
  const [from4] = await next(four.fd);
  expect([from6!.source, from4!.source]).toEqual([parseIp('::1'), parseIp('127.0.0.1')]);
});
