import { describe, expect, test } from 'vitest';
import { ArenaAllocator, heapArena } from '../../../src/packet/arena.ts';

describe('heapArena()', () => {
  test('is zero bytes at address 0, seen the same through both views', () => {
    const arena = heapArena(32);
    expect(arena.base).toBe(0);
    expect(arena.bytes).toEqual(new Uint8Array(32));
    arena.view.setUint16(30, 0x1234);
    expect([arena.bytes[30], arena.bytes[31]]).toEqual([0x12, 0x34]);
  });
});

describe('ArenaAllocator', () => {
  test('hands out stretches that do not overlap, at multiples of the alignment', () => {
    const memory = new ArenaAllocator(heapArena(1024));
    expect([memory.take(1), memory.take(10), memory.take(3, 8)]).toEqual([0, 64, 80]);
    expect(memory.take(64, 1)).toBe(83);
  });

  test('gives the last byte and refuses the one behind it', () => {
    const memory = new ArenaAllocator(heapArena(128));
    expect(memory.take(128)).toBe(0);
    expect(() => memory.take(1)).toThrow('Take 1 bytes from an arena with 0 left');
  });

  test('takes nothing when it refuses', () => {
    const memory = new ArenaAllocator(heapArena(128));
    expect(() => memory.take(129)).toThrow(RangeError);
    expect(memory.take(128)).toBe(0);
  });
});
