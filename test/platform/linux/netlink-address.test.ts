import { afterEach, beforeEach, expect, test } from 'vitest';
import { addAddress, listAddresses } from '../../../src/linux/netlink-address.ts';
import { resolveInterface, setLink } from '../../../src/linux/netlink-link.ts';
import { formatIp, parsePrefix } from '../../../src/wire/ip.ts';
import { describeIf } from '../../support/requires.ts';
import { deleteLink, ip, uniqueName } from './names.ts';

const REQUIREMENT = { root: true, tun: true, commands: ['ip'] };

let name: string;
let index: number;

function makeTap(): void {
  name = uniqueName();
  ip('tuntap', 'add', name, 'mode', 'tap');
  index = resolveInterface(name);
}

function removeTap(): void {
  deleteLink(name);
}

describeIf(REQUIREMENT, 'addresses', () => {
  beforeEach(makeTap);
  afterEach(removeTap);

  test.each(['198.51.100.5/24', '2001:db8:5::1/64', '198.51.100.7/32'])(
    '%s is added, twice',
    (text) => {
      const prefix = parsePrefix(text)!;
      addAddress(index, prefix);
      addAddress(index, prefix);
      expect(listAddresses(index)).toEqual([{ ...prefix, index }]);
    },
  );

  test('the list of all has those of lo', () => {
    const lo = resolveInterface('lo');
    const texts = listAddresses()
      .filter((address) => address.index === lo)
      .map((address) => `${formatIp(address.address)}/${address.length}`);
    expect(texts).toContain('127.0.0.1/8');
  });

  test('says why an IPv6 address is refused', () => {
    setLink(index, { mtu: 1000 });
    const prefix = parsePrefix('2001:db8:5::1/64')!;
    const expected = `Cannot add the address 2001:db8:5::1/64 to interface ${index}`;
    expect(() => addAddress(index, prefix)).toThrow(expected);
  });
});
