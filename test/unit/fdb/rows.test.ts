import { afterEach, describe, expect, it, vi } from 'vitest';

import { FdbRows } from '../../../src/fdb/rows.ts';
import {
  FdbTable,
  LEARN_ADDED,
  LEARN_BUSY,
  LEARN_FULL,
  LEARN_MIGRATED,
  LEARN_PINNED,
  LEARN_REFRESHED,
  LIST_FLAG,
  ORIGIN_CONTROL,
  ORIGIN_LEARNED,
  ORIGIN_STATIC,
  STATE_DYNAMIC,
  STATE_PERMANENT,
} from '../../../src/fdb/table.ts';
import { HEADER_LOCK, ROW_MAC_HIGH } from '../../../src/fdb/table-layout.ts';

const HIGH = 0x5254;
const LOW = 0x803f_e643;

describe('lookup()', () => {
  it('returns -1 for an unknown MAC', () => {
    const table = FdbTable.create(4);
    expect(table.lookup(42, HIGH, LOW)).toBe(-1);
    expect(table.lookup(0, 0, 0)).toBe(-1);
  });

  it('tells VNIs and all six bytes of the MAC apart', () => {
    const table = FdbTable.create(64);
    const keys = [
      [42, HIGH, LOW],
      [43, HIGH, LOW],
      [42, HIGH ^ 1, LOW],
      [42, HIGH ^ 0x8000, LOW],
      [42, HIGH, (LOW ^ 0x8000_0000) >>> 0],
      [42, HIGH, LOW ^ 1],
      [0xff_ffff, HIGH, LOW],
      [0, 0, 0],
      [0xff_ffff, 0xffff, 0xffff_ffff],
    ] as const;
    keys.forEach(([vni, high, low], i) => table.learn(vni, high, low, 100 + i, 1));
    keys.forEach(([vni, high, low], i) => expect(table.lookup(vni, high, low)).toBe(100 + i));
    expect(table.count).toBe(keys.length);
  });

  it('finds entries that share four bytes of the MAC in one bucket', () => {
    // Two buckets, twelve VNIs: some of them share a bucket, whatever the seed.
    const table = FdbTable.create(12, 5);
    for (let vni = 0; vni < 12; vni += 1) table.learn(vni, HIGH, LOW, vni, 1);
    for (let vni = 0; vni < 12; vni += 1) expect(table.lookup(vni, HIGH, LOW)).toBe(vni);
    for (let vni = 0; vni < 12; vni += 2) table.remove(vni, HIGH, LOW);
    for (let vni = 0; vni < 12; vni += 1) {
      expect(table.lookup(vni, HIGH, LOW)).toBe(vni % 2 === 0 ? -1 : vni);
    }
  });

  it('returns destinations of the whole range', () => {
    const table = FdbTable.create(4);
    for (const destination of [0, 2 ** 30 - 1, LIST_FLAG, (LIST_FLAG | (2 ** 30 - 1)) >>> 0]) {
      const value = { destination, origin: ORIGIN_STATIC, state: STATE_PERMANENT };
      table.set(1, HIGH, LOW, value, 1);
      expect(table.lookup(1, HIGH, LOW)).toBe(destination);
    }
  });

  it('passes over a row that is being written', () => {
    const table = FdbTable.create(4);
    table.learn(1, HIGH, LOW, 7, 1);
    const word = table.find(1, HIGH, LOW) + ROW_MAC_HIGH;
    table.words[word]! += 1 << 16;
    expect(table.lookup(1, HIGH, LOW)).toBe(-1);
    table.words[word]! += 1 << 16;
    expect(table.lookup(1, HIGH, LOW)).toBe(7);
  });

  it('works on, when the version of a row has come round', () => {
    const table = FdbTable.create(1);
    for (let round = 0; round < 70_000; round += 1) {
      table.learn(1, HIGH, round, 7, 1);
      if (table.lookup(1, HIGH, round) !== 7) expect.fail(`lost in round ${round}`);
      table.remove(1, HIGH, round);
    }
    expect(table.count).toBe(0);
  });

  it('sees what another object over the same memory wrote', () => {
    const table = FdbTable.create(4);
    const other = new FdbRows(table.memory);
    table.learn(1, HIGH, LOW, 7, 1);
    expect(other.lookup(1, HIGH, LOW)).toBe(7);
    expect([other.capacity, other.slots]).toEqual([table.capacity, table.slots]);
  });
});

