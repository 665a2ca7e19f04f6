import { describe, expect, it } from 'vitest';

import { type RemoteKey, RemoteTable } from '../../../src/fdb/remotes.ts';
import { parseIp } from '../../../src/wire/ip.ts';

function key(address: string, change: Partial<RemoteKey> = {}): RemoteKey {
  return { tunnel: 0, address: parseIp(address)!, scope: 0, port: 4789, vni: 42, ...change };
}

describe('acquire()', () => {
  it('gives equal keys one row and different keys different rows', () => {
    const remotes = RemoteTable.create(16);
    const first = remotes.acquire(key('192.0.2.1'));
    expect(remotes.acquire(key('192.0.2.1'))).toBe(first);
    const others = [
      key('192.0.2.2'),
      key('192.0.2.1', { tunnel: 1 }),
      key('192.0.2.1', { port: 8472 }),
      key('192.0.2.1', { vni: 43 }),
      key('fe80::1', { scope: 1 }),
      key('fe80::1', { scope: 2 }),
    ].map((other) => remotes.acquire(other));
    expect(new Set([first, ...others]).size).toBe(7);
    expect(remotes.references(first)).toBe(2);
    expect(remotes.count).toBe(7);
  });

  it('tells of every row that is given to a key, and of no other', () => {
    const remotes = RemoteTable.create(1);
    const told: number[] = [];
    remotes.onNewRow = (index) => void told.push(index);
    const index = remotes.acquire(key('192.0.2.1'));
    remotes.acquire(key('192.0.2.1'));
    expect(told).toEqual([index]);
    remotes.release(index);
    remotes.release(index);
    expect(remotes.acquire(key('192.0.2.2'))).toBe(index);
    expect(told).toEqual([index, index]);
  });

  it('counts references, with retain(), and frees the row with the last one', () => {
    const remotes = RemoteTable.create(1);
    const index = remotes.acquire(key('192.0.2.1'));
    remotes.retain(index);
    remotes.release(index);
    expect(() => remotes.acquire(key('192.0.2.2'))).toThrow(
      'Cannot add the remote "192.0.2.2": all 1 rows are taken',
    );
    const generation = remotes.generation(index);
    remotes.release(index);
    expect(remotes.references(index)).toBe(0);
    expect(remotes.acquire(key('192.0.2.2'))).toBe(index);
    expect(remotes.generation(index)).not.toBe(generation);
  });

  it('lets freed rows rest as long as it can', () => {
    const remotes = RemoteTable.create(4);
    const used: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      const index = remotes.acquire(key(`192.0.2.${round}`));
      remotes.release(index);
      used.push(index);
    }
    expect(used).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
  });

  it('refuses references to rows that are not in use', () => {
    const remotes = RemoteTable.create(4);
    expect(() => remotes.release(0)).toThrow('not in use');
    expect(() => remotes.retain(0)).toThrow('not in use');
    expect(() => remotes.allow(0)).toThrow('not in use');
  });
});

describe('keyOf() and list()', () => {
  it('say what was acquired', () => {
    const remotes = RemoteTable.create(4);
    const wanted = key('fe80::1', { tunnel: 3, scope: 7, port: 1, vni: 9 });
    const first = remotes.acquire(wanted);
    const second = remotes.acquire(key('192.0.2.1', { tunnel: 3 }));
    remotes.acquire(key('192.0.2.1', { tunnel: 4 }));
    expect(remotes.keyOf(first)).toEqual(wanted);
    expect(remotes.list(3)).toEqual([first, second]);
    remotes.release(first);
    expect(remotes.list(3)).toEqual([second]);
    expect(remotes.list(5)).toEqual([]);
  });
});

describe('allow()', () => {
  it('makes a sender known until it was disallowed as often', () => {
    const remotes = RemoteTable.create(4);
    const address = parseIp('192.0.2.1')!;
    const index = remotes.acquire(key('192.0.2.1'));
    expect(remotes.findSender(0, address, 0)).toBe(-1);
    remotes.allow(index);
    remotes.allow(index);
    expect(remotes.findSender(0, address, 0)).toBe(index);
    remotes.disallow(index);
    expect([remotes.findSender(0, address, 0), remotes.allowed(index)]).toEqual([index, 1]);
    remotes.disallow(index);
    expect([remotes.findSender(0, address, 0), remotes.allowed(index)]).toEqual([-1, 0]);
    expect(() => remotes.disallow(index)).toThrow('not an allowed sender');
  });

  it('holds the row: it cannot be freed before', () => {
    const remotes = RemoteTable.create(4);
    const index = remotes.acquire(key('192.0.2.1'));
    remotes.allow(index);
    expect(() => remotes.release(index)).toThrow('still an allowed sender');
    expect(remotes.references(index)).toBe(1);
    remotes.disallow(index);
    remotes.release(index);
    expect(remotes.references(index)).toBe(0);
  });
});
