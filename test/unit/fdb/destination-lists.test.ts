import { describe, expect, it } from 'vitest';

import { DestinationLists, isList, LIST_FLAG } from '../../../src/fdb/destination-lists.ts';
import { Grace } from '../../../src/fdb/grace.ts';

function members(lists: DestinationLists, destination: number): number[] {
  return Array.from({ length: lists.length(destination) }, (_, i) => lists.at(destination, i));
}

describe('isList()', () => {
  it('tells lists from remotes', () => {
    expect([0, 5, LIST_FLAG - 1].map(isList)).toEqual([false, false, false]);
    expect([LIST_FLAG, LIST_FLAG | 77].map(isList)).toEqual([true, true]);
  });
});

describe('DestinationLists', () => {
  it('keeps lists of any length apart, for other threads too', () => {
    const lists = DestinationLists.create(1024, Grace.create(1));
    const contents = [[], [7], [1, 2, 3], [4, 5, 6, 7], Array.from({ length: 100 }, (_, i) => i)];
    const destinations = contents.map((content) => lists.create(content));
    expect(destinations.every(isList)).toBe(true);
    const reader = new DestinationLists(lists.memory);
    expect(destinations.map((destination) => members(reader, destination))).toEqual(contents);
  });

  it('leaves a retired list as it is while a worker is in the batch it was in', () => {
    const grace = Grace.create(1);
    const lists = DestinationLists.create(4, grace);
    const first = lists.create([1, 2, 3]);
    grace.enter(0);
    lists.retire(first);
    grace.collect();
    expect(() => lists.create([9])).toThrow(expect.objectContaining({ code: 'ERR_LIMIT' }));
    expect(members(lists, first)).toEqual([1, 2, 3]);
    grace.leave(0);
    grace.collect();
    expect(members(lists, lists.create([9]))).toEqual([9]);
  });

  it('says how long the list was that found no room', () => {
    const lists = DestinationLists.create(8, Grace.create(1));
    expect(() => lists.create(new Array<number>(8).fill(1))).toThrow('a list of 8 remotes');
    expect(members(lists, lists.create(new Array<number>(7).fill(1)))).toHaveLength(7);
  });

  it('reuses the storage of a list that grows for ever', () => {
    const grace = Grace.create(1);
    const lists = DestinationLists.create(256, grace);
    let destination = lists.create([]);
    for (let round = 0; round < 10_000; round += 1) {
      const next = lists.create(Array.from({ length: round % 100 }, (_, i) => round + i));
      lists.retire(destination);
      grace.collect();
      destination = next;
    }
    expect(members(lists, destination)).toHaveLength(99);
  });

  it('lets only its maker retire, and only lists', () => {
    const lists = DestinationLists.create(8, Grace.create(1));
    const destination = lists.create([1]);
    expect(() => lists.retire(1)).toThrow();
    expect(() => new DestinationLists(lists.memory).retire(destination)).toThrow();
  });
});
