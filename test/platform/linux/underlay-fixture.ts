import { RemoteTable } from '../../../src/fdb/remotes.ts';
import { libc } from '../../../src/linux/libc.ts';
import { mapArena, unmapArena } from '../../../src/linux/memory.ts';
import { type Arena, ArenaAllocator } from '../../../src/packet/arena.ts';
import { SEGMENTS_MAX, TransmitPlan } from '../../../src/packet/transmit-plan.ts';
import { parseIp } from '../../../src/wire/ip.ts';

const ARENA_BYTES = 4 << 20;
const MESSAGES = 200;
const REMOTES = 16;

export interface Message {
  readonly remote: number;
  readonly datagrams: readonly Uint8Array[];
  readonly lane?: number;
  readonly tos?: number;
}

/** Memory that the kernel may be given addresses in, a plan and remotes in it. */
export class Bench {
  readonly arena: Arena;
  readonly memory: ArenaAllocator;
  readonly plan: TransmitPlan;
  readonly remotes = RemoteTable.create(REMOTES);
  readonly #payload: number;

  constructor(lanes = 2) {
    this.arena = mapArena(ARENA_BYTES);
    this.memory = new ArenaAllocator(this.arena);
    const iovecs = this.memory.take(TransmitPlan.bytesFor(MESSAGES));
    this.plan = new TransmitPlan(this.arena, iovecs, MESSAGES, lanes);
    this.plan.laneSegments.fill(SEGMENTS_MAX);
    this.#payload = this.memory.take(1 << 20);
  }

  remote(text: string, port: number): number {
    const address = parseIp(text)!;
    return this.remotes.acquire({ tunnel: 0, address, scope: 0, port, vni: 1 });
  }

  /** Puts messages into the cleared plan; datagrams of one message must be such as the plan joins. */
  fill(messages: readonly Message[]): void {
    const { plan } = this;
    plan.clear();
    let at = this.#payload;
    for (const { remote, datagrams, lane = 0, tos = 0 } of messages) {
      for (const datagram of datagrams) {
        const message = plan.open(lane, 0, remote, tos, datagram.length);
        this.arena.bytes.set(datagram, at);
        // In two pieces, as a header and a payload are.
        const head = Math.min(30, datagram.length - 1);
        plan.add(message, at, head);
        plan.add(message, at + head, datagram.length - head);
        at += datagram.length;
      }
    }
  }

  results(): number[] {
    return [...this.plan.result.subarray(0, this.plan.count)];
  }

  close(): void {
    unmapArena(this.arena);
  }
}

/** Reads every datagram that waits on a socket. */
export function drainSocket(fd: number): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const length = libc.recv(fd, buffer, buffer.length, 0);
    if (length < 0) return datagrams;
    datagrams.push(buffer.slice(0, length));
  }
}
