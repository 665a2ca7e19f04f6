// Hot path: no allocation, no throw, no await.
import { readWord } from '../fdb/hash.ts';

/** The tunnel has no multicast group: who is not an allowed sender is a stranger. */
const STRANGER = -1;
/** The datagram is one of our own that the underlay gave back. */
export const OWN_ECHO = -2;

/** Senders of one worker that wait for the main thread. */
const RING_ENTRIES = 64;
const RING_ENTRY_WORDS = 5;
export const RING_HEAD = 0;
export const RING_TAIL = 1;
const RING_FIRST = 2;
export const RING_WORDS = 384;

export const HEADER_WORDS = 16;
export const HEADER_SIGNAL = 0;

export const TUNNEL_WORDS = 5;
/** The row of the group's remote plus one; 0 without a group. */
export const TUNNEL_GROUP = 0;
/** The address that our own multicast leaves from, 16 bytes. */
export const TUNNEL_OWN = 1;

/**
 * Senders in tunnels with a multicast group, in shared memory. Everybody in the group may send, but only
 * the main thread makes rows for remotes: a worker delivers the frames of a sender that has none yet
 * under the group's own row, learns nothing from them, and puts the address into a ring of its own for
 * the main thread, which is woken. A full ring loses addresses; the next datagram brings them again.
 */
export class GroupSenders {
  readonly memory: SharedArrayBuffer;
  // For group-table.ts only.
  readonly workers: number;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly tunnelsAt: number;

  constructor(workers: number, tunnels: number, memory?: SharedArrayBuffer) {
    this.workers = workers;
    this.tunnelsAt = HEADER_WORDS + workers * RING_WORDS;
    this.memory = memory ?? new SharedArrayBuffer((this.tunnelsAt + tunnels * TUNNEL_WORDS) * 4);
    this.words = new Int32Array(this.memory);
    this.bytes = new Uint8Array(this.memory);
  }

  /**
   * Worker: who counts as the sender of a datagram whose source, 16 bytes at `offset`, is no allowed
   * sender of the tunnel: the group's row, -1 for a stranger, or OWN_ECHO.
   */
  sender(worker: number, tunnel: number, bytes: Uint8Array, offset: number): number {
    const at = this.tunnelsAt + tunnel * TUNNEL_WORDS;
    const group = this.words[at + TUNNEL_GROUP]! - 1;
    if (group < 0) return STRANGER;
    if (this.#isAddress(at + TUNNEL_OWN, bytes, offset)) return OWN_ECHO;
    this.#note(worker, tunnel, bytes, offset);
    return group;
  }

  /** Settles what waits for {@link signal} to change. */
  wake(): void {
    Atomics.add(this.words, HEADER_SIGNAL, 1);
    Atomics.notify(this.words, HEADER_SIGNAL);
  }

  #note(worker: number, tunnel: number, bytes: Uint8Array, offset: number): void {
    const words = this.words;
    const ring = HEADER_WORDS + worker * RING_WORDS;
    const head = words[ring + RING_HEAD]!;
    const waiting = (head - Atomics.load(words, ring + RING_TAIL)) | 0;
    if (waiting === RING_ENTRIES) return;
    if (waiting > 0) {
      const newest = entryAt(ring, (head - 1) | 0);
      if (words[newest] === tunnel && this.#isAddress(newest + 1, bytes, offset)) return;
    }
    const entry = entryAt(ring, head);
    words[entry] = tunnel;
    for (let word = 0; word < 4; word += 1) {
      words[entry + 1 + word] = readWord(bytes, offset + word * 4);
    }
    Atomics.store(words, ring + RING_HEAD, (head + 1) | 0);
    this.wake();
  }

  #isAddress(at: number, bytes: Uint8Array, offset: number): boolean {
    const words = this.words;
    return (
      words[at + 3] === readWord(bytes, offset + 12) &&
      words[at + 2] === readWord(bytes, offset + 8) &&
      words[at + 1] === readWord(bytes, offset + 4) &&
      words[at] === readWord(bytes, offset)
    );
  }
}

/** Word index of an entry of a ring. */
export function entryAt(ring: number, position: number): number {
  return ring + RING_FIRST + (position & (RING_ENTRIES - 1)) * RING_ENTRY_WORDS;
}
