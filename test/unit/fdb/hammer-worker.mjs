/**
 * One of the threads of table-concurrency.test.ts: learns and looks up keys as fast as it can until told to stop,
 * and reports what it saw. Runs the compiled table, as worker threads do in the daemon.
 */
import { parentPort, workerData } from 'node:worker_threads';

const { module, memory, control, id, keys } = workerData;
const { FdbRows, LEARN_ADDED, LEARN_MIGRATED, LEARN_REFRESHED } = await import(module);

const rows = new FdbRows(memory);
const flags = new Int32Array(control);
const seen = { lookups: 0, hits: 0, added: 0, migrated: 0, wrong: 0, missedStable: 0, lostOwn: 0 };
const own = new Map();
let state = id * 7919 + 1;

function random(below) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

/** Destinations name their key in the bits above the lowest six. */
function check(destination, key) {
  if (destination === -1) return;
  seen.hits += 1;
  if (destination >> 6 !== key) seen.wrong += 1;
}

function lookUp(key) {
  seen.lookups += 1;
  const destination = rows.lookup(keys.vni(key), keys.macHigh(key), keys.macLow(key));
  check(destination, key);
  return destination;
}

function learn(key) {
  const destination = (key << 6) | random(64);
  const result = rows.learn(keys.vni(key), keys.macHigh(key), keys.macLow(key), destination, 1);
  if (result === LEARN_ADDED) seen.added += 1;
  if (result === LEARN_MIGRATED) seen.migrated += 1;
  const isStored = result === LEARN_ADDED || result === LEARN_MIGRATED;
  return isStored || result === LEARN_REFRESHED ? destination : -1;
}

keys.vni = (key) => key % keys.vnis;
keys.macHigh = (key) => (key >> 3) & 1;
// Many keys share their last four bytes, so that rows differ in other fields only.
keys.macLow = (key) => key >> 4;

Atomics.add(flags, 1, 1);
while (Atomics.load(flags, 0) === 0);
while (Atomics.load(flags, 0) === 1) {
  for (let round = 0; round < 200; round += 1) {
    if (lookUp(random(keys.stable)) === -1) seen.missedStable += 1;
    const contested = keys.stable + random(keys.contested);
    lookUp(contested);
    learn(contested);
    // Nobody else touches these: what was stored is there.
    const mine = keys.stable + keys.contested + id * keys.own + random(keys.own);
    const destination = learn(mine);
    if (destination !== -1) own.set(mine, destination);
    const expected = own.get(mine);
    if (expected !== undefined && lookUp(mine) !== expected) seen.lostOwn += 1;
  }
}
parentPort.postMessage({ ...seen, own: [...own] });
