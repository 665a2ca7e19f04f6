import { expect, it } from 'vitest';

import { loadConfig } from '../../../src/config/load.ts';

it('reads a map and a list of VLANs, beside which other tags are dropped', () => {
  for (const vlans of ['{10: 1010, 20: 1020}', '["10:1010", "20:1020"]']) {
    const [tunnel] = loadConfig(`tunnels: { a: { id: 1, vlans: ${vlans} } }`, 'x').tunnels;
    const wanted = [10, 20].map((vid) => ({ vid, vni: 1000 + vid }));
    expect(tunnel).toMatchObject({ vlans: wanted, vlan: 'drop' });
  }
  const [plain] = loadConfig('tunnels: { a: { id: 1 } }', 'x').tunnels;
  expect(plain).toMatchObject({ vlans: [], vlan: 'pass' });
  const [strip] = loadConfig('tunnels: { a: { id: 1, vlan: strip } }', 'x').tunnels;
  expect(strip!.vlan).toBe('strip');
});

it.each([
  ['{ id: 1, vlan: keep }', 'allowed: pass, strip, drop'],
  ['{ id: 1, vlans: { 0: 5 } }', 'names the VLAN 0'],
  ['{ id: 1, vlans: { 4095: 5 } }', 'names the VLAN 4095'],
  ['{ id: 1, vlans: { 10: 16777216 } }', 'names the VNI 16777216'],
  ['{ id: 1, vlans: { ten: 5 } }', 'is not a VLAN with its VNI'],
  ['{ id: 1, vlans: { 10: [5] } }', 'is not a VLAN with its VNI'],
  ['{ id: 1, vlans: 10 }', 'is not a VLAN with its VNI'],
  ['{ id: 1, vlans: { 10: 1 } }', 'is the VNI of tunnel "a" too'],
  ['{ id: 1, vlans: { 10: 5, 20: 5 } }', 'is the VNI of VLAN 10 of tunnel "a" too'],
  ['{ id: 1, vlans: ["10:5", "10:6"] }', 'is there twice'],
  ['{ id: 1, vlans: { 10: 2 } }, b: { id: 2 }', 'is the VNI of tunnel "b" too'],
])('refuses %s', (tunnel, message) => {
  expect(() => loadConfig(`tunnels: { a: ${tunnel} }`, 'x')).toThrow(message);
});
