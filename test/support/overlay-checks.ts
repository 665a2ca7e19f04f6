/** What must hold between any two hosts of one overlay segment; each check throws with what it saw. */
import { randomBytes } from 'node:crypto';

import { expect } from 'vitest';

import { type Agent, base64, sha256, type ReceivedDatagram } from './agent.ts';
import type { Host } from './host.ts';

/** A host with its addresses inside the overlay. */
export interface OverlayEnd {
  readonly host: Host;
  readonly agent: Agent;
  readonly ip4: string;
  readonly ip6: string;
}

export interface CheckOptions {
  /** Of each TCP transfer. Default 4 MiB. */
  readonly tcpBytes?: number;
  /** Of the overlay's devices, for datagrams at its edge. Default 1450. */
  readonly mtu?: number;
}

interface Direction {
  readonly from: OverlayEnd;
  readonly to: OverlayEnd;
  /** Of `to`. */
  readonly address: string;
  readonly family: 4 | 6;
}

const PINGS = 3;
/** The largest that fits an IP packet, rounded down: 46 fragments of an ordinary MTU. */
const LARGE_PING_BYTES = 65_000;
const TIMEOUT_MS = 20_000;
const SEGMENTED_BYTES = 24_000;
const SEGMENT_BYTES = 1_200;

/** All checks, both directions, IPv4 and IPv6. */
export async function checkOverlay(
  a: OverlayEnd,
  b: OverlayEnd,
  options: CheckOptions = {},
): Promise<void> {
  await checkPings(a, b);
  await checkLargePings(a, b);
  await checkTcp(a, b, options);
  await checkUdp(a, b, options);
  await checkSegmentedUdp(a, b);
}

/** Every ping is answered. */
export async function checkPings(a: OverlayEnd, b: OverlayEnd): Promise<void> {
  await Promise.all(directions(a, b).map((direction) => ping(direction, 56)));
}

/** Every ping of 64 KiB is answered: one after another, for all at once overflow a small socket buffer. */
export async function checkLargePings(a: OverlayEnd, b: OverlayEnd): Promise<void> {
  for (const direction of directions(a, b)) await ping(direction, LARGE_PING_BYTES);
}

/** Random bytes arrive as they were sent, one transfer each way and family, all at once. */
export async function checkTcp(
  a: OverlayEnd,
  b: OverlayEnd,
  options: CheckOptions = {},
): Promise<void> {
  const bytes = options.tcpBytes ?? 4 << 20;
  await Promise.all(directions(a, b).map((direction) => transfer(direction, bytes)));
}

/** Datagrams of many sizes, most larger than the MTU, arrive once each as they were sent. */
export async function checkUdp(
  a: OverlayEnd,
  b: OverlayEnd,
  options: CheckOptions = {},
): Promise<void> {
  const mtu = options.mtu ?? 1450;
  for (const direction of directions(a, b)) {
    const largestWhole = mtu - (direction.family === 4 ? 28 : 48);
    const sizes = [0, 1, 18, 19, 512, largestWhole, largestWhole + 1, 4_000, 20_001, 65_000];
    const payloads = sizes.map((size) => randomBytes(size));
    const { address, from } = direction;
    const received = await receivedDatagrams(direction, payloads.length, (port) =>
      from.agent.sendUdp({ address, port }, payloads),
    );
    expect(summary(received), name(direction, 'UDP')).toEqual(payloads.map(describe).sort());
  }
}

/** What an application hands over in one call with UDP_SEGMENT arrives in its pieces. */
export async function checkSegmentedUdp(a: OverlayEnd, b: OverlayEnd): Promise<void> {
  for (const direction of directions(a, b)) {
    const payload = randomBytes(SEGMENTED_BYTES);
    const pieces = SEGMENTED_BYTES / SEGMENT_BYTES;
    const expected = Array.from({ length: pieces }, (_, index) =>
      describe(payload.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES)),
    );
    const { address, from } = direction;
    const received = await receivedDatagrams(direction, pieces, async (port) => {
      const request = { address, port, payload: base64(payload), segmentBytes: SEGMENT_BYTES };
      await from.agent.call('udpSendSegmented', request);
    });
    expect(summary(received), name(direction, 'segmented UDP')).toEqual(expected.sort());
  }
}

function directions(a: OverlayEnd, b: OverlayEnd): Direction[] {
  return [
    { from: a, to: b, address: b.ip4, family: 4 },
    { from: b, to: a, address: a.ip4, family: 4 },
    { from: a, to: b, address: b.ip6, family: 6 },
    { from: b, to: a, address: a.ip6, family: 6 },
  ];
}

async function ping(direction: Direction, bytes: number): Promise<void> {
  const words = ['-n', '-c', String(PINGS), '-i', '0.05', '-W', '3', '-s', String(bytes)];
  const child = direction.from.host.spawn('ping', ...words, direction.address);
  await child.wait();
  const received = /(\d+) (?:packets )?received/.exec(child.stdout())?.[1];
  expect(Number(received), `${name(direction, `ping -s ${bytes}`)}\n${child.output()}`).toBe(PINGS);
}

async function transfer(direction: Direction, bytes: number): Promise<void> {
  const { from, to, address } = direction;
  const { sink, port } = await to.agent.call('tcpSink', { address });
  const [sent, received] = await Promise.all([
    from.agent.call('tcpSource', { address, port, bytes, timeoutMs: TIMEOUT_MS }),
    to.agent.call('tcpResult', { sink, timeoutMs: TIMEOUT_MS }),
  ]);
  expect(received, name(direction, 'TCP')).toEqual(sent);
  expect(received.bytes).toBe(bytes);
}

async function receivedDatagrams(
  { to, address }: Direction,
  count: number,
  send: (port: number) => Promise<void>,
): Promise<ReceivedDatagram[]> {
  const { sink, port } = await to.agent.call('udpSink', { address, port: 0 });
  await send(port);
  return to.agent.call('udpTake', { sink, count, timeoutMs: 3_000 });
}

/** Fragments and whole datagrams of one flow may take different ways: the order is not compared. */
function summary(received: readonly ReceivedDatagram[]): string[] {
  return received.map(({ payload }) => describe(Buffer.from(payload, 'base64'))).sort();
}

function describe(payload: Uint8Array): string {
  return `${payload.length} bytes ${sha256(payload).slice(0, 16)}`;
}

function name({ from, to, address }: Direction, what: string): string {
  return `${what} from ${from.host.name} to ${to.host.name} at ${address}`;
}
