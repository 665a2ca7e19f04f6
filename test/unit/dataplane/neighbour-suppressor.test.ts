import { describe, expect, test } from 'vitest';
import { ANSWERS_MAX } from '../../../src/dataplane/answers.ts';
import { COUNTER_NEIGH_ANSWERED, COUNTER_TX_PACKETS } from '../../../src/dataplane/counters.ts';
import { TUNNEL_NEIGH_SUPPRESS } from '../../../src/dataplane/tunnel-table.ts';
import {
  NEIGHBOUR_LOCAL,
  NEIGHBOUR_ROUTER,
  NEIGHBOUR_STATIC,
} from '../../../src/fdb/neighbour-rows.ts';
import {
  DataPath,
  macNumbers,
  mappedAddress,
  NOW_SECONDS,
  type TapFrame,
  VNI,
} from '../../support/data-path.ts';
import {
  advertisement,
  arp,
  type ArpSpec,
  BROADCAST,
  MAC_A,
  MAC_B,
  type NdSpec,
  solicitation,
} from '../../support/neighbour-frames.ts';
import { udpFrame } from '../../support/packets.ts';

const FLAGS = TUNNEL_NEIGH_SUPPRESS;
const ARP_REPLY: ArpSpec = {
  operation: 2,
  destination: MAC_A,
  source: MAC_B,
  senderIp: '10.0.0.2',
  targetMac: MAC_A,
  targetIp: '10.0.0.1',
};
const PROBE: NdSpec = { sourceIp: '::', options: new Uint8Array() };

interface EntrySpec {
  readonly mac?: string;
  readonly flags?: number;
  readonly tunnel?: number;
}

/** Tunnel 0 suppresses and knows 10.0.0.2 and fd00::2 as MAC_B, static unless told otherwise. */
function makePath(flags = NEIGHBOUR_STATIC): DataPath {
  const path = new DataPath({ frames: ANSWERS_MAX + 2 });
  path.tunnel(0, VNI, { flags: FLAGS });
  path.flood([path.remote('192.0.2.1')]);
  neighbour(path, '10.0.0.2', { flags });
  neighbour(path, 'fd00::2', { flags });
  return path;
}

function neighbour(path: DataPath, text: string, spec: EntrySpec = {}): void {
  const { mac = MAC_B, flags = NEIGHBOUR_STATIC, tunnel = 0 } = spec;
  const { high: macHigh, low: macLow } = macNumbers(mac);
  const entry = { tunnel, address: mappedAddress(text), macHigh, macLow, flags };
  path.tables.neighbours.set({ ...entry, confirmedSeconds: 1 });
}

function transmit(path: DataPath, ...frames: (Uint8Array | TapFrame)[]): void {
  path.transmit(frames.map((frame) => (frame instanceof Uint8Array ? { frame } : frame)));
}

function answers(path: DataPath): Uint8Array[] {
  return path.writer.deliveries.map(({ frame }) => frame);
}

