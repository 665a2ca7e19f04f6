import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VtepError } from '../../../src/base/errors.ts';
import {
  linkByIndex,
  linkByName,
  listLinks,
  resolveInterface,
  setLink,
} from '../../../src/linux/netlink-link.ts';
import { parseMac } from '../../../src/wire/mac.ts';
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

describe('links', () => {
  test('lo is found by name, by index and in the list', () => {
    const link = linkByName('lo')!;
    expect(link).toMatchObject({ name: 'lo', mac: { high: 0, low: 0 }, kind: undefined });
    expect(linkByIndex(link.index)).toEqual(link);
    expect(listLinks()).toContainEqual(link);
    expect(resolveInterface('lo')).toBe(link.index);
  });

  test('the list has every interface that Node knows', () => {
    const names = listLinks().map((link) => link.name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(networkInterfaces())));
  });

  test('what is not there is undefined', () => {
    for (const missing of ['no-such-if', '', 'x'.repeat(16), 'x'.repeat(1000)]) {
      expect(linkByName(missing)).toBeUndefined();
    }
    for (const missing of [0, -1, 2 ** 31 - 1]) expect(linkByIndex(missing)).toBeUndefined();
    expect(() => resolveInterface('no-such-if')).toThrow("Cannot find the interface 'no-such-if'");
  });
});

describeIf(REQUIREMENT, 'setLink()', () => {
  beforeEach(makeTap);
  afterEach(removeTap);

  test('changes what is given and leaves the rest', () => {
    const before = linkByIndex(index)!;
    expect(before).toMatchObject({ up: false, mtu: 1500, master: undefined });
    setLink(index, { mtu: 1450 });
    expect(linkByIndex(index)).toEqual({ ...before, mtu: 1450 });
    const mac = parseMac('02:11:22:33:44:ff')!;
    setLink(index, { mac, up: true });
    expect(linkByIndex(index)).toEqual({ ...before, mtu: 1450, mac, up: true });
    setLink(index, { up: false });
    expect(linkByIndex(index)?.up).toBe(false);
  });

  test('knows the bridge that a TAP belongs to', () => {
    const bridge = uniqueName();
    ip('link', 'add', bridge, 'type', 'bridge');
    try {
      ip('link', 'set', name, 'master', bridge);
      expect(linkByIndex(index)?.master).toBe(resolveInterface(bridge));
      expect(linkByName(bridge)?.kind).toBe('bridge');
    } finally {
      deleteLink(bridge);
    }
  });

  test('takes the largest MTU and says which are possible when refused', () => {
    setLink(index, { mtu: 65521 });
    expect(linkByIndex(index)?.mtu).toBe(65521);
    let error: unknown;
    try {
      setLink(index, { mtu: 65522 });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(VtepError);
    expect(error).toMatchObject({
      code: 'ERR_SYSCALL',
      message: `Cannot set mtu 65522 of interface ${index}: EINVAL (mtu greater than device maximum)`,
      hint: 'the MTU of a TAP is 68 to 65521',
    });
  });
});
