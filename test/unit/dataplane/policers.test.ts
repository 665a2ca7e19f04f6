import { describe, expect, it } from 'vitest';

import {
  FRAME_TOKENS,
  POLICE_BROADCAST,
  POLICE_RECEIVE,
  POLICE_UNKNOWN,
  Policers,
} from '../../../src/dataplane/policers.ts';

/** A bucket of 100 frames a second with a burst of 10, and a clock to turn. */
function bucket(startMs = 0) {
  const clock = { ms: startMs | 0 };
  const policers = new Policers(2, () => clock.ms);
  policers.configure(1, POLICE_BROADCAST, 100, 10 * FRAME_TOKENS);
  const passed = (frames: number, each = 1): number => {
    let count = 0;
    for (let frame = 0; frame < frames; frame += 1) {
      if (policers.take(1, POLICE_BROADCAST, each * FRAME_TOKENS)) count += 1;
    }
    return count;
  };
  return { clock, policers, passed };
}

describe('Policers', () => {
  it('lets the burst pass, then the rate', () => {
    const { clock, passed } = bucket();
    expect(passed(50)).toBe(10);
    clock.ms += 10;
    expect(passed(50)).toBe(1);
    clock.ms += 55;
    expect(passed(50)).toBe(5);
    clock.ms += 5;
    expect(passed(50), 'halves are not lost').toBe(1);
  });

  it('saves up no more than the burst, however long nothing came', () => {
    const { clock, passed } = bucket();
    passed(50);
    clock.ms += 3_600_000;
    expect(passed(50)).toBe(10);
  });

  it('goes on when the clock of 32 bits comes round', () => {
    const { clock, passed } = bucket(2 ** 31 - 5);
    expect(passed(50)).toBe(10);
    clock.ms = (clock.ms + 20) | 0;
    expect(passed(50)).toBe(2);
    clock.ms = (clock.ms - 2 ** 31 + 100) | 0;
    expect(passed(50), 'weeks later').toBe(10);
  });

  it('lets a super-frame larger than the burst pass a full bucket only, and makes it pay', () => {
    const { clock, passed } = bucket();
    expect(passed(3, 40)).toBe(1);
    clock.ms += 300;
    expect(passed(1), 'in debt').toBe(0);
    clock.ms += 10;
    expect(passed(2)).toBe(1);
  });

  it('keeps tunnels and kinds apart, and lets pass what has no limit', () => {
    const { policers, passed } = bucket();
    passed(50);
    expect(policers.take(1, POLICE_UNKNOWN, 1e9)).toBe(true);
    expect(policers.take(0, POLICE_BROADCAST, 1e9)).toBe(true);
    policers.configure(1, POLICE_RECEIVE, 64, 1_048_576);
    expect(policers.take(1, POLICE_RECEIVE, 1_048_576)).toBe(true);
    expect(policers.take(1, POLICE_RECEIVE, 8)).toBe(false);
    policers.configure(1, POLICE_BROADCAST, 0, 1);
    expect(passed(50)).toBe(50);
  });

  it('is one bucket for all that share the memory', () => {
    const { policers, clock, passed } = bucket();
    const other = new Policers(2, () => clock.ms, policers.memory);
    expect(passed(6)).toBe(6);
    const left = Array.from({ length: 9 }, () => other.take(1, POLICE_BROADCAST, FRAME_TOKENS));
    expect(left.filter(Boolean)).toHaveLength(4);
  });
});
