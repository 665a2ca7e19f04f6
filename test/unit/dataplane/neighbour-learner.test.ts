import { describe, expect, test } from 'vitest';
import { COUNTER_NEIGH_LEARNED } from '../../../src/dataplane/counters.ts';
import {
  TUNNEL_COALESCE,
  TUNNEL_LEARNING,
  TUNNEL_NEIGH_SUPPRESS,
} from '../../../src/dataplane/tunnel-table.ts';
import { NEIGHBOUR_LOCAL, NEIGHBOUR_ROUTER } from '../../../src/fdb/neighbour-rows.ts';
import { DataPath, mappedAddress, NOW_SECONDS, VNI } from '../../support/data-path.ts';
import {
  advertisement,
  arp,
  linkLayer,
  MAC_A,
  MAC_B,
  type NdSpec,
  solicitation,
} from '../../support/neighbour-frames.ts';
import { vxlanDatagram } from '../../support/packets.ts';

const FLAGS = TUNNEL_LEARNING | TUNNEL_COALESCE | TUNNEL_NEIGH_SUPPRESS;
const A = 0x0a;
const B = 0x0b;

function makePath(): DataPath {
  const path = new DataPath();
  path.tunnel(0, VNI, { flags: FLAGS });
  path.remote('192.0.2.1');
  return path;
}

function receive(path: DataPath, ...frames: Uint8Array[]): void {
  path.receive(frames.map((frame) => ({ bytes: vxlanDatagram(VNI, frame) })));
}

/** Last byte of the MAC and the flags of an address; undefined for one that is not in the table. */
function known(path: DataPath, text: string): [mac: number, flags: number] | undefined {
  const entry = path.tables.neighbours.read(0, mappedAddress(text));
  return entry === undefined ? undefined : [entry.macLow & 0xff, entry.flags];
}

describe('learning', () => {
  test('learns the sender of requests, replies and announcements of ARP', () => {
    const path = makePath();
    const from = { source: MAC_B, operation: 2 };
    receive(
      path,
      arp(),
      arp({ ...from, senderIp: '10.0.0.2', targetIp: '10.0.0.1', destination: MAC_A }),
      arp({ source: MAC_B, senderIp: '10.0.0.3', targetIp: '10.0.0.3' }),
    );
    expect(known(path, '10.0.0.1')).toEqual([A, 0]);
    expect(known(path, '10.0.0.2')).toEqual([B, 0]);
    expect(known(path, '10.0.0.3')).toEqual([B, 0]);
    expect(path.counter(COUNTER_NEIGH_LEARNED)).toBe(3);
    expect(path.writer.deliveries).toHaveLength(3);
  });

  test('learns the target of advertisements, solicited or not, with the router flag', () => {
    const path = makePath();
    const toAll = { destination: '33:33:00:00:00:01', destinationIp: 'ff02::1' };
    receive(path, advertisement(), advertisement({ ...toAll, flags: 0xa0, target: 'fd00::3' }));
    expect(known(path, 'fd00::2')).toEqual([B, 0]);
    expect(known(path, 'fd00::3')).toEqual([B, NEIGHBOUR_ROUTER]);
  });

  test('lets a solicitation move what is known, and make nothing', () => {
    const path = makePath();
    receive(path, solicitation());
    expect(known(path, 'fd00::1')).toBeUndefined();
    receive(path, advertisement({ target: 'fd00::1', flags: 0xe0 }), solicitation());
    expect(known(path, 'fd00::1')).toEqual([A, NEIGHBOUR_ROUTER]);
  });

  test('marks what the own device sends as of this side, and notices when it moves here', () => {
    const path = makePath();
    receive(path, arp());
    path.transmit([{ frame: arp() }, { frame: advertisement() }]);
    expect(known(path, '10.0.0.1')).toEqual([A, NEIGHBOUR_LOCAL]);
    expect(known(path, 'fd00::2')).toEqual([B, NEIGHBOUR_LOCAL]);
    receive(path, arp());
    expect(known(path, '10.0.0.1')).toEqual([A, 0]);
  });

  test('confirms what it hears again', () => {
    const path = makePath();
    receive(path, arp());
    path.receive([{ bytes: vxlanDatagram(VNI, arp()) }], NOW_SECONDS + 7);
    const entry = path.tables.neighbours.read(0, mappedAddress('10.0.0.1'));
    expect(entry).toMatchObject({ confirmedSeconds: NOW_SECONDS + 7 });
    expect(path.counter(COUNTER_NEIGH_LEARNED)).toBe(1);
  });

  test('is off where the tunnel does not suppress', () => {
    const path = makePath();
    path.tunnel(0, VNI);
    receive(path, arp(), advertisement());
    path.transmit([{ frame: arp() }]);
    expect(path.tables.neighbours.count).toBe(0);
  });
});

