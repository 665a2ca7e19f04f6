import { describe, expect, test } from 'vitest';
import { type Arrival, DataPath, VNI } from '../../support/data-path.ts';
import { dissect } from '../../support/dissect.ts';
import {
  bytesOf,
  concat,
  icmpFrame,
  naiveSum,
  pseudoHeader,
  TCP_ACK,
  TCP_CWR,
  TCP_FIN,
  TCP_PSH,
  TCP_SYN,
  type TcpSpec,
  tcpFrame,
  udpFrame,
  vxlanDatagram,
} from '../../support/packets.ts';
import type { Delivery } from '../../support/memory-underlay.ts';

const SIZE = 100;
const OPTIONS = Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);

/** Segment `index` of a flow: the changes apply to it alone. */
function segment(index: number, change: TcpSpec = {}): Uint8Array {
  return tcpFrame({
    sequence: 1000 + index * SIZE,
    payload: bytesOf(SIZE, index),
    options: OPTIONS,
    id: 50 + index,
    ...change,
  });
}

function receive(frames: readonly Uint8Array[], path = new DataPath({ datagrams: 80 })): DataPath {
  path.remote('192.0.2.1');
  path.receive(frames.map((frame): Arrival => ({ bytes: vxlanDatagram(VNI, frame) })));
  return path;
}

/** How many frames each delivery joins. */
function joined(...frames: Uint8Array[]): number[] {
  return receive(frames).writer.deliveries.map((delivery) => delivery.frames);
}

/** The second of two segments is changed: are they joined? */
function joins(change: TcpSpec, shape: TcpSpec = {}): boolean {
  return joined(segment(0, shape), segment(1, { ...shape, ...change })).length === 1;
}

/** A super-frame must be what its sender's stack would have made of one large write. */
function expectSuperFrame(delivery: Delivery, spec: TcpSpec, gsoSize: number): void {
  expect(delivery.frame).toEqual(tcpFrame({ ...spec, checksum: 'partial' }));
  const { headers } = dissect(delivery.frame);
  const csumStart = headers - 20 - (spec.options ?? new Uint8Array()).length;
  const gsoType = spec.family === 6 ? 4 : 1;
  const vnet = { flags: 1, gsoType, hdrLen: headers, gsoSize, csumStart, csumOffset: 16 };
  expect(delivery.vnet).toEqual(vnet);
}

describe.each([
  ['IPv4', { family: 4 }],
  ['IPv6', { family: 6, flowLabel: 0xf_ff0f }],
  ['IPv4 in a VLAN', { family: 4, vlans: [{ id: 5 }] }],
  ['IPv6 in two VLANs', { family: 6, vlans: [{ tpid: 0x88a8, id: 5 }, { id: 6 }] }],
] as const)('segments of one flow over %s', (_, shape) => {
  test('become one super-frame with all that the stack needs', () => {
    const spec = { ...shape, tos: 0x2a, ttl: 17, options: OPTIONS };
    const sizes = [SIZE, SIZE, SIZE, 7];
    const frames = sizes.map((size, index) =>
      segment(index, { ...spec, payload: bytesOf(size, index) }),
    );
    const path = receive(frames);
    expect(path.writer.deliveries).toHaveLength(1);
    const [delivery] = path.writer.deliveries;
    const payload = concat(...sizes.map((size, index) => bytesOf(size, index)));
    expectSuperFrame(delivery!, { ...spec, sequence: 1000, id: 50, payload }, SIZE);
    // Counted as the frames that they were on the wire.
    expect([delivery!.frames, delivery!.bytes]).toEqual([4, concat(...frames).length]);
    expect([path.counter(2), path.counter(3)]).toEqual([4, concat(...frames).length]);
  });

  test('make a super-frame whose checksum the stack can finish', () => {
    const [delivery] = receive([segment(0, shape), segment(1, shape)]).writer.deliveries;
    const { frame, vnet } = delivery!;
    const body = frame.subarray(vnet.csumStart);
    const rest = naiveSum(body) ^ 0xffff;
    body.set([rest >> 8, rest & 255], vnet.csumOffset);
    expect(dissect(frame)).toMatchObject({ checksumValid: true, ipChecksumValid: true });
    expect(naiveSum(pseudoHeader(shape, 6, body.length), body)).toBe(0xffff);
  });

  test('are joined at any alignment, as merged datagrams have it', () => {
    const frames = [0, 1, 2].map((index) =>
      segment(index, { ...shape, sequence: 7 + 101 * index, payload: bytesOf(101, index) }),
    );
    const path = new DataPath();
    path.remote('192.0.2.1');
    const datagrams = frames.map((frame) => vxlanDatagram(VNI, frame));
    path.receive([{ bytes: concat(...datagrams), stride: datagrams[0]!.length }]);
    expect(path.writer.deliveries.map((delivery) => delivery.frames)).toEqual([3]);
    const payload = concat(...[0, 1, 2].map((index) => bytesOf(101, index)));
    expect(dissect(path.writer.deliveries[0]!.frame).payload).toEqual(payload);
  });
});

