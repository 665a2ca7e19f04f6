import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  NEIGHBOUR_LOCAL,
  NEIGHBOUR_ROUTER,
  NEIGHBOUR_STATIC,
  NEIGHBOURS_LOCK,
  NO_NEIGHBOUR,
  NeighbourRows,
  SAYS_ALL,
  SAYS_MAC_ONLY,
  SAYS_WEAKLY,
  NEIGHBOUR_ADDED,
  NEIGHBOUR_BUSY,
  NEIGHBOUR_CHANGED,
  NEIGHBOUR_FULL,
  NEIGHBOUR_IGNORED,
  NEIGHBOUR_KNOWN,
  NEIGHBOUR_PINNED,
} from '../../../src/fdb/neighbour-rows.ts';
import { NeighbourTable } from '../../../src/fdb/neighbours.ts';
import { parseIp } from '../../../src/wire/ip.ts';

const NOW = 1000;
const ADDRESS = ip('10.0.0.2');

function ip(text: string): Uint8Array {
  return parseIp(text)!;
}

function learn(
  table: NeighbourRows,
  address: Uint8Array,
  { tunnel = 0, mac = 0xb, flags = 0, says = SAYS_ALL, now = NOW } = {},
): number {
  return table.learn(tunnel, address, 0, 0x0200, mac, flags, says, now);
}

function found(table: NeighbourRows, address: Uint8Array, tunnel = 0): number[] | undefined {
  if (table.lookup(tunnel, address, 0) === NO_NEIGHBOUR) return undefined;
  return [table.macHigh, table.macLow, table.flags];
}

