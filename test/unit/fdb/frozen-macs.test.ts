import { beforeEach, describe, expect, it } from 'vitest';

import { FrozenMacs } from '../../../src/fdb/frozen-macs.ts';
import { FREEZE_RING } from '../../../src/fdb/mac-moves.ts';
import { LEARN_MIGRATED } from '../../../src/fdb/table.ts';
import { guardedFdb, type GuardedFdb } from '../../support/guarded-fdb.ts';

const HIGH = 0x0200;

let fdb: GuardedFdb;
let frozen: FrozenMacs;
let places: [number, number];

beforeEach(() => {
  fdb = guardedFdb();
  fdb.moves.setLimit(0, 1, 180);
  places = [fdb.remote(), fdb.remote()];
  frozen = new FrozenMacs(fdb.table, fdb.moves);
});

/** One move is enough. */
function freeze(low: number, now = 1): void {
  fdb.table.learn(42, HIGH, low, places[0], now);
  fdb.table.learn(42, HIGH, low, places[1], now);
}

const lows = (entries: { macLow: number }[]): number[] => entries.map(({ macLow }) => macLow);

describe('FrozenMacs', () => {
  it('tells every freeze once', () => {
    freeze(1);
    freeze(2);
    expect(lows(frozen.takeNew())).toEqual([1, 2]);
    expect(frozen.takeNew()).toEqual([]);
    freeze(3);
    expect(lows(frozen.takeNew())).toEqual([3]);
  });

  it('finds all of them when there were more than the ring holds', () => {
    const all = Array.from({ length: 2 * FREEZE_RING }, (_, index) => index + 1);
    all.forEach((low) => freeze(low));
    expect(lows(frozen.takeNew()).sort((a, b) => a - b)).toEqual(all);
  });

  it('releases when the time is over, and the MAC may move again', () => {
    freeze(1, 10);
    frozen.takeNew();
    expect(frozen.releaseDue(19, () => 10)).toEqual([]);
    expect(lows(frozen.releaseDue(20, () => 10))).toEqual([1]);
    expect(fdb.table.read(42, HIGH, 1)!.frozen).toBe(false);
    expect(fdb.table.learn(42, HIGH, 1, places[0], 21)).toBe(LEARN_MIGRATED);
  });

  it('keeps a MAC for ever with a time of 0, until its entry is removed', () => {
    freeze(1, 10);
    frozen.takeNew();
    expect(frozen.releaseDue(1_000_000, () => 0)).toEqual([]);
    fdb.table.remove(42, HIGH, 1);
    expect(frozen.releaseDue(1_000_001, () => 1)).toEqual([]);
    expect(fdb.table.learn(42, HIGH, 1, places[0], 21)).not.toBe(LEARN_MIGRATED);
  });
});