describe('a lookup in the middle of a change', () => {
  afterEach(() => vi.restoreAllMocks());

  /** Runs `change`, and `look` behind every single store that makes it up. */
  function interleave(change: () => void, look: () => void): number {
    const { store } = Atomics;
    let stores = 0;
    vi.spyOn(Atomics, 'store').mockImplementation(((
      words: Int32Array,
      at: number,
      value: number,
    ) => {
      store(words, at, value);
      stores += 1;
      look();
      return value;
    }) as typeof store);
    change();
    vi.restoreAllMocks();
    return stores;
  }

  // One row at a time is in use, so that every key gets the row of the one before.
  type Key = [vni: number, macHigh: number, macLow: number];
  const pairs: { what: string; from: Key; to: Key }[] = [
    { what: 'the last bytes', from: [1, HIGH, LOW], to: [1, HIGH, LOW + 1] },
    { what: 'the first bytes', from: [1, HIGH, LOW], to: [1, HIGH + 1, LOW] },
    { what: 'the VNI', from: [1, HIGH, LOW], to: [2, HIGH, LOW] },
    { what: 'everything', from: [1, HIGH, LOW], to: [2, HIGH + 1, LOW + 1] },
  ];

  it.each(pairs)('sees the old entry, the new one or none, when $what change', ({ from, to }) => {
    let stores = 0;
    for (let seed = 0; seed < 50; seed += 1) {
      const table = FdbTable.create(1, Math.imul(seed, 0x9e37_79b1));
      const reader = new FdbRows(table.memory);
      const look = (): void => {
        for (const vni of [1, 2]) {
          for (const macHigh of [HIGH, HIGH + 1]) {
            for (const macLow of [LOW, LOW + 1]) {
              const key = [vni, macHigh, macLow].join();
              const seen = reader.lookup(vni, macHigh, macLow);
              const possible = key === from.join() ? [-1, 7] : key === to.join() ? [-1, 8] : [-1];
              expect(possible).toContain(seen);
            }
          }
        }
      };
      stores += interleave(() => table.learn(...from, 7, 1), look);
      stores += interleave(() => table.remove(...from), look);
      stores += interleave(() => table.learn(...to, 8, 1), look);
      expect(table.lookup(...to)).toBe(8);
    }
    expect(stores).toBeGreaterThan(500);
  });

  it('can tell by the version that a row got another key, even the same one', () => {
    const table = FdbTable.create(1);
    const versions = new Set<number>();
    for (let round = 0; round < 100; round += 1) {
      table.learn(1, HIGH, LOW, 7, 1);
      const version = table.words[table.find(1, HIGH, LOW) + ROW_MAC_HIGH]! >> 16;
      expect(version % 2).toBe(0);
      versions.add(version);
      table.remove(1, HIGH, LOW);
    }
    expect(versions.size).toBe(100);
  });

  it('keeps finding an entry that migrates or is overwritten', () => {
    const table = FdbTable.create(1);
    const reader = new FdbRows(table.memory);
    table.learn(1, HIGH, LOW, 7, 1);
    const look = (): void => expect([7, 8, 9]).toContain(reader.lookup(1, HIGH, LOW));
    expect(interleave(() => table.learn(1, HIGH, LOW, 8, 2), look)).toBeGreaterThan(0);
    const value = { destination: 9, origin: ORIGIN_STATIC, state: STATE_PERMANENT };
    expect(interleave(() => table.set(1, HIGH, LOW, value, 3), look)).toBeGreaterThan(0);
  });
});

describe('FdbRows', () => {
  it('refuses memory that is not a table', () => {
    expect(() => new FdbRows(new SharedArrayBuffer(4096))).toThrow('Not the memory of an FDB');
  });
});

describe('touch()', () => {
  it('counts frames and notes the time, without refreshing', () => {
    const table = FdbTable.create(4);
    table.learn(1, HIGH, LOW, 7, 10);
    table.lookup(1, HIGH, LOW);
    table.touch(table.matchedSlot, 20, 3);
    table.touch(table.matchedSlot, 21, 4);
    const entry = { usedSeconds: 21, updatedSeconds: 10, frames: 7 };
    expect(table.read(1, HIGH, LOW)).toMatchObject(entry);
  });

  it('counts beyond 32 bits', () => {
    const table = FdbTable.create(4);
    table.learn(1, HIGH, LOW, 7, 10);
    table.lookup(1, HIGH, LOW);
    for (let i = 0; i < 3; i += 1) table.touch(table.matchedSlot, 20, 2 ** 31);
    expect(table.read(1, HIGH, LOW)?.frames).toBe(3 * 2 ** 31);
  });
});

