import { expect, it } from 'vitest';

import {
  deliveryVid,
  isTrunk,
  VLAN_DROP,
  VLAN_PASS,
  VLAN_STRIP,
  VlanTable,
  vlanPolicy,
} from '../../../src/dataplane/vlan-table.ts';

it('is 0 for a tunnel that leaves frames alone', () => {
  const table = new VlanTable(4);
  table.set(1, VLAN_PASS, 0);
  expect(table.mode(1)).toBe(0);
});

it('keeps policy, tag and VLANs of a tunnel apart', () => {
  const table = new VlanTable(8);
  const other = new VlanTable(8, table.memory);
  table.set(1, VLAN_DROP, 0);
  expect(table.setTrunk(1, [10, 4094], [2, 3])).toBe(true);
  table.set(2, VLAN_STRIP, 4094);
  const trunk = other.mode(1);
  expect([vlanPolicy(trunk), deliveryVid(trunk), isTrunk(trunk)]).toEqual([VLAN_DROP, 0, true]);
  expect([10, 4094, 11, 0].map((vid) => other.tunnelOf(trunk, vid))).toEqual([2, 3, -1, -1]);
  const vlan = other.mode(2);
  expect([vlanPolicy(vlan), deliveryVid(vlan), isTrunk(vlan)]).toEqual([VLAN_STRIP, 4094, false]);
  expect(other.tunnelOf(vlan, 10)).toBe(-1);
});

it('has room for 64 devices with VLANs, again after one goes', () => {
  const table = new VlanTable(70);
  for (let tunnel = 0; tunnel < 64; tunnel += 1) {
    expect(table.setTrunk(tunnel, [5], [tunnel])).toBe(true);
  }
  expect(table.setTrunk(64, [6], [64])).toBe(false);
  table.clear(9);
  expect(table.setTrunk(64, [6], [64])).toBe(true);
  expect([5, 6].map((vid) => table.tunnelOf(table.mode(64), vid))).toEqual([-1, 64]);
});
