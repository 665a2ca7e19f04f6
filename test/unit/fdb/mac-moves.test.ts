import { beforeEach, describe, expect, it } from 'vitest';

import {
  LEARN_FROZEN,
  LEARN_MIGRATED,
  LEARN_REFRESHED,
  ORIGIN_STATIC,
  STATE_PERMANENT,
} from '../../../src/fdb/table.ts';
import { guardedFdb, type GuardedFdb } from '../../support/guarded-fdb.ts';

const KEY = [42, 0x0200, 7] as const;

let fdb: GuardedFdb;
let places: [number, number];

beforeEach(() => {
  fdb = guardedFdb();
  places = [fdb.remote(), fdb.remote()];
  fdb.moves.setLimit(0, 5, 180);
});

/** The MAC speaks at the one place, then the other, `moves` times; returns the last answer. */
function flap(moves: number, from = 1, stepSeconds = 1): number {
  let answer = fdb.table.learn(...KEY, places[0], from);
  for (let move = 1; move <= moves; move += 1) {
    answer = fdb.table.learn(...KEY, places[move % 2]!, from + move * stepSeconds);
  }
  return answer;
}

describe('MacMoves', () => {
  it('freezes a MAC where its fifth move within the window brought it', () => {
    expect(flap(4)).toBe(LEARN_MIGRATED);
    expect(fdb.table.read(...KEY)!.frozen).toBe(false);
    expect(fdb.table.learn(...KEY, places[1], 6)).toBe(LEARN_MIGRATED);
    expect(fdb.table.read(...KEY)).toMatchObject({ frozen: true, destination: places[1] });
    expect(fdb.table.learn(...KEY, places[0], 7)).toBe(LEARN_FROZEN);
    expect(fdb.table.learn(...KEY, places[1], 8)).toBe(LEARN_REFRESHED);
    expect(fdb.table.lookup(...KEY)).toBe(places[1]);
    expect(fdb.limits.learnedOf(places[1])).toBe(1);
  });

  it('begins to count anew when the window is over', () => {
    flap(4);
    expect(fdb.table.learn(...KEY, places[1], 2 + 181)).toBe(LEARN_MIGRATED);
    expect(fdb.table.read(...KEY)!.frozen).toBe(false);
    expect(flap(20, 1000, 60)).toBe(LEARN_MIGRATED);
  });

  it('never freezes with a limit of 0', () => {
    fdb.moves.setLimit(0, 0, 180);
    expect(flap(50)).toBe(LEARN_MIGRATED);
  });

  it('forgets with the entry: what comes into its row starts at nothing', () => {
    flap(4);
    fdb.table.remove(...KEY);
    expect(flap(4, 10)).toBe(LEARN_MIGRATED);
    expect(fdb.table.read(...KEY)!.frozen).toBe(false);
    flap(5, 20);
    expect(fdb.table.read(...KEY)!.frozen).toBe(true);
    const value = { destination: places[0], origin: ORIGIN_STATIC, state: STATE_PERMANENT };
    fdb.table.set(...KEY, value, 30);
    expect(fdb.table.read(...KEY)!.frozen, 'a user overwrote it').toBe(false);
  });
});
