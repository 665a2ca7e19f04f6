import { expect, it } from 'vitest';

import { parseIp } from '../../../src/wire/ip.ts';
import { FdbFixture } from './fdb-fixture.ts';

const ADDRESS = parseIp('10.0.0.77')!;

it('lets a remote send, not flood, until it is dismissed', () => {
  const { verbs, tables, directory } = new FdbFixture();
  const tunnel = directory.byIndex(0)!;
  expect(tables.remotes.findSender(0, ADDRESS, 0)).toBe(-1);
  const index = verbs.admit(tunnel, { address: ADDRESS, scope: 0 })!;
  expect(tables.remotes.findSender(0, ADDRESS, 0)).toBe(index);
  expect(verbs.admittedRemotes(tunnel)).toEqual([index]);
  expect(verbs.floodRemotes(tunnel)).toEqual([]);
  expect(verbs.admit(tunnel, { address: ADDRESS, scope: 0 })).toBeUndefined();
  verbs.dismiss(tunnel, index);
  verbs.dismiss(tunnel, index);
  expect(tables.remotes.findSender(0, ADDRESS, 0)).toBe(-1);
  expect(verbs.admittedRemotes(tunnel)).toEqual([]);
});

it('admits a thousand of a tunnel and no more, and forgets them with the tunnel', async () => {
  const { verbs, tables, directory } = new FdbFixture(1024, 2048);
  const tunnel = directory.byIndex(0)!;
  for (let i = 0; i < 1100; i += 1) {
    const address = parseIp(`10.1.${i >> 8}.${i & 255}`)!;
    expect(verbs.admit(tunnel, { address, scope: 0 }) === undefined).toBe(i >= 1024);
  }
  await verbs.removeTunnels([tunnel]);
  expect(verbs.admittedRemotes(tunnel)).toEqual([]);
  expect(tables.remotes.findSender(0, parseIp('10.1.0.1')!, 0)).toBe(-1);
});
