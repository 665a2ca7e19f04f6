import { expect, test } from 'vitest';
import { leadsInto } from '../../../src/daemon/circular-route.ts';
import type { Link } from '../../../src/linux/netlink-link.ts';

function link(index: number, more: Partial<Link> = {}): Link {
  const none = { mac: undefined, kind: undefined, master: undefined, lower: undefined };
  return {
    index,
    name: `dev${index}`,
    mtu: 1500,
    up: true,
    tun: undefined,
    vxlan: undefined,
    ...none,
    ...more,
  };
}

const DEVICE = link(1_000_007);
const ON_IT = link(8, { lower: DEVICE.index });
const ON_THAT = link(9, { lower: 8 });
const ROUND = link(10, { lower: 10 });

const linkOf = (index: number): Link | undefined =>
  [DEVICE, ON_IT, ON_THAT, ROUND].find((each) => each.index === index);

test.each([
  ['the device', DEVICE.index, true],
  ['a VLAN on it', 8, true],
  ['a VLAN on a VLAN on it', 9, true],
  ['another device', 3, false],
  ['one made on itself, which no kernel has', 10, false],
])('a route by %s', (_, oif, expected) => {
  expect(leadsInto(oif, DEVICE, linkOf)).toBe(expected);
});

test('a route by its bridge, where it is the only port', () => {
  // No device of this host has a master of that number.
  expect(leadsInto(1_000_001, { ...DEVICE, master: 1_000_001 }, linkOf)).toBe(true);
});
