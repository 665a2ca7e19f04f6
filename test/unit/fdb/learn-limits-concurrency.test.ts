import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it } from 'vitest';

import {
  type FdbEntry,
  LEARN_ADDED,
  LEARN_FROZEN,
  LEARN_LIMITED,
  LEARN_MIGRATED,
  ORIGIN_LEARNED,
  ORIGIN_STATIC,
  STATE_PERMANENT,
} from '../../../src/fdb/table.ts';
import { guardedFdb, type GuardedFdb } from '../../support/guarded-fdb.ts';
import { transpileFdb } from './transpile.ts';

const WORKERS = 3;
const HAMMER_MS = 700;
const TUNNELS = 2;
const REMOTES = 8;
const KEYS = 120;
const LIMIT = { tunnel: 20, remote: 6 };

let compiled: ReturnType<typeof transpileFdb>;
beforeAll(() => {
  compiled = transpileFdb();
});
afterAll(() => compiled.close());

/** What the main thread does to entries meanwhile: adds static ones, removes, ages, releases. */
function hammer({ table, remotes }: GuardedFdb): void {
  const end = performance.now() + HAMMER_MS;
  for (let round = 0; performance.now() < end; round += 1) {
    const low = round % KEYS;
    const remote = round % REMOTES;
    const vni = 42 + remotes.tunnel(remote);
    const slot = round % table.slots;
    if (round % 7 === 0) {
      const value = { destination: remote, origin: ORIGIN_STATIC, state: STATE_PERMANENT };
      table.set(vni, 0x0200, low, value, 1);
    } else if (round % 3 === 0) table.remove(vni, 0x0200, low);
    else if (round % 3 === 1) {
      const learnedVni = table.learnedVni(slot);
      if (learnedVni >= 0) table.removeLearned(slot, learnedVni, 1);
    } else table.release(slot);
  }
}

it('LearnLimits counts exactly, whatever several threads learn, move and remove', async () => {
  const fdb = guardedFdb(2 * KEYS);
  const { table, limits, moves, remotes } = fdb;
  for (let index = 0; index < REMOTES; index += 1) fdb.remote(index % TUNNELS);
  for (let tunnel = 0; tunnel < TUNNELS; tunnel += 1) {
    limits.setLimit(tunnel, LIMIT);
    moves.setLimit(tunnel, 50, 1000);
  }
  const control = new SharedArrayBuffer(8);
  const flags = new Int32Array(control);
  const memory = {
    fdb: table.memory,
    remotes: remotes.memory,
    limits: limits.memory,
    moves: moves.memory,
  };
  const folder = join(compiled.folder, 'src/fdb');
  const workers = Array.from({ length: WORKERS }, (_, id) => {
    const numbers = { id, tunnels: 4, keys: KEYS, remoteRows: REMOTES };
    const workerData = { folder, memory, control, ...numbers };
    return new Worker(new URL('limits-worker.mjs', import.meta.url), { workerData });
  });
  let answers: number[][];
  try {
    const reporting = workers.map((worker) => once(worker, 'message') as Promise<[number[]]>);
    while (Atomics.load(flags, 1) < WORKERS) await new Promise((done) => setTimeout(done, 5));
    Atomics.store(flags, 0, 1);
    hammer(fdb);
    Atomics.store(flags, 0, 2);
    answers = (await Promise.all(reporting)).flat();
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  const live = Array.from({ length: table.slots }, (_, slot) => table.entryAt(slot) ?? []).flat();
  const learned = live.filter(({ origin }) => origin === ORIGIN_LEARNED);
  const of = (wanted: (entry: FdbEntry) => boolean): number => learned.filter(wanted).length;
  for (let remote = 0; remote < REMOTES; remote += 1) {
    expect(limits.learnedOf(remote)).toBe(of(({ destination }) => destination === remote));
  }
  for (let tunnel = 0; tunnel < TUNNELS; tunnel += 1) {
    expect(limits.learned(tunnel)).toBe(of(({ vni }) => vni === 42 + tunnel));
    expect(limits.learned(tunnel)).toBeLessThanOrEqual(LIMIT.tunnel);
  }
  expect(table.learnedCount).toBe(learned.length);
  // It was a fight, and everything happened in it.
  const total = (answer: number): number => answers.reduce((sum, each) => sum + each[answer]!, 0);
  for (const answer of [LEARN_ADDED, LEARN_MIGRATED, LEARN_LIMITED, LEARN_FROZEN]) {
    expect(total(answer), `answer ${answer}`).toBeGreaterThan(50);
  }
});
