/**
 * Sends frames out of an interface at a paced rate and counts what arrives at the far end. Runs inside
 * host a as `node …/generator.js ORDER` with a {@link GeneratorOrder} as JSON; prints one line of JSON for
 * each rate ({@link GeneratorStep}).
 *
 * Frames go through a packet socket straight onto the overlay's device, as the host's own stack would hand
 * them over: no contender gets a bridge or a veth in front that the others do not have. The kernel's device
 * then encapsulates inside of the generator's own call; the others take the frame from their TAP.
 *
 * Pacing: every 50 us what is due goes out in one sendmmsg(). Between two ticks the process sleeps: a
 * generator that spins would take a whole core from those who forward in user space, and nothing from the
 * kernel, which works inside of the generator.
 */
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

import { libc, lastErrno } from '../../../src/linux/libc.ts';
import { mapArena } from '../../../src/linux/memory.ts';
import { EINTR, errnoName } from '../../../src/linux/errno.ts';
import {
  MMSGHDR_BYTES,
  MMSGHDR_IOVEC_COUNT,
  MMSGHDR_IOVECS,
} from '../../../src/linux/message-header.ts';
import { MSG_DONTWAIT, SO_SNDBUFFORCE, SOCK_RAW, SOL_SOCKET } from '../../../src/linux/uapi.ts';
import { writeUint64 } from '../../../src/packet/iovec.ts';
import { type FrameOrder, makeFrames } from './frames.ts';
import { blockFor, check, sleepExactly } from './native.ts';

export interface GeneratorOrder {
  readonly interface: string;
  readonly frames: FrameOrder;
  /** Frames per second, ascending. */
  readonly rates: readonly number[];
  /** Of each rate, behind the warm-up. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Where arrivals are counted: a process of the far host and a device there. */
  readonly counter: { readonly pid: number; readonly device: string };
  /** After a rate, until the next one or the end. */
  readonly settleSeconds: number;
  /** How late frames may leave; those due earlier are let go, for a burst would measure a queue. */
  readonly lateMs: number;
  /** Ends when two rates in a row brought nothing more, and looks closer around the best one. */
  readonly peak: boolean;
}

export interface GeneratorStep {
  readonly rate: number;
  readonly seconds: number;
  /** Frames due and handed to the device, those it refused included. */
  readonly offered: number;
  readonly refused: number;
  /** Frames that were due while the generator was too late to send them at all. */
  readonly missed: number;
  /** At the counter, within the same span of time. */
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  /** The same from the first frame, warm-up included, to the end of the settling. */
  readonly totalOffered: number;
  readonly totalPackets: number;
}

// linux/socket.h
const AF_PACKET = 17;
/** struct sockaddr_ll: family (16), protocol (16, network order), interface (32), 12 more. */
const SOCKADDR_LL_BYTES = 20;
const SEND_BUFFER_BYTES = 64 << 20;
const TICK_MS = 0.05;
const BURST_MAX = 512;
/** Refused in one tick; the device's queue is full, and the rest of the tick would find it full too. */
const REFUSALS_MAX = 16;
/** A rate counts as better when it brings this much more. */
const BETTER = 1.02;
/** Tried after the ladder: these parts of the rate that brought most. */
const REFINEMENTS = [0.92, 1.08, 1.16];
/** So that whoever is overloaded does not slow down the load; normal processes have 0. */
const NICE = -20;

class Generator {
  readonly #fd: number;
  readonly #arena;
  readonly #count: number;
  readonly #order: GeneratorOrder;
  #next = 0;
  offered = 0;
  refused = 0;
  missed = 0;

  constructor(order: GeneratorOrder) {
    this.#order = order;
    const frames = makeFrames(order.frames);
    const length = order.frames.bytes;
    this.#count = frames.count;
    // The timespec of sleeps, then headers, iovecs, frames.
    const headers = 64;
    const iovecs = headers + frames.count * MMSGHDR_BYTES;
    const bytes = iovecs + frames.count * 16;
    const arena = mapArena(bytes + frames.bytes.length);
    this.#arena = arena;
    arena.bytes.set(frames.bytes, bytes);
    for (let index = 0; index < frames.count; index += 1) {
      const header = headers + index * MMSGHDR_BYTES;
      const iovec = iovecs + index * 16;
      writeUint64(arena.view, header + MMSGHDR_IOVECS, arena.base + iovec);
      writeUint64(arena.view, header + MMSGHDR_IOVEC_COUNT, 1);
      writeUint64(arena.view, iovec, arena.base + bytes + index * length);
      writeUint64(arena.view, iovec + 8, length);
    }
    this.#fd = packetSocket(order.interface);
  }

