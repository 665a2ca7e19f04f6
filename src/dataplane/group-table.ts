import {
  entryAt,
  GroupSenders,
  HEADER_SIGNAL,
  HEADER_WORDS,
  RING_HEAD,
  RING_TAIL,
  RING_WORDS,
  TUNNEL_GROUP,
  TUNNEL_OWN,
  TUNNEL_WORDS,
} from './group-senders.ts';

/** A sender that a worker has heard and found no row for. */
export interface HeardSender {
  readonly tunnel: number;
  /** 16 bytes, IPv4 mapped. */
  readonly address: Uint8Array;
}

/** The main thread's half of {@link GroupSenders}: which tunnels have a group, and who has been heard. */
export class GroupTable extends GroupSenders {
  /** The tunnel has a group with this row now. `own` is 16 bytes, IPv4 mapped. */
  setGroup(tunnel: number, group: number, own: Uint8Array): void {
    const at = this.tunnelsAt + tunnel * TUNNEL_WORDS;
    this.bytes.set(own, (at + TUNNEL_OWN) * 4);
    Atomics.store(this.words, at + TUNNEL_GROUP, group + 1);
  }

  /** The tunnel has no group any more. */
  clearGroup(tunnel: number): void {
    Atomics.store(this.words, this.tunnelsAt + tunnel * TUNNEL_WORDS + TUNNEL_GROUP, 0);
  }

  /** Gives everything that waits to `take` and empties the rings. */
  drain(take: (sender: HeardSender) => void): void {
    for (let worker = 0; worker < this.workers; worker += 1) {
      const ring = HEADER_WORDS + worker * RING_WORDS;
      const head = Atomics.load(this.words, ring + RING_HEAD);
      let tail = this.words[ring + RING_TAIL]!;
      for (; tail !== head; tail = (tail + 1) | 0) {
        const entry = entryAt(ring, tail);
        const address = this.bytes.slice((entry + 1) * 4, (entry + 5) * 4);
        take({ tunnel: this.words[entry]!, address });
      }
      Atomics.store(this.words, ring + RING_TAIL, head);
    }
  }

  /** What {@link changed} compares with. */
  get signal(): number {
    return Atomics.load(this.words, HEADER_SIGNAL);
  }

  /** Settles when something was put into a ring since `signal` was read. */
  async changed(signal: number): Promise<void> {
    const waiting = waitAsync(this.words, HEADER_SIGNAL, signal);
    if (waiting.async) await waiting.value;
  }
}

/** Atomics.waitAsync of ES2024, which every supported Node has and the compiler's library does not. */
const { waitAsync } = Atomics as unknown as {
  waitAsync(
    this: void,
    words: Int32Array,
    index: number,
    value: number,
  ): { readonly async: false } | { readonly async: true; readonly value: Promise<string> };
};