describe('learn()', () => {
  it('adds what is new and keeps tunnels and families apart', () => {
    const table = NeighbourTable.create(16, 4, 1);
    expect(learn(table, ADDRESS)).toBe(NEIGHBOUR_ADDED);
    expect(learn(table, ADDRESS, { tunnel: 1, mac: 0xc })).toBe(NEIGHBOUR_ADDED);
    expect(learn(table, ip('fd00::2'), { mac: 0xd, flags: NEIGHBOUR_ROUTER })).toBe(
      NEIGHBOUR_ADDED,
    );
    expect(found(table, ADDRESS)).toEqual([0x0200, 0xb, 0]);
    expect(found(table, ADDRESS, 1)).toEqual([0x0200, 0xc, 0]);
    expect(found(table, ip('fd00::2'))).toEqual([0x0200, 0xd, NEIGHBOUR_ROUTER]);
    expect(found(table, ip('10.0.0.3'))).toBeUndefined();
  });

  it('confirms what is known without the lock', () => {
    const table = NeighbourTable.create(16, 4, 1);
    learn(table, ADDRESS);
    table.words[NEIGHBOURS_LOCK] = 1;
    expect(learn(table, ADDRESS, { now: NOW + 5 })).toBe(NEIGHBOUR_KNOWN);
    expect(learn(table, ADDRESS, { mac: 0xc })).toBe(NEIGHBOUR_BUSY);
    expect(learn(table, ip('10.0.0.3'))).toBe(NEIGHBOUR_BUSY);
    table.words[NEIGHBOURS_LOCK] = 0;
    expect(table.read(0, ADDRESS)).toMatchObject({ macLow: 0xb, confirmedSeconds: NOW + 5 });
  });

  it('moves an address to another MAC, side or role', () => {
    const table = NeighbourTable.create(16, 4, 1);
    learn(table, ADDRESS);
    expect(learn(table, ADDRESS, { mac: 0xc })).toBe(NEIGHBOUR_CHANGED);
    expect(learn(table, ADDRESS, { mac: 0xc, flags: NEIGHBOUR_LOCAL })).toBe(NEIGHBOUR_CHANGED);
    expect(found(table, ADDRESS)).toEqual([0x0200, 0xc, NEIGHBOUR_LOCAL]);
    expect(table.count).toBe(1);
    expect(table.learned(0)).toBe(1);
  });

  it('leaves a static entry as it is', () => {
    const table = NeighbourTable.create(16, 4, 1);
    const flags = NEIGHBOUR_STATIC;
    const entry = { tunnel: 0, address: ADDRESS, macHigh: 2, macLow: 3, flags };
    table.set({ ...entry, confirmedSeconds: NOW });
    expect(learn(table, ADDRESS)).toBe(NEIGHBOUR_PINNED);
    expect(found(table, ADDRESS)).toEqual([2, 3, flags]);
  });

  it('takes no other MAC from a message that does not override', () => {
    const table = NeighbourTable.create(16, 4, 1);
    expect(learn(table, ADDRESS, { says: SAYS_WEAKLY })).toBe(NEIGHBOUR_ADDED);
    expect(learn(table, ADDRESS, { says: SAYS_WEAKLY, mac: 0xc })).toBe(NEIGHBOUR_IGNORED);
    expect(found(table, ADDRESS)).toEqual([0x0200, 0xb, 0]);
  });

  it('makes no entry from a message that is silent of the router flag, and keeps that flag', () => {
    const table = NeighbourTable.create(16, 4, 1);
    expect(learn(table, ADDRESS, { says: SAYS_MAC_ONLY })).toBe(NEIGHBOUR_IGNORED);
    learn(table, ADDRESS, { flags: NEIGHBOUR_ROUTER });
    expect(learn(table, ADDRESS, { says: SAYS_MAC_ONLY })).toBe(NEIGHBOUR_KNOWN);
    expect(learn(table, ADDRESS, { says: SAYS_MAC_ONLY, mac: 0xc })).toBe(NEIGHBOUR_CHANGED);
    expect(found(table, ADDRESS)).toEqual([0x0200, 0xc, NEIGHBOUR_ROUTER]);
  });

  it('stops at what one tunnel may have, and then at what is left to users', () => {
    const table = NeighbourTable.create(64, 8, 1);
    const outcomes = new Map<number, number>();
    for (let tunnel = 0; tunnel < 8; tunnel += 1) {
      for (let host = 1; host <= 20; host += 1) {
        const outcome = learn(table, ip(`10.0.0.${host}`), { tunnel });
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      expect(table.learned(tunnel)).toBeLessThanOrEqual(table.learnedPerTunnel);
    }
    expect(table.learnedPerTunnel).toBe(15);
    expect(outcomes).toEqual(
      new Map([
        [NEIGHBOUR_ADDED, 60],
        [NEIGHBOUR_FULL, 100],
      ]),
    );
    const entry = { tunnel: 7, macHigh: 2, macLow: 3, flags: NEIGHBOUR_STATIC };
    for (let host = 1; host <= 4; host += 1)
      table.set({ ...entry, address: ip(`10.0.1.${host}`), confirmedSeconds: NOW });
    expect(() => table.set({ ...entry, address: ADDRESS, confirmedSeconds: NOW })).toThrow(
      'Cannot add more than 64 neighbours',
    );
  });
});

describe('lookup()', () => {
  it('finds nothing in a row that is being written', () => {
    const table = NeighbourTable.create(16, 4, 1);
    learn(table, ADDRESS);
    const row = table.lookup(0, ADDRESS, 0);
    table.words[row]! += 1;
    expect(found(table, ADDRESS)).toBeUndefined();
    table.words[row]! += 1;
    expect(found(table, ADDRESS)).toBeDefined();
  });

  it('finds exactly what a map of the same history holds', () => {
    const step = fc.record({
      host: fc.integer({ min: 1, max: 24 }),
      tunnel: fc.integer({ min: 0, max: 1 }),
      mac: fc.integer({ min: 1, max: 3 }),
      remove: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = NeighbourTable.create(64, 2, 7);
        const reader = new NeighbourRows(table.memory);
        const model = new Map<string, number>();
        for (const { host, tunnel, mac, remove } of steps) {
          const address = ip(`10.0.0.${host}`);
          const key = `${tunnel} ${host}`;
          if (remove) {
            expect(table.remove(tunnel, address)).toBe(model.delete(key));
          } else if (learn(table, address, { tunnel, mac }) !== NEIGHBOUR_FULL) {
            model.set(key, mac);
          }
        }
        expect(table.count).toBe(model.size);
        for (let host = 1; host <= 24; host += 1) {
          for (const tunnel of [0, 1]) {
            const mac = found(reader, ip(`10.0.0.${host}`), tunnel)?.[1];
            expect(mac).toBe(model.get(`${tunnel} ${host}`));
          }
        }
      }),
    );
  });
});
