// Hot path: no allocation, no throw, no await.

/**
 * How often MACs moved lately, so that one that will not settle can be frozen where it is: RFC 7432
 * section 15.1, N moves within M seconds. Such a MAC is at two places (a loop, a cloned machine, a
 * spoofer), and following it sends every other frame to the wrong one.
 *
 * Two words for each slot of the FDB, in memory of its own: nothing of it is touched, so none of it is
 * resident, but for MACs that move. A row says by a flag whether its words mean anything. The freshly
 * frozen are told to the main thread through a ring; it reports them and releases them in time.
 *
 * Written by the holder of the FDB's lock only.
 */
import type { RemoteRows } from './remote-rows.ts';

/** Freezes so far, modulo 2^32. */
const HEADER_FREEZES = 0;
const HEADER_RING = 16;
/** Freezes between two looks of the main thread that it learns of without a search. */
export const FREEZE_RING = 64;
const HEADER_WORDS = HEADER_RING + FREEZE_RING;

const TUNNEL_WORDS = 2;
const MOVES_MAX = 0;
const WINDOW = 1;

const SLOT_WORDS = 2;
const COUNT = 0;
/** The second of the first move that counts; of a frozen MAC the second of the freeze. */
const SINCE = 1;

export class MacMoves {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #remotes: RemoteRows;
  readonly #slotsAt: number;

  /** For tunnels 0..tunnels-1 and an FDB of so many slots; over `memory` of another thread's, if given. */
  constructor(tunnels: number, slots: number, remotes: RemoteRows, memory?: SharedArrayBuffer) {
    this.#remotes = remotes;
    this.#slotsAt = HEADER_WORDS + tunnels * TUNNEL_WORDS;
    this.memory = memory ?? new SharedArrayBuffer((this.#slotsAt + slots * SLOT_WORDS) * 4);
    this.#words = new Int32Array(this.memory);
  }

  /** Main thread: `moves` within `seconds` freeze a MAC of this tunnel; 0 moves never do. */
  setLimit(tunnel: number, moves: number, seconds: number): void {
    const at = HEADER_WORDS + tunnel * TUNNEL_WORDS;
    this.#words[at + WINDOW] = seconds;
    this.#words[at + MOVES_MAX] = moves;
  }

  /**
   * The MAC in `slot` moved to `remote`; `hasMoved` when the slot's words are about this MAC. True when
   * that was one move too many. The window begins with the first move, and the next one after its end.
   */
  count(slot: number, remote: number, hasMoved: boolean, nowSeconds: number): boolean {
    const words = this.#words;
    const limit = HEADER_WORDS + this.#remotes.tunnel(remote) * TUNNEL_WORDS;
    const max = words[limit + MOVES_MAX]!;
    if (max === 0) return false;
    const at = this.#slotsAt + slot * SLOT_WORDS;
    const isOver = !hasMoved || nowSeconds - words[at + SINCE]! > words[limit + WINDOW]!;
    const moves = isOver ? 1 : words[at + COUNT]! + 1;
    if (isOver) words[at + SINCE] = nowSeconds;
    words[at + COUNT] = moves;
    return moves >= max;
  }

  /** Notes that the MAC in `slot` was frozen now. */
  freeze(slot: number, nowSeconds: number): void {
    const words = this.#words;
    words[this.#slotsAt + slot * SLOT_WORDS + SINCE] = nowSeconds;
    const freezes = words[HEADER_FREEZES]!;
    words[HEADER_RING + (freezes & (FREEZE_RING - 1))] = slot;
    Atomics.store(words, HEADER_FREEZES, (freezes + 1) | 0);
  }

  /** Since when the MAC in `slot` has been frozen; meaningless for one that is not. */
  since(slot: number): number {
    return this.#words[this.#slotsAt + slot * SLOT_WORDS + SINCE]!;
  }

  /** Freezes so far, modulo 2^32, signed. */
  get freezes(): number {
    return Atomics.load(this.#words, HEADER_FREEZES);
  }

  /** The slot of freeze number `index`, one of the last {@link FREEZE_RING}. */
  frozenSlot(index: number): number {
    return this.#words[HEADER_RING + (index & (FREEZE_RING - 1))]!;
  }
}
