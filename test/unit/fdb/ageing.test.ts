import { describe, expect, it } from 'vitest';

import { Ageing } from '../../../src/fdb/ageing.ts';
import {
  FdbTable,
  ORIGIN_CONTROL,
  ORIGIN_LEARNED,
  ORIGIN_STATIC,
  STATE_DYNAMIC,
  STATE_PERMANENT,
} from '../../../src/fdb/table.ts';

const HIGH = 0x5254;

describe('sweep()', () => {
  it('removes what nothing came from for longer than the ageing time, and tells', () => {
    const table = FdbTable.create(8);
    const aged: number[] = [];
    const ageing = new Ageing(
      table,
      () => 300,
      ({ macLow }) => aged.push(macLow),
    );
    table.learn(1, HIGH, 1, 7, 1000);
    table.learn(1, HIGH, 2, 7, 1100);
    expect(ageing.sweep(1300, table.slots)).toBe(0);
    expect(ageing.sweep(1301, table.slots)).toBe(1);
    expect(aged).toEqual([1]);
    expect(table.lookup(1, HIGH, 1)).toBe(-1);
    expect(table.lookup(1, HIGH, 2)).toBe(7);
  });

  it('counts from the last frame that came from the MAC, not from those sent to it', () => {
    const table = FdbTable.create(8);
    const ageing = new Ageing(table, () => 10);
    for (const mac of [1, 2]) table.learn(1, HIGH, mac, 7, 100);
    table.learn(1, HIGH, 1, 7, 109);
    table.lookup(1, HIGH, 2);
    table.touch(table.matchedSlot, 109, 5);
    expect(ageing.sweep(115, table.slots)).toBe(1);
    expect(table.lookup(1, HIGH, 1)).toBe(7);
    expect(table.lookup(1, HIGH, 2)).toBe(-1);
  });

  it('asks for the ageing time of each VNI, and lets 0 mean never', () => {
    const table = FdbTable.create(8);
    const ageing = new Ageing(table, (vni) => (vni === 1 ? 0 : vni));
    for (const vni of [1, 50, 500]) table.learn(vni, HIGH, 1, 7, 1);
    expect(ageing.sweep(100, table.slots)).toBe(1);
    expect(ageing.sweep(1_000_000, table.slots)).toBe(1);
    expect(table.lookup(1, HIGH, 1)).toBe(7);
  });

  it('never removes what a user or a control plane pinned; a dynamic entry ages', () => {
    const table = FdbTable.create(8);
    const ageing = new Ageing(table, () => 10);
    for (const origin of [ORIGIN_STATIC, ORIGIN_CONTROL, ORIGIN_LEARNED]) {
      const state = origin === ORIGIN_LEARNED ? STATE_DYNAMIC : STATE_PERMANENT;
      table.set(1, HIGH, origin, { destination: 7, origin, state }, 1);
    }
    expect(ageing.sweep(1000, table.slots)).toBe(1);
    expect(table.lookup(1, HIGH, ORIGIN_LEARNED)).toBe(-1);
    expect(table.count).toBe(2);
  });

  it('goes round the table in pieces and looks at every slot once', () => {
    const table = FdbTable.create(256);
    const ageing = new Ageing(table, () => 10);
    for (let mac = 0; mac < 200; mac += 1) table.learn(1, HIGH, mac, 7, 1);
    let aged = 0;
    for (let looked = 0; looked < table.slots; looked += 13) {
      const step = Math.min(13, table.slots - looked);
      const now = ageing.sweep(100, step);
      expect(now).toBeLessThanOrEqual(step);
      aged += now;
    }
    expect(aged).toBe(200);
    expect(table.count).toBe(0);
  });

  it('looks at each slot at most once in one call', () => {
    const table = FdbTable.create(4);
    const ageing = new Ageing(table, () => 10);
    table.learn(1, HIGH, 1, 7, 1);
    expect(ageing.sweep(100, 1_000_000_000)).toBe(1);
  });
});
