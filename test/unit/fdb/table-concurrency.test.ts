import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { VtepError } from '../../../src/base/errors.ts';
import {
  FdbTable,
  ORIGIN_LEARNED,
  ORIGIN_STATIC,
  STATE_PERMANENT,
  type FdbValue,
} from '../../../src/fdb/table.ts';
import { expectExactMarks } from './marks.ts';
import { transpileFdb } from './transpile.ts';

const WORKERS = 3;
const HAMMER_MS = 1000;
/** Keys: some that always stay, some that all threads add and remove, some of each worker's own. */
const keys = { vnis: 8, stable: 40, contested: 160, own: 20 };
const OWN = keys.stable + keys.contested;
const KEYS = OWN + WORKERS * keys.own;

interface Report {
  lookups: number;
  hits: number;
  added: number;
  migrated: number;
  wrong: number;
  missedStable: number;
  lostOwn: number;
  own: [number, number][];
}

const keyOf = (key: number): [number, number, number] => [
  key % keys.vnis,
  (key >> 3) & 1,
  key >> 4,
];

let compiled: ReturnType<typeof transpileFdb>;
beforeAll(() => {
  compiled = transpileFdb();
});
afterAll(() => compiled.close());

function setIfRoom(table: FdbTable, key: number, value: FdbValue): void {
  try {
    table.set(...keyOf(key), value, 1);
  } catch (error) {
    if (!(error instanceof VtepError) || error.code !== 'ERR_LIMIT') throw error;
  }
}

/** Changes everything but the workers' own keys, as the main thread may, for HAMMER_MS. */
function hammer(table: FdbTable): { wrong: number; rounds: number } {
  const value = { origin: ORIGIN_STATIC, state: STATE_PERMANENT };
  const end = performance.now() + HAMMER_MS;
  let wrong = 0;
  let rounds = 0;
  while (performance.now() < end) {
    for (let round = 0; round < 100; round += 1) {
      rounds += 1;
      const contested = keys.stable + Math.floor(Math.random() * keys.contested);
      // Most go, so that rows change hands all the time.
      if (rounds % 4 !== 0) table.remove(...keyOf(contested));
      else setIfRoom(table, contested, { ...value, destination: contested << 6 });
      const stable = rounds % keys.stable;
      const destination = (stable << 6) | (rounds & 63);
      const origin = rounds % 3 === 0 ? ORIGIN_LEARNED : ORIGIN_STATIC;
      table.set(...keyOf(stable), { ...value, origin, destination }, 1);
      const entry = table.entryAt(rounds % table.slots);
      if (entry === undefined) continue;
      const key = entry.destination >> 6;
      const expected = [entry.vni, entry.macHigh, entry.macLow];
      if (keyOf(key).join() !== expected.join()) wrong += 1;
    }
  }
  return { wrong, rounds };
}

describe('FdbTable under fire from several threads', () => {
  it('gives no wrong answer, misses nothing that stays, loses nothing that is stored', async () => {
    // A hundred short of all keys: the table is full at times.
    const table = FdbTable.create(KEYS - 100);
    for (let key = 0; key < keys.stable; key += 1) {
      const value = { destination: key << 6, origin: ORIGIN_STATIC, state: STATE_PERMANENT };
      table.set(...keyOf(key), value, 1);
    }
    const control = new SharedArrayBuffer(8);
    const flags = new Int32Array(control);
    const workers = Array.from({ length: WORKERS }, (_, id) => {
      const module = join(compiled.folder, 'src/fdb/rows.js');
      const workerData = { module, memory: table.memory, control, id, keys };
      return new Worker(new URL('hammer-worker.mjs', import.meta.url), { workerData });
    });
    let main: ReturnType<typeof hammer>;
    let reports: Report[];
    try {
      const reporting = workers.map((worker) => once(worker, 'message') as Promise<[Report]>);
      while (Atomics.load(flags, 1) < WORKERS) await new Promise((done) => setTimeout(done, 5));
      Atomics.store(flags, 0, 1);
      main = hammer(table);
      Atomics.store(flags, 0, 2);
      reports = (await Promise.all(reporting)).flat();
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
    }

    const own = new Map<number, number>();
    for (const report of reports) {
      expect(report).toMatchObject({ wrong: 0, missedStable: 0, lostOwn: 0 });
      for (const [key, destination] of report.own) own.set(key, destination);
      // It was a fight, not a walk.
      expect(report.hits).toBeGreaterThan(1000);
      expect(report.added).toBeGreaterThan(50);
      expect(report.migrated).toBeGreaterThan(50);
    }
    expect(main.wrong).toBe(0);

    const entries = [];
    for (let slot = 0; slot < table.slots; slot += 1) entries.push(table.entryAt(slot) ?? []);
    const live = entries.flat();
    expect(
      new Set(live.map(({ vni, macHigh, macLow }) => `${vni} ${macHigh} ${macLow}`)).size,
    ).toBe(live.length);
    expect(table.count).toBe(live.length);
    expect(table.learnedCount).toBe(live.filter(({ origin }) => origin === ORIGIN_LEARNED).length);
    for (const entry of live) {
      const found = table.lookup(entry.vni, entry.macHigh, entry.macLow);
      expect(found).toBe(entry.destination);
    }
    for (const [key, destination] of own) expect(table.lookup(...keyOf(key))).toBe(destination);
    expect(own.size).toBeGreaterThan(0);
    expectExactMarks(table);
  });
});
