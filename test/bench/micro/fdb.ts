/** Lookups and refreshes in tables of several sizes, keys in random order. */
import {
  FdbTable,
  ORIGIN_LEARNED,
  ORIGIN_STATIC,
  STATE_DYNAMIC,
  STATE_STATIC,
} from '../../../src/fdb/table.ts';
import { FdbPages } from '../../../src/daemon/fdb-pages.ts';
import { sink } from './checksum.ts';
import type { MicroBenchmark } from './measure.ts';

const VNI = 42;
const NOW_SECONDS = 1000;
const MAC_HIGH = 0x02be;
/** As many keys as are looked up in one call. */
const KEYS = 4096;
/** Keys are drawn again for every call, out of so many prepared draws. */
const DRAWS = 1 << 22;
const CAPACITY = 1 << 20;

const SIZES: readonly (readonly [number, string])[] = [
  [1, '1 entry'],
  [1 << 16, '64 k entries'],
  [1 << 18, '256 k entries'],
  [1_000_000, '1 M entries'],
];

export const LOOKUPS: readonly MicroBenchmark[] = SIZES.map(([size, words]) => ({
  name: `FDB lookup, ${words}`,
  setUp() {
    const table = filled(size, { origin: ORIGIN_STATIC, state: STATE_STATIC });
    const keys = draws(size);
    let next = 0;
    const run = (): void => {
      let sum = 0;
      for (let index = next; index < next + KEYS; index += 1)
        sum += table.lookup(VNI, MAC_HIGH, keys[index]!);
      sink.value += sum;
      next = (next + KEYS) % DRAWS;
    };
    return { units: KEYS, run };
  },
}));

export const LEARNS: readonly MicroBenchmark[] = SIZES.map(([size, words]) => ({
  name: `FDB learn (refresh), ${words}`,
  setUp() {
    const table = filled(size, { origin: ORIGIN_LEARNED, state: STATE_DYNAMIC });
    const keys = draws(size);
    let next = 0;
    let now = NOW_SECONDS;
    const run = (): void => {
      let sum = 0;
      for (let index = next; index < next + KEYS; index += 1)
        sum += table.learn(VNI, MAC_HIGH, keys[index]!, 1, now);
      sink.value += sum;
      next = (next + KEYS) % DRAWS;
      // Another second each time round: a refresh that finds the same one has nothing to write.
      if (next === 0) now += 1;
    };
    return { units: KEYS, run };
  },
}));

function filled(size: number, kind: { origin: number; state: number }): FdbTable {
  const table = FdbTable.create(CAPACITY);
  const value = { destination: 1, ...kind };
  for (let index = 0; index < size; index += 1)
    table.set(VNI, MAC_HIGH, macLow(index), value, NOW_SECONDS);
  new FdbPages().look(table);
  return table;
}

function draws(size: number): Uint32Array {
  const keys = new Uint32Array(DRAWS);
  let state = 1;
  for (let index = 0; index < DRAWS; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    keys[index] = macLow(Math.floor((state / 2 ** 32) * size));
  }
  return keys;
}

function macLow(index: number): number {
  return Math.imul(index + 1, 0x9e37_79b1) >>> 0;
}