describe('learn()', () => {
  it('adds, refreshes and migrates', () => {
    const table = FdbTable.create(4);
    expect(table.learn(1, HIGH, LOW, 7, 10)).toBe(LEARN_ADDED);
    const added = table.read(1, HIGH, LOW);
    expect(added).toEqual({
      vni: 1,
      macHigh: HIGH,
      macLow: LOW,
      destination: 7,
      origin: ORIGIN_LEARNED,
      state: STATE_DYNAMIC,
      updatedSeconds: 10,
      usedSeconds: 10,
      frames: 0,
      frozen: false,
    });
    expect(table.learn(1, HIGH, LOW, 7, 12)).toBe(LEARN_REFRESHED);
    expect(table.read(1, HIGH, LOW)).toEqual({ ...added, updatedSeconds: 12 });
    expect(table.learn(1, HIGH, LOW, 8, 13)).toBe(LEARN_MIGRATED);
    expect(table.lookup(1, HIGH, LOW)).toBe(8);
    expect(table.read(1, HIGH, LOW)).toEqual({ ...added, destination: 8, updatedSeconds: 13 });
    expect([table.count, table.learnedCount]).toEqual([1, 1]);
  });

  it.each([ORIGIN_STATIC, ORIGIN_CONTROL])('never touches an entry of origin %i', (origin) => {
    const table = FdbTable.create(4);
    table.set(1, HIGH, LOW, { destination: 7, origin, state: STATE_PERMANENT }, 10);
    const before = table.read(1, HIGH, LOW);
    expect(table.learn(1, HIGH, LOW, 8, 20)).toBe(LEARN_PINNED);
    expect(table.learn(1, HIGH, LOW, 7, 20)).toBe(LEARN_REFRESHED);
    expect(table.read(1, HIGH, LOW)).toEqual(before);
  });

  it('refreshes without the lock, skips what needs it while somebody has it', () => {
    const table = FdbTable.create(4);
    table.learn(1, HIGH, LOW, 7, 10);
    table.words[HEADER_LOCK] = 1;
    expect(table.learn(1, HIGH, LOW, 7, 11)).toBe(LEARN_REFRESHED);
    expect(table.learn(1, HIGH, LOW, 8, 11)).toBe(LEARN_BUSY);
    expect(table.learn(1, HIGH, 1, 7, 11)).toBe(LEARN_BUSY);
    table.words[HEADER_LOCK] = 0;
    expect(table.read(1, HIGH, LOW)).toMatchObject({ destination: 7, updatedSeconds: 11 });
    expect(table.count).toBe(1);
    expect(table.learn(1, HIGH, LOW, 8, 11)).toBe(LEARN_MIGRATED);
  });

  it('leaves a sixteenth of the table to users', () => {
    const table = FdbTable.create(64);
    for (let mac = 1; mac <= 60; mac += 1) {
      expect(table.learn(1, HIGH, mac, 7, 1)).toBe(LEARN_ADDED);
    }
    expect(table.learn(1, HIGH, 61, 7, 1)).toBe(LEARN_FULL);
    const value = { destination: 7, origin: ORIGIN_STATIC, state: STATE_PERMANENT };
    for (let mac = 61; mac <= 64; mac += 1) table.set(1, HIGH, mac, value, 1);
    expect(table.count).toBe(64);
  });

  it('says when the table is full, and goes on migrating', () => {
    const table = FdbTable.create(3);
    for (let mac = 0; mac < 3; mac += 1) table.learn(1, HIGH, mac, 7, 1);
    expect(table.learn(1, HIGH, 3, 7, 1)).toBe(LEARN_FULL);
    expect(table.learn(1, HIGH, 2, 8, 1)).toBe(LEARN_MIGRATED);
    table.remove(1, HIGH, 0);
    expect(table.learn(1, HIGH, 3, 7, 1)).toBe(LEARN_ADDED);
  });
});
