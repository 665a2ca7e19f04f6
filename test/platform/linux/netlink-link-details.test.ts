import { expect, it } from 'vitest';
import { resolveInterface } from '../../../src/linux/netlink-link.ts';
import { listLinkDetails } from '../../../src/linux/netlink-link-details.ts';
import { describeIf } from '../../support/requires.ts';
import { deleteLink, ip, uniqueName } from './names.ts';

describeIf({ root: true, tun: true, commands: ['ip'] }, 'listLinkDetails()', () => {
  it('says what ip says, of devices that are up and down', () => {
    const name = uniqueName();
    ip('tuntap', 'add', name, 'mode', 'tap');
    try {
      for (const state of ['down', 'up']) {
        ip('link', 'set', name, state);
        const [wanted] = JSON.parse(ip('-j', '-d', 'link', 'show', name)) as object[];
        const { master, ...details } = listLinkDetails().get(resolveInterface(name))!;
        expect(master).toBeUndefined();
        expect(wanted).toMatchObject(details);
      }
    } finally {
      deleteLink(name);
    }
  });
});
