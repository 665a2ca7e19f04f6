import { expect, it } from 'vitest';

import { DataPath, macNumbers, mappedAddress, VNI } from '../../support/data-path.ts';
import { udpFrame, vxlanDatagram } from '../../support/packets.ts';

const MAC_A = '02:00:00:00:00:0a';
const datagram = { bytes: vxlanDatagram(VNI, udpFrame({ source: MAC_A })) };

/** A tunnel in a group, whose own multicast leaves from 192.0.2.9. */
function withGroup(): { path: DataPath; group: number } {
  const path = new DataPath();
  const group = path.remote('239.1.1.1');
  path.tables.groups.setGroup(0, group, mappedAddress('192.0.2.9'));
  return { path, group };
}

it('delivers the frames of a member that has no row yet, and learns with the row', () => {
  const { path, group } = withGroup();
  const { high, low } = macNumbers(MAC_A);
  path.receive([datagram]);
  expect(path.writer.deliveries.map(({ remote }) => remote)).toEqual([group]);
  expect(path.tables.fdb.read(VNI, high, low)).toBeUndefined();
  const remote = path.remote('192.0.2.1');
  path.receive([datagram]);
  expect(path.writer.deliveries.map(({ remote: from }) => from)).toEqual([group, remote]);
  expect(path.tables.fdb.read(VNI, high, low)?.destination).toBe(remote);
});

it('drops our own echo, and strangers of a tunnel without a group', () => {
  const { path } = withGroup();
  path.receive([{ ...datagram, source: '192.0.2.9' }]);
  expect(path.drops()).toEqual({ own_echo: 1 });
  path.tables.groups.clearGroup(0);
  path.receive([datagram]);
  expect(path.drops()).toEqual({ own_echo: 1, remote_denied: 1 });
  expect(path.writer.deliveries).toEqual([]);
});

it('drops what a member without a row sends from a MAC that is pinned elsewhere', () => {
  const { path } = withGroup();
  path.entry(MAC_A, path.remote('192.0.2.2'));
  path.receive([datagram]);
  expect(path.drops()).toEqual({ mac_pinned: 1 });
});
