import { expect, it } from 'vitest';
import { linkByName, resolveInterface } from '../../../src/linux/netlink-link.ts';
import { deleteLinks } from '../../../src/linux/netlink-link-delete.ts';
import { describeIf } from '../../support/requires.ts';
import { deleteLink, ip, uniqueName } from './names.ts';

describeIf({ root: true, tun: true, commands: ['ip'] }, 'deleteLinks()', () => {
  it('deletes those and no others, also when one is gone already', () => {
    const names = [uniqueName(), uniqueName(), uniqueName()];
    for (const name of names) ip('tuntap', 'add', name, 'mode', 'tap');
    const [first, second, kept] = names.map(resolveInterface);
    try {
      deleteLinks([first!, second!, 2 ** 31 - 1]);
      expect(names.map((name) => linkByName(name)?.index)).toEqual([undefined, undefined, kept]);
      deleteLinks([first!]);
      deleteLinks([]);
    } finally {
      for (const name of names) if (linkByName(name) !== undefined) deleteLink(name);
    }
  });
});