describe('a segment', () => {
  test('alone stays as it is', () => {
    const [delivery] = receive([segment(0)]).writer.deliveries;
    expect(delivery!.frame).toEqual(segment(0));
    expect(delivery!.vnet).toMatchObject({ flags: 0, gsoType: 0, gsoSize: 0 });
  });

  test('joins over the wrap of the sequence numbers', () => {
    const at = (sequence: number): Uint8Array => segment(0, { sequence });
    expect(joined(at(0xffff_ffce), at(50))).toEqual([2]);
  });

  test.each<[string, TcpSpec]>([
    ['another sequence (a gap)', { sequence: 1000 + SIZE + 1 }],
    ['another sequence (again)', { sequence: 1000 }],
    ['another acknowledgment', { acknowledgment: 2 }],
    ['another window', { window: 5001 }],
    ['other options', { options: Uint8Array.from(OPTIONS).fill(9, 4, 8) }],
    ['fewer options', { options: OPTIONS.slice(0, 8) }],
    ['no options', { options: new Uint8Array() }],
    ['other reserved bits', { reserved: 1 }],
    ['another source port', { sourcePort: 9 }],
    ['another destination port', { destinationPort: 9 }],
    ['another TOS', { tos: 4 }],
    ['another ECN', { tos: 1 }],
    ['another TTL', { ttl: 63 }],
    ['another source MAC', { source: '02:00:00:00:00:1a' }],
    ['another destination MAC', { destination: '02:00:00:00:00:1b' }],
    ['a VLAN tag', { vlans: [{ id: 0 }] }],
    ['a FIN', { flags: TCP_ACK | TCP_FIN }],
    ['a SYN', { flags: TCP_ACK | TCP_SYN }],
    ['a CWR', { flags: TCP_ACK | TCP_CWR }],
    ['a RST', { flags: TCP_ACK | 4 }],
    ['an URG', { flags: TCP_ACK | 0x20 }],
    ['an ECE', { flags: TCP_ACK | 0x40 }],
    ['no ACK', { flags: 0 }],
    ['no payload', { payload: new Uint8Array() }],
    ['more payload', { payload: bytesOf(SIZE + 1) }],
    ['a wrong checksum', { checksum: 'wrong' }],
    ['an unfinished checksum', { checksum: 'partial' }],
    ['Ethernet padding', { padding: new Uint8Array(1) }],
  ])('with %s is not joined', (_, change) => {
    for (const family of [4, 6] as const) {
      expect(joins({}, { family })).toBe(true);
      expect(joins(change, { family })).toBe(false);
    }
  });

  test.each<[string, TcpSpec]>([
    ['another source address', { sourceIp: '10.0.0.9' }],
    ['another destination address', { destinationIp: '10.0.0.9' }],
    ['another DF', { dontFragment: false }],
    ['a wrong header checksum', { wrongIpChecksum: true }],
    ['IP options', { ipOptions: new Uint8Array(4).fill(1) }],
    ['more fragments', { moreFragments: true }],
    ['another family', { family: 6 }],
  ])('of IPv4 with %s is not joined', (_, change) => {
    expect(joins(change)).toBe(false);
  });

  test.each<[string, TcpSpec]>([
    ['another source address', { sourceIp: 'fd00::9' }],
    ['another destination address', { destinationIp: 'fd00:1::2' }],
    ['another flow label', { flowLabel: 1 }],
    ['an extension header', { extensions: [[60, new Uint8Array(8)]] }],
  ])('of IPv6 with %s is not joined', (_, change) => {
    expect(joins(change, { family: 6 })).toBe(false);
  });

  test.each<[string, TcpSpec]>([
    ['a wrong checksum', { checksum: 'wrong' }],
    ['a wrong header checksum', { wrongIpChecksum: true }],
    ['an unfinished checksum', { checksum: 'partial' }],
    ['a FIN', { flags: TCP_ACK | TCP_FIN }],
    ['IP options', { ipOptions: new Uint8Array(4).fill(1) }],
    ['Ethernet padding', { padding: new Uint8Array(1) }],
  ])('is not joined to one with %s, which stays as it is', (_, change) => {
    const [first, second] = receive([segment(0, change), segment(1)]).writer.deliveries;
    expect(first!.frame).toEqual(segment(0, change));
    expect(second!.frame).toEqual(segment(1));
  });

  test('of two wrong ones is not joined either', () => {
    expect(joins({}, { checksum: 'wrong' })).toBe(false);
    expect(joins({}, { checksum: 'partial' })).toBe(false);
  });

  test('without DF is joined only when its id follows', () => {
    const shape = { dontFragment: false };
    expect(joins({}, shape)).toBe(true);
    expect(joins({ id: 50 }, shape)).toBe(false);
    expect(joins({ id: 52 }, shape)).toBe(false);
    expect(joins({ id: 0 }, { ...shape, id: 0xffff })).toBe(true);
    // With DF the id means nothing (RFC 6864).
    expect(joins({ id: 9999 })).toBe(true);
  });

  test('of IPv6 is joined whatever follows its header', () => {
    expect(joined(...[0, 1, 2].map((index) => segment(index, { family: 6 })))).toEqual([3]);
  });
});

