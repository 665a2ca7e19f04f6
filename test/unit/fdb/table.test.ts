import { describe, expect, it } from 'vitest';

import {
  FdbTable,
  ORIGIN_CONTROL,
  ORIGIN_LEARNED,
  ORIGIN_STATIC,
  STATE_DYNAMIC,
  STATE_PERMANENT,
  STATE_STATIC,
  type FdbEntry,
} from '../../../src/fdb/table.ts';

const HIGH = 0x5254;
const LOW = 0xc03f_e643;
const pinned = { destination: 9, origin: ORIGIN_STATIC, state: STATE_PERMANENT };

function walk(table: FdbTable): FdbEntry[] {
  const entries: FdbEntry[] = [];
  for (let slot = 0; slot < table.slots; slot += 1) {
    const entry = table.entryAt(slot);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

describe('create()', () => {
  it('takes at most 64 bytes an entry', () => {
    for (const capacity of [1000, 65_537, 1_000_000]) {
      expect(FdbTable.create(capacity).memory.byteLength / capacity).toBeLessThanOrEqual(64);
    }
  });

  it.each([0, -1, 1.5, 2 ** 26 + 1])('refuses a capacity of %d', (capacity) => {
    expect(() => FdbTable.create(capacity)).toThrow();
  });

  it('holds exactly its capacity', () => {
    for (const capacity of [1, 2, 3, 7, 8, 9, 100]) {
      const table = FdbTable.create(capacity);
      for (let mac = 0; mac < capacity; mac += 1) table.set(1, HIGH, mac, pinned, 1);
      expect(table.count).toBe(capacity);
      expect(() => table.set(1, HIGH, capacity, pinned, 1)).toThrow(
        expect.objectContaining({ code: 'ERR_LIMIT' }),
      );
      expect(table.count).toBe(capacity);
    }
  });
});

describe('set()', () => {
  it('adds an entry with all it says', () => {
    const table = FdbTable.create(4);
    table.set(0xff_ffff, HIGH, LOW, { ...pinned, state: STATE_STATIC }, 5);
    expect(table.read(0xff_ffff, HIGH, LOW)).toEqual({
      vni: 0xff_ffff,
      macHigh: HIGH,
      macLow: LOW,
      destination: 9,
      origin: ORIGIN_STATIC,
      state: STATE_STATIC,
      updatedSeconds: 5,
      usedSeconds: 5,
      frames: 0,
      frozen: false,
    });
  });

  it('overwrites any origin, also in a full table, and keeps when the entry was used', () => {
    const table = FdbTable.create(1);
    table.learn(1, HIGH, LOW, 3, 1);
    table.lookup(1, HIGH, LOW);
    table.touch(table.matchedSlot, 2, 10);
    for (const origin of [ORIGIN_STATIC, ORIGIN_CONTROL, ORIGIN_LEARNED]) {
      table.set(1, HIGH, LOW, { destination: 100 + origin, origin, state: STATE_DYNAMIC }, 7);
      expect(table.lookup(1, HIGH, LOW)).toBe(100 + origin);
      const kept = { origin, updatedSeconds: 7, usedSeconds: 2, frames: 10 };
      expect(table.read(1, HIGH, LOW)).toMatchObject(kept);
      expect([table.count, table.learnedCount]).toEqual([1, origin === ORIGIN_LEARNED ? 1 : 0]);
    }
  });

  it('names the MAC and the limit when the table is full', () => {
    const table = FdbTable.create(1);
    table.set(1, HIGH, LOW, pinned, 1);
    expect(() => table.set(42, 0x0200, 1, pinned, 1)).toThrow(
      'Cannot add "02:00:00:00:00:01" in VNI 42: all 1 entries are taken',
    );
    // The lock was given back.
    expect(table.remove(1, HIGH, LOW)).toBe(true);
  });
});

describe('remove()', () => {
  it('says whether there was an entry', () => {
    const table = FdbTable.create(4);
    table.set(1, HIGH, LOW, pinned, 1);
    expect(table.remove(2, HIGH, LOW)).toBe(false);
    expect(table.remove(1, HIGH, LOW)).toBe(true);
    expect(table.remove(1, HIGH, LOW)).toBe(false);
    expect(table.lookup(1, HIGH, LOW)).toBe(-1);
    expect(table.read(1, HIGH, LOW)).toBeUndefined();
    expect([table.count, table.learnedCount]).toEqual([0, 0]);
  });
});

describe('entryAt()', () => {
  it('shows every entry once', () => {
    const table = FdbTable.create(500);
    for (let mac = 0; mac < 500; mac += 1) table.set(mac % 7, HIGH, mac, pinned, 1);
    const macs = walk(table).map(({ macLow }) => macLow);
    expect(macs.sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, mac) => mac));
  });

  it('shows an entry once, whatever comes and goes during the walk', () => {
    const table = FdbTable.create(400, 3);
    for (let mac = 0; mac < 400; mac += 1) table.set(1, HIGH, mac, pinned, 1);
    const seen: number[] = [];
    for (let slot = 0; slot < table.slots; slot += 1) {
      // Odd ones go and come all the time; even ones stay.
      const odd = ((slot * 13) % 200) * 2 + 1;
      if (!table.remove(1, HIGH, odd)) table.set(1, HIGH, odd, pinned, 1);
      const entry = table.entryAt(slot);
      if (entry !== undefined && entry.macLow % 2 === 0) seen.push(entry.macLow);
    }
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => 2 * i));
  });
});

describe('removeLearned()', () => {
  it('removes only a learned entry of the VNI that was not refreshed since', () => {
    const table = FdbTable.create(4);
    table.learn(1, HIGH, LOW, 3, 10);
    table.lookup(1, HIGH, LOW);
    const slot = table.matchedSlot;
    expect(table.updatedSeconds(slot)).toBe(10);
    expect(table.learnedVni(slot)).toBe(1);
    expect(table.removeLearned(slot, 1, 9)).toBeUndefined();
    expect(table.removeLearned(slot, 2, 10)).toBeUndefined();
    expect(table.removeLearned(slot, 1, 10)).toMatchObject({ vni: 1, macLow: LOW, destination: 3 });
    expect(table.removeLearned(slot, 1, 10)).toBeUndefined();
    expect([table.count, table.learnedCount]).toEqual([0, 0]);
    expect(table.learnedVni(slot)).toBe(-1);
  });

  it('leaves other origins alone', () => {
    const table = FdbTable.create(4);
    table.set(1, HIGH, LOW, pinned, 1);
    table.lookup(1, HIGH, LOW);
    expect(table.learnedVni(table.matchedSlot)).toBe(-1);
    expect(table.removeLearned(table.matchedSlot, 1, 100)).toBeUndefined();
    expect(table.count).toBe(1);
  });
});
