import { describe, expect, it } from 'vitest';

import { Grace } from '../../../src/fdb/grace.ts';

function setUp(workers: number): { grace: Grace; ran: string[]; retire: (name: string) => void } {
  const grace = Grace.create(workers);
  const ran: string[] = [];
  return { grace, ran, retire: (name) => grace.retire(() => ran.push(name)) };
}

describe('Grace', () => {
  it('runs a callback on collect(), not at once, when no worker is in a batch', () => {
    const { grace, ran, retire } = setUp(2);
    retire('a');
    expect(ran).toEqual([]);
    expect(grace.pending).toBe(1);
    expect(grace.collect()).toBe(1);
    expect(ran).toEqual(['a']);
    expect([grace.pending, grace.collect()]).toEqual([0, 0]);
  });

  it('waits for every worker that was in a batch', () => {
    const { grace, ran, retire } = setUp(3);
    grace.enter(0);
    grace.enter(2);
    retire('a');
    grace.collect();
    grace.leave(0);
    grace.collect();
    expect(ran).toEqual([]);
    grace.leave(2);
    grace.collect();
    expect(ran).toEqual(['a']);
  });

  it('does not wait for batches that began later', () => {
    const { grace, ran, retire } = setUp(1);
    grace.enter(0);
    retire('a');
    grace.leave(0);
    grace.enter(0);
    retire('b');
    expect(grace.collect()).toBe(1);
    expect(ran).toEqual(['a']);
    grace.leave(0);
    grace.collect();
    expect(ran).toEqual(['a', 'b']);
  });

  it('does not wait for a worker that came after the retirement', () => {
    const { grace, ran, retire } = setUp(1);
    retire('a');
    grace.enter(0);
    grace.collect();
    expect(ran).toEqual(['a']);
  });

  it('keeps the order, also for what callbacks retire', () => {
    const { grace, ran, retire } = setUp(1);
    grace.retire(() => retire('c'));
    retire('b');
    grace.collect();
    expect(ran).toEqual(['b']);
    grace.collect();
    expect(ran).toEqual(['b', 'c']);
  });

  it('runs all callbacks when one throws, and throws that', () => {
    const { grace, ran, retire } = setUp(1);
    grace.retire(() => {
      throw new Error('broken');
    });
    retire('b');
    expect(() => grace.collect()).toThrow('broken');
    expect(ran).toEqual(['b']);
    expect(grace.pending).toBe(0);
  });

  it('works over memory that another thread made', () => {
    const { grace, ran, retire } = setUp(2);
    const worker = new Grace(grace.memory);
    worker.enter(1);
    retire('a');
    grace.collect();
    expect(ran).toEqual([]);
    worker.leave(1);
    grace.collect();
    expect(ran).toEqual(['a']);
  });

  it('needs no worker', () => {
    const { grace, ran, retire } = setUp(0);
    retire('a');
    grace.collect();
    expect(ran).toEqual(['a']);
  });
});
