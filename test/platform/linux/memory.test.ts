import { closeSync, openSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { libc } from '../../../src/linux/libc.ts';
import { mapArena, unmapArena } from '../../../src/linux/memory.ts';
import type { Arena } from '../../../src/packet/arena.ts';

const arenas: Arena[] = [];

function map(length: number): Arena {
  const arena = mapArena(length);
  arenas.push(arena);
  return arena;
}

afterEach(() => {
  for (const arena of arenas.splice(0)) unmapArena(arena);
});

describe('mapArena()', () => {
  test('gives zeros below 2^31, whole units of 64 KiB', () => {
    const arena = map(10_000);
    expect(arena.base).toBeGreaterThan(0);
    expect(arena.base + arena.bytes.length).toBeLessThanOrEqual(2 ** 31);
    expect(arena.bytes.length).toBe(65_536);
    expect(arena.bytes.every((byte) => byte === 0)).toBe(true);
  });

  test('gives several arenas that do not overlap', () => {
    const sizes = [1, 3 << 20, 64 << 20, 4096, 2 << 20];
    const spans = sizes.map((size) => map(size)).sort((a, b) => a.base - b.base);
    for (const [i, arena] of spans.slice(1).entries()) {
      expect(arena.base).toBeGreaterThanOrEqual(spans[i]!.base + spans[i]!.bytes.length);
    }
    expect(spans.every((arena) => arena.base + arena.bytes.length <= 2 ** 31)).toBe(true);
  });

  test('shows WebAssembly the bytes that system calls see', () => {
    const arena = map(100_000);
    const zero = openSync('/dev/zero', 'r');
    arena.bytes.fill(9);
    expect(libc.read(zero, arena.base + 70_000, 3)).toBe(3);
    closeSync(zero);
    expect([...new Uint8Array(arena.memory!.buffer, 69_999, 5)]).toEqual([9, 0, 0, 0, 9]);
    expect([...arena.bytes.subarray(69_999, 70_004)]).toEqual([9, 0, 0, 0, 9]);
  });

  test('gives memory that is too large for the low addresses elsewhere', () => {
    const arena = map(2 ** 31);
    expect(arena.base).toBeGreaterThan(2 ** 31);
    arena.view.setUint8(2 ** 31 - 1, 7);
    expect(arena.bytes[2 ** 31 - 1]).toBe(7);
  });

  test('what was given back is given out again', () => {
    const first = mapArena(1 << 20);
    const { base } = first;
    unmapArena(first);
    expect(map(1 << 20).base).toBe(base);
  });
});
