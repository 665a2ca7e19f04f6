import { strict as assert } from 'node:assert';

/**
 * Blocks of a power of two of units out of a space of a power of two of units, first come first
 * served. What is given back joins with its free neighbour, so that any history of sizes leaves the
 * space whole again.
 *
 * | operation | cost |
 * |---|---|
 * | take, give | logarithm of the space's size |
 */
export class BuddyAllocator {
  /** Free blocks by the logarithm of their size. */
  readonly #free: Set<number>[] = [];
  readonly #orderOf = new Map<number, number>();

  /** A space of 2^`order` units, all free. */
  constructor(order: number) {
    for (let i = 0; i <= order; i += 1) this.#free.push(new Set());
    this.#free[order]!.add(0);
  }

  /** Offset of a free block of at least `length` units (1 or more), which is taken now, or -1. */
  take(length: number): number {
    const order = Math.ceil(Math.log2(length));
    let from = order;
    while (from < this.#free.length && this.#free[from]!.size === 0) from += 1;
    if (from >= this.#free.length) return -1;
    const [offset] = this.#free[from]!;
    assert(offset !== undefined);
    this.#free[from]!.delete(offset);
    for (; from > order; from -= 1) this.#free[from - 1]!.add(offset + 2 ** (from - 1));
    this.#orderOf.set(offset, order);
    return offset;
  }

  /** Gives a block back that take() returned. */
  give(offset: number): void {
    let order = this.#orderOf.get(offset);
    assert(order !== undefined, `No block is taken at ${offset}`);
    this.#orderOf.delete(offset);
    let block = offset;
    while (order + 1 < this.#free.length && this.#free[order]!.delete(block ^ (2 ** order))) {
      block &= ~(2 ** order);
      order += 1;
    }
    this.#free[order]!.add(block);
  }
}