describe('nothing is learned from', () => {
  test.each<[string, Uint8Array]>([
    ['a probe (RFC 5227)', arp({ senderIp: '0.0.0.0' })],
    ['a loopback sender', arp({ senderIp: '127.0.0.1' })],
    ['a multicast sender', arp({ senderIp: '224.0.0.1' })],
    ['the broadcast address', arp({ senderIp: '255.255.255.255' })],
    ['a sender MAC that is not the source of the frame', arp({ senderMac: MAC_B })],
    ['a multicast sender MAC', arp({ senderMac: '01:00:5e:00:00:01' })],
    ['a zero sender MAC', arp({ senderMac: '00:00:00:00:00:00' })],
    ['another operation', arp({ operation: 8 })],
    ['another protocol in ARP', arp({ head: Uint8Array.of(0, 1, 0x86, 0xdd, 6, 4) })],
    ['ARP in a VLAN', arp({ vlans: [{ id: 7 }] })],
    ['a truncated ARP packet', arp().slice(0, 41)],
    ['duplicate address detection', solicitation({ sourceIp: '::', options: new Uint8Array() })],
    ['an advertisement without link-layer address', advertisement({ options: new Uint8Array() })],
    ['another MAC than the source of the frame', advertisement({ options: linkLayer(2, MAC_A) })],
    ['an IPv4-mapped target', advertisement({ target: '0:0:0:0:0:ffff:a00:2' })],
    ['an unspecified target', advertisement({ target: '::' })],
    ['a loopback target', advertisement({ target: '::1' })],
    ['a multicast target', advertisement({ target: 'ff02::1' })],
    ['a hop limit below 255', advertisement({ hopLimit: 254 })],
    ['a wrong checksum', advertisement({ wrongChecksum: true })],
    ['an option of length 0', advertisement({ options: new Uint8Array(8) })],
    [
      'an option beyond the end',
      advertisement({ options: Uint8Array.of(2, 9, 2, 0, 0, 0, 0, 11) }),
    ],
    ['neighbour discovery in a VLAN', advertisement({ vlans: [{ id: 7 }] })],
    ['a truncated advertisement', advertisement().slice(0, 85)],
  ])('%s', (_, frame) => {
    const path = makePath();
    receive(path, frame);
    path.transmit([{ frame }]);
    expect(path.tables.neighbours.count).toBe(0);
    // All of it is forwarded: judging it is the receiver's business.
    expect(path.writer.deliveries).toHaveLength(1);
  });

  test('an advertisement without override when another MAC is known', () => {
    const path = makePath();
    const other: NdSpec = { source: MAC_A, options: linkLayer(2, MAC_A), flags: 0x40 };
    receive(path, advertisement(), advertisement(other));
    expect(known(path, 'fd00::2')).toEqual([B, 0]);
  });

  test('a stranger', () => {
    const path = makePath();
    path.receive([{ bytes: vxlanDatagram(VNI, arp()), source: '192.0.2.9' }]);
    expect(path.tables.neighbours.count).toBe(0);
  });
});
