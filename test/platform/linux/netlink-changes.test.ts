import { afterEach, beforeEach, test } from 'vitest';
import { NetlinkChanges } from '../../../src/linux/netlink-changes.ts';
import { describeIf } from '../../support/requires.ts';
import { waitFor } from '../../support/wait.ts';
import { deleteLink, ip, uniqueName } from './names.ts';

describeIf({ root: true, tun: true, commands: ['ip'] }, 'NetlinkChanges', () => {
  let changes: NetlinkChanges;
  let name: string;

  beforeEach(() => {
    name = uniqueName();
    ip('tuntap', 'add', name, 'mode', 'tap');
    changes = new NetlinkChanges();
  });
  afterEach(() => {
    changes.close();
    deleteLink(name);
  });

  test('tells of an MTU, an address and a route', async () => {
    const route = ['unreachable', '203.0.113.77'];
    const words = [
      ['link', 'set', name, 'mtu', '1400'],
      ['address', 'add', '198.51.100.5/24', 'dev', name],
      ['route', 'add', ...route],
      ['route', 'del', ...route],
    ];
    for (const change of words) {
      ip(...change);
      await waitFor(() => changes.take(), { what: change.join(' ') });
    }
  });

  test('does not wait, and is silent when closed twice', () => {
    // Tests that run beside this one change things too: silence cannot be asked for.
    changes.take();
    changes.close();
    changes.close();
  });
});
