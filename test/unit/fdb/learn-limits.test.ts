import { beforeEach, describe, expect, it } from 'vitest';

import { Ageing } from '../../../src/fdb/ageing.ts';
import { LearnLimits } from '../../../src/fdb/learn-limits.ts';
import {
  LEARN_ADDED,
  LEARN_LIMITED,
  LEARN_MIGRATED,
  LEARN_REFRESHED,
  ORIGIN_CONTROL,
  ORIGIN_LEARNED,
  ORIGIN_STATIC,
  STATE_DYNAMIC,
  STATE_PERMANENT,
} from '../../../src/fdb/table.ts';
import { guardedFdb, type GuardedFdb } from '../../support/guarded-fdb.ts';

const VNI = 42;
const HIGH = 0x0200;

let fdb: GuardedFdb;
let a: number;
let b: number;

beforeEach(() => {
  fdb = guardedFdb();
  a = fdb.remote();
  b = fdb.remote();
});

const learn = (low: number, from: number): number => fdb.table.learn(VNI, HIGH, low, from, 1);

describe('LearnLimits', () => {
  it('counts what is learned, by tunnel and by remote', () => {
    for (let low = 0; low < 5; low += 1) learn(low, low < 3 ? a : b);
    learn(0, a);
    expect([fdb.limits.learnedOf(a), fdb.limits.learnedOf(b), fdb.limits.learned(0)]).toEqual([
      3, 2, 5,
    ]);
    expect(fdb.limits.learned(1)).toBe(0);
  });

  it('follows a MAC that moves, goes, ages or is made static', () => {
    for (let low = 0; low < 4; low += 1) learn(low, a);
    expect(learn(0, b)).toBe(LEARN_MIGRATED);
    expect([fdb.limits.learnedOf(a), fdb.limits.learnedOf(b)]).toEqual([3, 1]);
    fdb.table.remove(VNI, HIGH, 1);
    expect(fdb.limits.learnedOf(a)).toBe(2);
    const pinned = { destination: b, origin: ORIGIN_STATIC, state: STATE_PERMANENT };
    fdb.table.set(VNI, HIGH, 2, pinned, 1);
    expect([fdb.limits.learnedOf(a), fdb.limits.learnedOf(b)]).toEqual([1, 1]);
    fdb.table.set(VNI, HIGH, 2, { ...pinned, origin: ORIGIN_LEARNED, state: STATE_DYNAMIC }, 1);
    expect(fdb.limits.learnedOf(b)).toBe(2);
    expect(new Ageing(fdb.table, () => 5).sweep(100, fdb.table.slots)).toBe(3);
    expect([fdb.limits.learnedOf(a), fdb.limits.learnedOf(b), fdb.limits.learned(0)]).toEqual([
      0, 0, 0,
    ]);
  });

  it('refuses to learn more than the tunnel may, and evicts nothing', () => {
    fdb.limits.setLimit(0, { tunnel: 3, remote: 0 });
    for (let low = 0; low < 3; low += 1) expect(learn(low, a)).toBe(LEARN_ADDED);
    expect(learn(3, a)).toBe(LEARN_LIMITED);
    expect(learn(3, b)).toBe(LEARN_LIMITED);
    expect(learn(0, a)).toBe(LEARN_REFRESHED);
    expect(fdb.table.lookup(VNI, HIGH, 3)).toBe(-1);
    fdb.table.remove(VNI, HIGH, 0);
    expect(learn(3, b)).toBe(LEARN_ADDED);
    const other = fdb.remote(1);
    expect(fdb.table.learn(43, HIGH, 9, other, 1), 'another tunnel').toBe(LEARN_ADDED);
  });

  it('refuses to learn more of one remote, but lets a known MAC move to it', () => {
    fdb.limits.setLimit(0, { tunnel: 0, remote: 2 });
    expect([0, 1, 2].map((low) => learn(low, a))).toEqual([
      LEARN_ADDED,
      LEARN_ADDED,
      LEARN_LIMITED,
    ]);
    expect(learn(2, b)).toBe(LEARN_ADDED);
    expect(learn(2, a)).toBe(LEARN_MIGRATED);
    expect(fdb.limits.learnedOf(a)).toBe(3);
  });

  it('counts neither static nor control-plane entries, and never refuses them', () => {
    fdb.limits.setLimit(0, { tunnel: 1, remote: 1 });
    learn(0, a);
    for (const [low, origin] of [
      [1, ORIGIN_STATIC],
      [2, ORIGIN_CONTROL],
    ] as const) {
      fdb.table.set(VNI, HIGH, low, { destination: a, origin, state: STATE_PERMANENT }, 1);
    }
    expect([fdb.limits.learned(0), fdb.table.count]).toEqual([1, 3]);
  });

  it('is the same over the same memory', () => {
    learn(0, a);
    const other = new LearnLimits(4, fdb.remotes, fdb.limits.memory);
    expect([other.learned(0), other.learnedOf(a)]).toEqual([1, 1]);
  });
});