describe('a super-frame', () => {
  test('ends with PSH, which it then carries', () => {
    const push = TCP_ACK | TCP_PSH;
    const path = receive([segment(0), segment(1, { flags: push }), segment(2), segment(3)]);
    expect(path.writer.deliveries.map(({ frames }) => frames)).toEqual([2, 2]);
    expect(path.writer.deliveries.map(({ frame }) => dissect(frame).flags)).toEqual([
      push,
      TCP_ACK,
    ]);
  });

  test('does not begin with PSH', () => {
    expect(joined(segment(0, { flags: TCP_ACK | TCP_PSH }), segment(1))).toEqual([1, 1]);
  });

  test('ends with a shorter segment', () => {
    const short = segment(1, { payload: bytesOf(50) });
    expect(joined(segment(0), short, segment(0, { sequence: 1150 }))).toEqual([2, 1]);
  });

  test('ends where any other frame comes between', () => {
    for (const other of [icmpFrame(), udpFrame(), segment(0, { sourcePort: 5 })])
      expect(joined(segment(0), segment(1), other, segment(2), segment(3))).toEqual([2, 1, 2]);
  });

  test('takes in a retransmission no more than a gap, and goes on from there', () => {
    expect(joined(segment(0), segment(1), segment(1), segment(2), segment(4))).toEqual([2, 2, 1]);
  });

  test('holds at most 64 KiB', () => {
    const size = 1448;
    const frames = Array.from({ length: 50 }, (_, index) =>
      segment(index, { sequence: index * size, payload: bytesOf(size, index) }),
    );
    const path = receive(frames);
    // 20 + 32 + 45 * 1448 = 65,212; the next one would make 66,660.
    expect(path.writer.deliveries.map((delivery) => delivery.frames)).toEqual([45, 5]);
    expect(dissect(path.writer.deliveries[0]!.frame).ipLength).toBe(65_212);
  });

  test('has no more pieces than one system call takes', () => {
    const frames = Array.from({ length: 300 }, (_, index) =>
      segment(0, { sequence: index, payload: Uint8Array.of(index) }),
    );
    const path = new DataPath({ datagrams: 301 });
    expect(receive(frames, path).writer.deliveries.map(({ frames: count }) => count)).toEqual([
      256, 44,
    ]);
  });

  test('ends where the plan has no iovec left, and nothing is lost', () => {
    const frames = Array.from({ length: 20 }, (_, index) => segment(index));
    const path = receive(frames, new DataPath({ datagrams: 20, deliveryIovecs: 8 }));
    const counts = path.writer.deliveries.map((delivery) => delivery.frames);
    expect(counts).toEqual([7, 7, 6]);
    const bytes = concat(...path.writer.deliveries.map(({ frame }) => dissect(frame).payload));
    expect(bytes).toEqual(concat(...frames.map((frame) => dissect(frame).payload)));
  });

  test('never reaches from one batch into the next', () => {
    const path = receive([segment(0)]);
    receive([segment(1)], path);
    expect(path.writer.deliveries.map(({ frames }) => frames)).toEqual([1, 1]);
  });

  test('never mixes tunnels or remotes', () => {
    const path = new DataPath();
    path.tunnel(1, 7);
    path.remote('192.0.2.1');
    path.remote('192.0.2.2');
    path.remote('192.0.2.1', { tunnel: 1, vni: 7 });
    const arrival = (index: number, vni: number, source = '192.0.2.1'): Arrival => ({
      bytes: vxlanDatagram(vni, segment(index)),
      source,
    });
    path.receive([
      arrival(0, VNI),
      arrival(1, 7),
      arrival(1, VNI),
      arrival(2, VNI),
      arrival(3, VNI, '192.0.2.2'),
    ]);
    const made = path.writer.deliveries.map(({ tunnel, frames }) => [tunnel, frames]);
    expect(made).toEqual([
      [0, 1],
      [1, 1],
      [0, 2],
      [0, 1],
    ]);
  });

  test('is not made where the tunnel says so', () => {
    const path = new DataPath();
    path.tunnel(0, VNI, { flags: 0 });
    expect(receive([segment(0), segment(1)], path).writer.deliveries).toHaveLength(2);
  });

  test('is made after the outer ECN was combined', () => {
    const path = new DataPath();
    path.remote('192.0.2.1');
    const datagrams = [1, 2].map((tos, index) =>
      vxlanDatagram(VNI, segment(index, { tos, payload: bytesOf(SIZE, index) })),
    );
    path.receive([{ bytes: concat(...datagrams), stride: datagrams[0]!.length, tos: 3 }]);
    expect(path.writer.deliveries.map(({ frames }) => frames)).toEqual([2]);
    expect(dissect(path.writer.deliveries[0]!.frame)).toMatchObject({
      tos: 3,
      ipChecksumValid: true,
    });
  });
});
