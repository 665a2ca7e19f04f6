import { describe, expect, it } from 'vitest';

import { RemoteTable } from '../../../src/fdb/remotes.ts';
import { parseIp } from '../../../src/wire/ip.ts';

const address = parseIp('192.0.2.1')!;

function acquire(remotes: RemoteTable, port: number): number {
  return remotes.acquire({ tunnel: 0, address, scope: 0, port, vni: 1 });
}

describe('SenderIndex', () => {
  it('lets one row stand for a sender with several ports, and another when that goes', () => {
    const remotes = RemoteTable.create(8);
    const [first, second, third] = [1, 2, 3].map((port) => acquire(remotes, port)) as [
      number,
      number,
      number,
    ];
    for (const index of [second, first, third]) remotes.allow(index);
    expect(remotes.findSender(0, address, 0)).toBe(second);
    remotes.disallow(first);
    expect(remotes.findSender(0, address, 0)).toBe(second);
    remotes.disallow(second);
    expect(remotes.findSender(0, address, 0)).toBe(third);
    remotes.disallow(third);
    expect(remotes.findSender(0, address, 0)).toBe(-1);
  });

  it('finds all that stay, in an index as full as it gets, while others come and go', () => {
    const remotes = RemoteTable.create(64);
    const addressOf = (i: number): Uint8Array => parseIp(`10.0.${i >> 8}.${i & 255}`)!;
    const open = (i: number): number => {
      const index = remotes.acquire({
        tunnel: 0,
        address: addressOf(i),
        scope: 0,
        port: 1,
        vni: 1,
      });
      remotes.allow(index);
      return index;
    };
    const rows = new Map<number, number>();
    for (let i = 0; i < 64; i += 1) rows.set(i, open(i));
    for (let round = 64; round < 5000; round += 1) {
      const gone = round - 32 - (round % 32);
      const [oldest, index] = [...rows][gone % rows.size]!;
      remotes.disallow(index);
      remotes.release(index);
      rows.delete(oldest);
      expect(remotes.findSender(0, addressOf(oldest), 0)).toBe(-1);
      rows.set(round, open(round));
      if (round % 97 !== 0) continue;
      for (const [i, row] of rows) expect(remotes.findSender(0, addressOf(i), 0)).toBe(row);
    }
    for (const index of rows.values()) remotes.disallow(index);
    // Nothing is left behind: no entry, no overflow count.
    expect(remotes.words.subarray(remotes.indexAt).every((word) => word === 0)).toBe(true);
  });
});
