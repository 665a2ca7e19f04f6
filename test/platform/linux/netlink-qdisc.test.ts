import { afterEach, beforeEach, expect, it } from 'vitest';
import { resolveInterface } from '../../../src/linux/netlink-link.ts';
import { removeQdisc } from '../../../src/linux/netlink-qdisc.ts';
import { describeIf } from '../../support/requires.ts';
import { deleteLink, ip, uniqueName } from './names.ts';

describeIf({ root: true, tun: true, commands: ['ip'] }, 'removeQdisc()', () => {
  let name: string;
  beforeEach(() => {
    name = uniqueName();
    ip('tuntap', 'add', name, 'mode', 'tap', 'multi_queue');
  });
  afterEach(() => deleteLink(name));

  it('leaves an interface that is set up afterwards without a queue', () => {
    const index = resolveInterface(name);
    removeQdisc(index);
    ip('link', 'set', name, 'up');
    expect(ip('link', 'show', name)).toContain('qdisc noqueue');
    // And again on one that is up.
    removeQdisc(index);
  });

  it('names the interface that is not there', () => {
    expect(() => removeQdisc(2 ** 31 - 1)).toThrow('interface 2147483647');
  });
});
