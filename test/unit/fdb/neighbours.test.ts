import { describe, expect, it } from 'vitest';
import { NEIGHBOUR_STATIC, NO_NEIGHBOUR, SAYS_ALL } from '../../../src/fdb/neighbour-rows.ts';
import { NeighbourTable } from '../../../src/fdb/neighbours.ts';
import { parseIp } from '../../../src/wire/ip.ts';

const NOW = 1000;

function filled(): NeighbourTable {
  const table = NeighbourTable.create(64, 4, 1);
  for (let host = 1; host <= 12; host += 1) {
    table.learn(host % 3, parseIp(`10.0.0.${host}`)!, 0, 0x0200, host, 0, SAYS_ALL, NOW + host);
  }
  const pinned = { tunnel: 1, address: parseIp('fd00::9')!, macHigh: 2, macLow: 0xffff_ffff };
  table.set({ ...pinned, flags: NEIGHBOUR_STATIC, confirmedSeconds: NOW });
  return table;
}

describe('the table of neighbours', () => {
  it('reads entries by address and slot by slot, MACs unsigned', () => {
    const table = filled();
    expect(table.read(1, parseIp('fd00::9')!)).toEqual({
      tunnel: 1,
      address: parseIp('fd00::9'),
      macHigh: 2,
      macLow: 0xffff_ffff,
      flags: NEIGHBOUR_STATIC,
      confirmedSeconds: NOW,
      usedSeconds: NOW,
    });
    expect(table.read(0, parseIp('fd00::9')!)).toBeUndefined();
    const all = Array.from({ length: table.slots }, (_, slot) => table.entryAt(slot));
    expect(all.filter((entry) => entry !== undefined)).toHaveLength(13);
    expect(table.count).toBe(13);
  });

  it('is the same table over its memory, and over no other', () => {
    const other = new NeighbourTable(filled().memory);
    expect(other.count).toBe(13);
    expect(() => new NeighbourTable(new SharedArrayBuffer(256))).toThrow(TypeError);
  });

  it('turns a learned entry into a static one and counts it no more as learned', () => {
    const table = filled();
    const address = parseIp('10.0.0.1')!;
    const before = table.learned(1);
    const entry = { tunnel: 1, address, macHigh: 1, macLow: 1, confirmedSeconds: NOW };
    table.set({ ...entry, flags: NEIGHBOUR_STATIC });
    expect(table.learned(1)).toBe(before - 1);
    expect(table.count).toBe(13);
  });

  it('removes all that match', () => {
    const table = filled();
    expect(table.removeAll(({ tunnel }) => tunnel === 1)).toBe(5);
    expect(table.count).toBe(8);
    expect(table.lookup(1, parseIp('10.0.0.1')!, 0)).toBe(NO_NEIGHBOUR);
    expect(table.learned(1)).toBe(0);
  });

  it('notes which entry has answered', () => {
    const table = filled();
    table.touch(table.lookup(1, parseIp('10.0.0.1')!, 0), NOW + 99);
    expect(table.read(1, parseIp('10.0.0.1')!)).toMatchObject({ usedSeconds: NOW + 99 });
  });

  it('ages learned entries that nobody confirmed, by the ageing time of their tunnel', () => {
    const table = filled();
    const limit = (tunnel: number): number => (tunnel === 2 ? 0 : 10);
    expect(table.sweep(NOW + 11, table.slots, limit)).toBe(0);
    // Hosts 1 to 6 are older than ten seconds now; 2 and 5 are in tunnel 2, which never ages.
    expect(table.sweep(NOW + 17, table.slots, limit)).toBe(4);
    expect(table.read(1, parseIp('fd00::9')!)).toBeDefined();
    expect(table.read(2, parseIp('10.0.0.2')!)).toBeDefined();
    expect(table.read(1, parseIp('10.0.0.7')!)).toBeDefined();
  });

  it('ages a piece at a time, all of it in the end', () => {
    const table = filled();
    let removed = 0;
    for (let turn = 0; turn < 4; turn += 1) {
      removed += table.sweep(NOW + 100, table.slots / 4, () => 1);
    }
    expect(removed).toBe(12);
  });
});
