import { strict as assert } from 'node:assert';
import { VtepError } from '../base/errors.ts';
import { BuddyAllocator } from './buddy-allocator.ts';
import type { Grace } from './grace.ts';

/**
 * A destination of the FDB is the index of a remote (0..2^30-1), or this bit and the place of a
 * list of remotes.
 */
export const LIST_FLAG = 1 << 30;

const SMALLEST_BLOCK = 4;

/** True when a destination is a list of remotes and not one remote. */
export function isList(destination: number): boolean {
  return (destination & LIST_FLAG) !== 0;
}

/**
 * Lists of remotes in shared memory: flood lists, and the lists of multicast MACs.
 *
 * A list never changes. To change what an entry points at, make another list, overwrite the entry,
 * then retire the old list: workers in the middle of a batch may use it to the end. Its storage is
 * reused after the grace period.
 *
 * A list is its length and its members, a word each.
 */
export class DestinationLists {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #grace: Grace | undefined;
  readonly #space: BuddyAllocator;

  /**
   * New storage for lists. `capacity` is in words, rounded up to a power of two (at most 2^28); a
   * list of n members takes the power of two from n + 1 up.
   */
  static create(capacity: number, grace: Grace): DestinationLists {
    const order = Math.ceil(Math.log2(Math.max(capacity, SMALLEST_BLOCK)));
    assert(order <= 28, `${capacity}`);
    return new DestinationLists(new SharedArrayBuffer(2 ** order * 4), grace);
  }

  /** Without `grace`, as workers have it, for reading only. */
  constructor(memory: SharedArrayBuffer, grace?: Grace) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
    this.#grace = grace;
    this.#space = new BuddyAllocator(Math.log2(this.#words.length / SMALLEST_BLOCK));
  }

  /** Main thread: a new list, as a destination. Throws ERR_LIMIT when there is no room for it. */
  create(remotes: readonly number[]): number {
    const block = this.#space.take(Math.ceil((remotes.length + 1) / SMALLEST_BLOCK));
    if (block < 0) {
      throw new VtepError('ERR_LIMIT', `Cannot make a list of ${remotes.length} remotes: no room`, {
        hint: 'use shorter flood lists, or fewer of them',
      });
    }
    const offset = block * SMALLEST_BLOCK;
    this.#words[offset] = remotes.length;
    this.#words.set(remotes, offset + 1);
    return LIST_FLAG | offset;
  }

  /**
   * Main thread: no entry points at the list any more. It may be read until the grace period is
   * over.
   */
  retire(destination: number): void {
    assert(isList(destination) && this.#grace !== undefined, `Cannot retire ${destination}`);
    const block = (destination & ~LIST_FLAG) / SMALLEST_BLOCK;
    this.#grace.retire(() => this.#space.give(block));
  }

  /** Number of members of a list. Hot. */
  length(destination: number): number {
    return this.#words[destination & ~LIST_FLAG]!;
  }

  /** Member `i` (0..length-1) of a list. Hot. */
  at(destination: number, i: number): number {
    return this.#words[(destination & ~LIST_FLAG) + 1 + i]!;
  }
}
