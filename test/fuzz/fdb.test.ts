import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Ageing } from '../../src/fdb/ageing.ts';
import {
  FdbTable,
  LEARN_ADDED,
  LEARN_FULL,
  LEARN_MIGRATED,
  LEARN_PINNED,
  LEARN_REFRESHED,
  ORIGIN_LEARNED,
  STATE_DYNAMIC,
  type FdbEntry,
} from '../../src/fdb/table.ts';
import { expectExactMarks } from '../unit/fdb/marks.ts';

const AGEING_SECONDS = 20;

type Key = readonly [vni: number, macHigh: number, macLow: number];

/** The FDB as one would write it first: a list of entries, searched from the front. */
class NaiveFdb {
  entries: FdbEntry[] = [];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get full(): boolean {
    return this.entries.length === this.#capacity;
  }

  read([vni, macHigh, macLow]: Key): FdbEntry | undefined {
    return this.entries.find(
      (entry) => entry.vni === vni && entry.macHigh === macHigh && entry.macLow === macLow,
    );
  }

  put([vni, macHigh, macLow]: Key, change: Partial<FdbEntry>, now: number): void {
    const before = this.read([vni, macHigh, macLow]);
    const fresh = {
      vni,
      macHigh,
      macLow,
      usedSeconds: now,
      frames: 0,
      frozen: false,
      ...change,
    } as FdbEntry;
    const entry = { ...fresh, ...before, ...change, updatedSeconds: now };
    this.remove([vni, macHigh, macLow]);
    this.entries.push(entry);
  }

  remove(key: Key): boolean {
    const entry = this.read(key);
    this.entries = this.entries.filter((other) => other !== entry);
    return entry !== undefined;
  }

  learn(key: Key, destination: number, now: number): number {
    const entry = this.read(key);
    if (entry === undefined) {
      // A sixteenth is left to users.
      const learnable = this.#capacity - Math.floor(this.#capacity / 16);
      if (this.entries.length >= learnable) return LEARN_FULL;
      this.put(key, { destination, origin: ORIGIN_LEARNED, state: STATE_DYNAMIC }, now);
      return LEARN_ADDED;
    }
    if (entry.origin !== ORIGIN_LEARNED)
      return entry.destination === destination ? LEARN_REFRESHED : LEARN_PINNED;
    this.put(key, { destination }, now);
    return entry.destination === destination ? LEARN_REFRESHED : LEARN_MIGRATED;
  }

  touch(key: Key, frames: number, now: number): void {
    const entry = this.read(key)!;
    const used = { ...entry, usedSeconds: now, frames: entry.frames + frames };
    this.entries = this.entries.map((other) => (other === entry ? used : other));
  }

  sweep(now: number): number {
    const before = this.entries.length;
    this.entries = this.entries.filter(
      ({ origin, updatedSeconds }) =>
        origin !== ORIGIN_LEARNED || now - updatedSeconds <= AGEING_SECONDS,
    );
    return before - this.entries.length;
  }
}

// Few of each, so that keys meet, buckets overflow and rows are used again.
const key = fc.tuple(
  fc.constantFrom(0, 1, 0xff_ffff),
  fc.constantFrom(0, 0xffff),
  fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 0x8000_0000, 0xffff_ffff),
);
const destination = fc.constantFrom(0, 1, 2 ** 30, 2 ** 31 - 1);
const step = fc.oneof(
  fc.record({ do: fc.constant('learn' as const), key, destination }),
  fc.record({
    do: fc.constant('set' as const),
    key,
    destination,
    origin: fc.integer({ min: 1, max: 3 }),
    state: fc.integer({ min: 0, max: 2 }),
  }),
  fc.record({ do: fc.constant('remove' as const), key }),
  fc.record({ do: fc.constant('send' as const), key, frames: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ do: fc.constant('sweep' as const), wait: fc.integer({ min: 0, max: 30 }) }),
);

function entriesOf(table: FdbTable): FdbEntry[] {
  const entries: FdbEntry[] = [];
  for (let slot = 0; slot < table.slots; slot += 1) {
    const entry = table.entryAt(slot);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

function sorted(entries: readonly FdbEntry[]): FdbEntry[] {
  return [...entries].sort((a, b) => a.vni - b.vni || a.macHigh - b.macHigh || a.macLow - b.macLow);
}

describe('the FDB', () => {
  it('does what a plain list does, whatever is done to it', () => {
    const steps = fc.array(step, { maxLength: 150, size: 'max' });
    const capacity = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(steps, capacity, fc.integer(), (todo, size, seed) => {
        const table = FdbTable.create(size, seed);
        const model = new NaiveFdb(size);
        const ageing = new Ageing(table, () => AGEING_SECONDS);
        let now = 1;
        for (const action of todo) {
          now += 1;
          if (action.do === 'sweep') {
            now += action.wait;
            expect(ageing.sweep(now, table.slots)).toBe(model.sweep(now));
          } else if (action.do === 'learn') {
            const expected = model.learn(action.key, action.destination, now);
            expect(table.learn(...action.key, action.destination, now)).toBe(expected);
          } else if (action.do === 'remove') {
            expect(table.remove(...action.key)).toBe(model.remove(action.key));
          } else if (action.do === 'send') {
            expect(table.lookup(...action.key)).toBe(model.read(action.key)?.destination ?? -1);
            if (model.read(action.key) === undefined) continue;
            table.touch(table.matchedSlot, now, action.frames);
            model.touch(action.key, action.frames, now);
          } else {
            const { destination: to, origin, state } = action;
            const value = { destination: to, origin, state };
            if (model.full && model.read(action.key) === undefined) {
              expect(() => table.set(...action.key, value, now)).toThrow('entries are taken');
            } else {
              table.set(...action.key, value, now);
              model.put(action.key, value, now);
            }
          }
        }
        expect(sorted(entriesOf(table))).toEqual(sorted(model.entries));
        for (const { vni, macHigh, macLow, destination: to } of model.entries) {
          expect(table.lookup(vni, macHigh, macLow)).toBe(to);
        }
        const learned = model.entries.filter(({ origin }) => origin === ORIGIN_LEARNED);
        expect([table.count, table.learnedCount]).toEqual([model.entries.length, learned.length]);
        expectExactMarks(table);
      }),
      { numRuns: 400 },
    );
  });
});