describe('a request for a known neighbour', () => {
  test('by ARP is answered in its name and not flooded', () => {
    const path = makePath();
    transmit(path, arp({ padding: new Uint8Array(18) }));
    expect(answers(path)).toEqual([arp(ARP_REPLY)]);
    expect(path.sender.datagrams).toEqual([]);
    expect(path.counter(COUNTER_NEIGH_ANSWERED)).toBe(1);
    expect(path.counter(COUNTER_TX_PACKETS)).toBe(0);
    expect(path.drops()).toEqual({});
    const entry = path.tables.neighbours.read(0, mappedAddress('10.0.0.2'));
    expect(entry).toMatchObject({ usedSeconds: NOW_SECONDS });
  });

  test('by solicitation is answered with a solicited, overriding advertisement', () => {
    const path = makePath();
    transmit(path, solicitation(), solicitation({ options: new Uint8Array() }));
    expect(answers(path)).toEqual([advertisement(), advertisement()]);
    expect(path.sender.datagrams).toEqual([]);
    expect(path.counter(COUNTER_NEIGH_ANSWERED)).toBe(2);
  });

  test('that is a router says so', () => {
    const path = makePath(NEIGHBOUR_STATIC | NEIGHBOUR_ROUTER);
    transmit(path, solicitation());
    expect(answers(path)).toEqual([advertisement({ flags: 0xe0 })]);
  });

  test('is answered to the source of the frame, whoever the source option names', () => {
    const path = makePath();
    const options = Uint8Array.of(1, 1, 2, 0, 0, 0, 0, 0x77);
    transmit(path, solicitation({ options }));
    expect(answers(path)).toEqual([advertisement()]);
  });

  test('goes back to the device of its tunnel, in which the neighbour must be', () => {
    const path = makePath();
    path.tunnel(1, 43, { flags: FLAGS });
    path.flood([path.remote('192.0.2.1', { tunnel: 1, vni: 43 })], 43);
    path.transmit([{ frame: arp() }], 1);
    expect(answers(path)).toEqual([]);
    neighbour(path, '10.0.0.2', { tunnel: 1, mac: MAC_B });
    path.transmit([{ frame: arp() }], 1);
    expect(path.writer.deliveries).toMatchObject([{ tunnel: 1 }]);
  });

  test('among other frames leaves those as they are', () => {
    const path = makePath();
    transmit(path, udpFrame(), arp(), udpFrame({ sourcePort: 7 }));
    expect(path.sender.datagrams).toHaveLength(2);
    expect(answers(path)).toHaveLength(1);
  });

  test('is flooded when there is no room for one more answer', () => {
    const path = makePath();
    transmit(path, ...Array.from({ length: ANSWERS_MAX + 1 }, () => arp()));
    expect(answers(path)).toHaveLength(ANSWERS_MAX);
    expect(path.sender.datagrams).toHaveLength(1);
  });

  test('is answered for a learned one only while the FDB knows its MAC', () => {
    const path = makePath(0);
    transmit(path, arp(), solicitation());
    expect(answers(path)).toEqual([]);
    expect(path.sender.datagrams).toHaveLength(2);
    path.entry(MAC_B, path.remote('192.0.2.1'));
    transmit(path, arp(), solicitation());
    expect(answers(path)).toHaveLength(2);
  });

  test('is flooded where the tunnel does not suppress', () => {
    const path = makePath();
    path.tunnel(0, VNI);
    transmit(path, arp(), solicitation());
    expect(answers(path)).toEqual([]);
    expect(path.sender.datagrams).toHaveLength(2);
  });
});

describe('flooded as before is', () => {
  const checksumOffload: TapFrame = {
    frame: solicitation({ wrongChecksum: true }),
    vnet: { flags: 1, csumStart: 54, csumOffset: 2 },
  };

  test.each<[string, Uint8Array | TapFrame]>([
    ['a request for an unknown address', arp({ targetIp: '10.0.0.3' })],
    ['a solicitation for an unknown address', solicitation({ target: 'fd00::3' })],
    ['an ARP probe', arp({ senderIp: '0.0.0.0' })],
    ['an ARP announcement', arp({ senderIp: '10.0.0.2', targetIp: '10.0.0.2' })],
    ['an ARP reply', arp({ operation: 2, targetIp: '10.0.0.2' })],
    ['an ARP request to a unicast MAC', arp({ destination: MAC_B })],
    ['an ARP request in the name of another MAC', arp({ senderMac: '02:00:00:00:00:77' })],
    ['an ARP request with a multicast sender', arp({ senderIp: '224.0.0.1' })],
    ['an ARP request in a VLAN', arp({ vlans: [{ id: 7 }] })],
    ['a truncated ARP request', arp().slice(0, 41)],
    ['the request of the neighbour itself', arp({ source: MAC_B, senderIp: '10.0.0.9' })],
    ['duplicate address detection', solicitation(PROBE)],
    ['an unsolicited advertisement', advertisement({ destinationIp: 'ff02::1', flags: 0x20 })],
    ['a solicitation to a unicast MAC', solicitation({ destination: MAC_B })],
    ['a solicitation that is malformed', solicitation({ options: new Uint8Array(8) })],
    ['a solicitation with a wrong checksum', solicitation({ wrongChecksum: true })],
    ['a solicitation whose checksum is not finished', checksumOffload],
    ['a solicitation in a VLAN', solicitation({ vlans: [{ id: 7 }] })],
    ['another ICMPv6 message', solicitation({ type: 133 })],
    ['a frame of 14 bytes', arp().slice(0, 14)],
    ['an IPv6 frame of nearly nothing', solicitation().slice(0, 20)],
  ])('%s', (_, frame) => {
    const path = makePath();
    transmit(path, frame);
    expect(answers(path)).toEqual([]);
    expect(path.sender.datagrams).toHaveLength(1);
    expect(path.counter(COUNTER_NEIGH_ANSWERED)).toBe(0);
  });

  test('a request for a neighbour of this side', () => {
    const path = makePath(NEIGHBOUR_LOCAL);
    path.entry(MAC_B, path.remote('192.0.2.1'));
    transmit(path, arp({ destination: BROADCAST }), solicitation());
    expect(answers(path)).toEqual([]);
    expect(path.sender.datagrams).toHaveLength(2);
  });
});
