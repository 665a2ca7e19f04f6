import { describe, expect, test } from 'vitest';
import {
  TUNNEL_COALESCE,
  TUNNEL_COALESCE_FAILED,
  TUNNEL_LEARNING,
  TUNNEL_SEGMENTATION_FAILED,
  TUNNEL_SEGMENTS,
  TunnelTable,
} from '../../../src/dataplane/tunnel-table.ts';

const ROW = {
  flags: TUNNEL_LEARNING,
  vni: 0xff_ffff,
  macHigh: 0xfe00,
  macLow: 0x8000_0001,
  mtu: 9,
};

describe('TunnelTable', () => {
  test('holds what was written, in its own row, for every thread that has the memory', () => {
    const table = new TunnelTable(3);
    table.write(1, ROW);
    const other = new TunnelTable(3, table.memory);
    expect([other.vni(1), other.mtu(1), other.learns(1)]).toEqual([0xff_ffff, 9, true]);
    expect(other.isOwnMac(1, 0xfe00, 0x8000_0001)).toBe(true);
    expect([other.vni(0), other.vni(2), other.learns(0)]).toEqual([0, 0, false]);
  });

  test('switches learning and leaves the other flags', () => {
    const table = new TunnelTable(1);
    table.write(0, { ...ROW, flags: TUNNEL_COALESCE });
    table.setLearning(0, true);
    expect(table.flags(0)).toBe(TUNNEL_COALESCE | TUNNEL_LEARNING);
    table.setLearning(0, false);
    expect(table.flags(0)).toBe(TUNNEL_COALESCE);
  });

  test('compares both parts of the MAC', () => {
    const table = new TunnelTable(1);
    table.write(0, ROW);
    expect(table.isOwnMac(0, 0xfe01, 0x8000_0001)).toBe(false);
    expect(table.isOwnMac(0, 0xfe00, 0x8000_0000)).toBe(false);
    table.setMac(0, 0x0200, 0xffff_ffff);
    expect(table.isOwnMac(0, 0x0200, 0xffff_ffff)).toBe(true);
  });

  test('tells its flags apart', () => {
    const table = new TunnelTable(1);
    const flags = (): boolean[] => [table.learns(0), table.coalesces(0), table.segments(0)];
    const states = [TUNNEL_LEARNING, TUNNEL_COALESCE, TUNNEL_SEGMENTS].map((flag) => {
      table.write(0, { ...ROW, flags: flag });
      return flags();
    });
    expect(states).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ]);
  });

  test('switches coalescing off after a failure, and says so', () => {
    const table = new TunnelTable(1);
    table.write(0, { ...ROW, flags: TUNNEL_LEARNING | TUNNEL_COALESCE });
    table.failCoalescing(0);
    expect(table.coalesces(0)).toBe(false);
    expect(table.flags(0)).toBe(TUNNEL_LEARNING | TUNNEL_COALESCE_FAILED);
  });

  test('notes that segmentation failed, and leaves it to the sockets', () => {
    const table = new TunnelTable(1);
    table.write(0, { ...ROW, flags: TUNNEL_SEGMENTS });
    table.failSegmentation(0);
    expect(table.flags(0)).toBe(TUNNEL_SEGMENTS | TUNNEL_SEGMENTATION_FAILED);
  });

  test('takes another MTU', () => {
    const table = new TunnelTable(1);
    table.write(0, ROW);
    table.setMtu(0, 1400);
    expect([table.mtu(0), table.vni(0)]).toEqual([1400, 0xff_ffff]);
  });

  test('clamps segment sizes by family only where it was told to', () => {
    const table = new TunnelTable(2);
    table.write(1, { ...ROW, mssLimit4: 1410, mssLimit6: 1390 });
    expect([4, 6].map((family) => table.mssLimit(1, family))).toEqual([1410, 1390]);
    expect(table.mssLimit(0, 4)).toBe(0);
    table.write(1, ROW);
    expect([4, 6].map((family) => table.mssLimit(1, family))).toEqual([0, 0]);
  });
});