  run(rate: number): GeneratorStep {
    const { seconds, warmUpSeconds, settleSeconds } = this.#order;
    const first = this.#arrived();
    const offeredBefore = this.offered;
    this.#send(rate, warmUpSeconds);
    const before = { ...this.#arrived(), at: performance.now() };
    const { offered, refused, missed } = this;
    this.#send(rate, seconds);
    const after = { ...this.#arrived(), at: performance.now() };
    const step = {
      rate,
      seconds: (after.at - before.at) / 1000,
      offered: this.offered - offered,
      refused: this.refused - refused,
      missed: this.missed - missed,
      receivedPackets: after.packets - before.packets,
      receivedBytes: after.bytes - before.bytes,
      totalOffered: this.offered - offeredBefore,
    };
    const end = performance.now() + settleSeconds * 1000;
    while (performance.now() < end) blockFor(this.#arena, 0, 10);
    return { ...step, totalPackets: this.#arrived().packets - first.packets };
  }

  #send(rate: number, seconds: number): void {
    const perMs = rate / 1000;
    const start = performance.now();
    const end = start + seconds * 1000;
    let due = 0;
    for (let tick = start; tick < end;) {
      const now = performance.now();
      const wanted = Math.floor((now - start) * perMs);
      if (wanted - due > perMs * this.#order.lateMs + 1) {
        const lost = wanted - due - Math.ceil(perMs * this.#order.lateMs);
        this.missed += lost;
        due += lost;
      }
      this.#burst(wanted - due);
      due = wanted;
      tick = Math.max(tick + TICK_MS, performance.now());
      blockFor(this.#arena, 0, tick - performance.now());
    }
  }

  #burst(frames: number): void {
    let left = frames;
    let refusals = 0;
    while (left > 0) {
      const room = Math.min(left, BURST_MAX, this.#count - this.#next);
      const headers = this.#arena.base + 64 + this.#next * MMSGHDR_BYTES;
      const sent = libc.sendmmsg(this.#fd, headers, room, MSG_DONTWAIT);
      if (sent < 0 && lastErrno() === EINTR) continue;
      const passed = sent < 0 ? 1 : sent;
      if (sent < 0) {
        this.refused += 1;
        refusals += 1;
      }
      this.offered += passed;
      left -= passed;
      this.#next = (this.#next + passed) % this.#count;
      if (refusals < REFUSALS_MAX) continue;
      this.offered += left;
      this.refused += left;
      return;
    }
  }

  #arrived(): { packets: number; bytes: number } {
    const { pid, device } = this.#order.counter;
    const text = readFileSync(`/proc/${pid}/net/dev`, 'utf8');
    const line = text.split('\n').find((candidate) => candidate.trim().startsWith(`${device}:`));
    if (line === undefined) throw new Error(`Find ${device} in /proc/${pid}/net/dev: not there`);
    const [bytes, packets] = line.split(':')[1]!.trim().split(/\s+/).map(Number);
    return { packets: packets!, bytes: bytes! };
  }
}

function packetSocket(name: string): number {
  // Protocol 0: this socket receives nothing.
  const fd = check('socket', libc.socket(AF_PACKET, SOCK_RAW, 0));
  const size = new Uint8Array(new Int32Array([SEND_BUFFER_BYTES]).buffer);
  check('setsockopt', libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, size, size.length));
  const address = Buffer.alloc(SOCKADDR_LL_BYTES);
  address.writeUInt16LE(AF_PACKET, 0);
  const index = libc.if_nametoindex(name);
  if (index === 0) throw new Error(`Find interface ${name}: ${errnoName(lastErrno())}`);
  address.writeInt32LE(index, 4);
  check('bind', libc.bind(fd, address, address.length));
  return fd;
}

function main(order: GeneratorOrder): void {
  setPriority(NICE);
  sleepExactly();
  const generator = new Generator(order);
  let best = 0;
  let bestRate = 0;
  let worse = 0;
  const tryRate = (rate: number): void => {
    const step = generator.run(rate);
    console.log(JSON.stringify(step));
    const received = step.receivedBytes / step.seconds;
    worse = received > best * BETTER ? 0 : worse + 1;
    if (received > best) [best, bestRate] = [received, rate];
  };
  for (const rate of order.rates) {
    tryRate(rate);
    if (order.peak && worse >= 2) break;
  }
  if (!order.peak) return;
  for (const rate of REFINEMENTS.map((part) => part * bestRate)) tryRate(rate);
}

main(JSON.parse(process.argv[2]!) as GeneratorOrder);
