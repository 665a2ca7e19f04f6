import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BuddyAllocator } from '../../../src/fdb/buddy-allocator.ts';

describe('BuddyAllocator', () => {
  it('gives out the whole space and says when there is no more', () => {
    const space = new BuddyAllocator(3);
    const blocks = Array.from({ length: 8 }, () => space.take(1));
    expect(blocks.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(space.take(1)).toBe(-1);
    expect(new BuddyAllocator(3).take(9)).toBe(-1);
  });

  it('joins what is given back', () => {
    const space = new BuddyAllocator(3);
    const blocks = Array.from({ length: 8 }, () => space.take(1));
    for (const block of [...blocks].reverse()) space.give(block);
    expect(space.take(8)).toBe(0);
  });

  it('refuses a block that is not taken', () => {
    const space = new BuddyAllocator(3);
    const block = space.take(2);
    space.give(block);
    expect(() => space.give(block)).toThrow('No block');
  });

  it('never gives out anything twice, and is whole again in the end', () => {
    const operations = fc.array(
      fc.record({ length: fc.integer({ min: 1, max: 20 }), free: fc.nat() }),
    );
    fc.assert(
      fc.property(operations, (steps) => {
        const space = new BuddyAllocator(6);
        const taken = new Map<number, number>();
        for (const { length, free } of steps) {
          if (free % 3 === 0 && taken.size > 0) {
            const offset = [...taken.keys()][free % taken.size]!;
            taken.delete(offset);
            space.give(offset);
          }
          const offset = space.take(length);
          if (offset < 0) continue;
          expect(offset + length).toBeLessThanOrEqual(64);
          for (const [other, size] of taken) {
            expect(offset + length <= other || other + size <= offset).toBe(true);
          }
          taken.set(offset, length);
        }
        for (const offset of taken.keys()) space.give(offset);
        expect(space.take(64)).toBe(0);
      }),
    );
  });
});
