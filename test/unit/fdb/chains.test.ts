import { describe, expect, it } from 'vitest';

import { NO_ROW } from '../../../src/fdb/chains.ts';
import { FdbTable } from '../../../src/fdb/table.ts';
import { expectExactMarks, meanSearch } from './marks.ts';

const value = { destination: 1, origin: 3, state: 2 };

function filled(capacity: number, seed = 1): FdbTable {
  const table = FdbTable.create(capacity, seed);
  for (let mac = 0; mac < capacity; mac += 1) table.set(1, 0, mac, value, 1);
  return table;
}

/** Puts new entries in the place of old ones chosen at random, and checks the table afterwards. */
function replace(table: FdbTable, capacity: number, rounds: number): void {
  let state = 7;
  const macs = Array.from({ length: capacity }, (_, mac) => mac);
  for (let round = 0; round < rounds; round += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const victim = (state >>> 8) % capacity;
    table.remove(1, 0, macs[victim]!);
    macs[victim] = capacity + round;
    table.set(1, 0, capacity + round, value, 1);
  }
  expect(table.count).toBe(capacity);
  expectExactMarks(table);
  for (const mac of macs) expect(table.lookup(1, 0, mac)).toBe(1);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('Chains', () => {
  it('names every row by one slot and back', () => {
    const table = FdbTable.create(50);
    const rows = new Set<number>();
    for (let slot = 0; slot < table.slots; slot += 1) {
      expect(table.slotOf(table.rowOf(slot))).toBe(slot);
      rows.add(table.rowOf(slot));
    }
    expect(rows.size).toBe(table.slots);
  });

  it('keeps ages and rows in words of their own', () => {
    const table = FdbTable.create(10);
    const words = new Set<number>();
    for (let slot = 0; slot < table.slots; slot += 1) {
      for (const field of [0, 4, 8, 12]) words.add(table.rowOf(slot) + field);
      for (const field of [0, 1, 2, 3]) words.add(table.ageOf(slot) + field);
    }
    expect(words.size).toBe(table.slots * 8);
    expect(Math.max(...words)).toBe(table.words.length - 1);
  });

  it('finds what was put in, in a full table, and nothing else', () => {
    const table = filled(300);
    for (let mac = 0; mac < 300; mac += 1) expect(table.find(1, 0, mac)).not.toBe(NO_ROW);
    for (let mac = 0; mac < 300; mac += 1) expect(table.find(2, 0, mac)).toBe(NO_ROW);
    expect(table.find(1, 0, 300)).toBe(NO_ROW);
    expect(table.find(1, 1, 0)).toBe(NO_ROW);
  });

  it('marks exactly the buckets that entries passed, while the table fills and empties', () => {
    const table = filled(300);
    expectExactMarks(table);
    for (let mac = 0; mac < 300; mac += 3) table.remove(1, 0, mac);
    expectExactMarks(table);
    for (let mac = 300; mac > 0; mac -= 1) table.remove(1, 0, mac);
    table.remove(1, 0, 0);
    expectExactMarks(table);
    expect(meanSearch(table)).toBe(1);
  });

  it('searches no longer after hundreds of thousands of replacements', () => {
    const capacity = 1000;
    // One table may have bad luck with its seed; eight together do not.
    const tables = Array.from({ length: 8 }, (_, seed) => filled(capacity, seed));
    expect(mean(tables.map(meanSearch))).toBeLessThan(1.5);
    for (const table of tables) replace(table, capacity, 40_000);
    expect(mean(tables.map(meanSearch))).toBeLessThan(2);
  });

  it('wraps from the last bucket to the first', () => {
    // In some of many tables the last bucket overflows.
    let wrapped = 0;
    for (let seed = 0; seed < 200; seed += 1) {
      const table = FdbTable.create(30, Math.imul(seed, 0x9e37_79b1));
      for (let mac = 0; mac < 30; mac += 1) table.set(1, 0, mac, value, 1);
      for (let mac = 0; mac < 30; mac += 1) {
        const row = table.find(1, 0, mac);
        if (row < table.homeOf(1, 0, mac)) wrapped += 1;
        expect(table.lookup(1, 0, mac)).toBe(1);
      }
      expectExactMarks(table);
      for (let mac = 0; mac < 30; mac += 1) expect(table.remove(1, 0, mac)).toBe(true);
      expect(meanSearch(table)).toBe(1);
    }
    expect(wrapped).toBeGreaterThan(0);
  });
});
