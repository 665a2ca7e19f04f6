import { describe, expect, test } from 'vitest';
import { heapArena } from '../../../src/packet/arena.ts';
import { FrameBatch } from '../../../src/packet/frame-batch.ts';
import { SLOT_BYTES } from '../../../src/packet/slot.ts';

describe('FrameBatch', () => {
  test('lays its slots one behind the other into the memory it is given', () => {
    const batch = new FrameBatch(heapArena(0), 640, 3);
    expect([...batch.slots]).toEqual([640, 640 + SLOT_BYTES, 640 + 2 * SLOT_BYTES]);
    expect(FrameBatch.bytesFor(3)).toBe(3 * SLOT_BYTES);
    expect([batch.count, batch.capacity, batch.lengths.length]).toEqual([0, 3, 3]);
  });
});
