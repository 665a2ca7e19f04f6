import { describe, expect, test } from 'vitest';
import {
  COUNTER_LEARNED,
  COUNTER_MOVED,
  COUNTER_RX_BYTES,
  COUNTER_RX_PACKETS,
  REMOTE_RX_PACKETS,
} from '../../../src/dataplane/counters.ts';
import { NO_TUNNEL } from '../../../src/dataplane/vni-map.ts';
import { TUNNEL_COALESCE, TUNNEL_COALESCE_FAILED } from '../../../src/dataplane/tunnel-table.ts';
import {
  DELIVERED,
  DELIVERY_REFUSED,
  SUPER_FRAME_REFUSED,
} from '../../../src/packet/delivery-plan.ts';
import {
  type Arrival,
  DataPath,
  macNumbers,
  NO_TUNNEL_ROW,
  NOW_SECONDS,
  OWN_MAC,
  VNI,
} from '../../support/data-path.ts';
import { dissect } from '../../support/dissect.ts';
import {
  arpFrame,
  bytesOf,
  concat,
  icmpFrame,
  ipFrame,
  naiveSum,
  pseudoHeader,
  TCP_ACK,
  tcpFrame,
  udpFrame,
  vxlanDatagram,
} from '../../support/packets.ts';

const MAC_A = '02:00:00:00:00:0a';
const PLAIN = { flags: 0, gsoType: 0, hdrLen: 0, gsoSize: 0, csumStart: 0, csumOffset: 0 };

/** A data path whose remote 192.0.2.1 may send. */
function withRemote(): DataPath {
  const path = new DataPath();
  path.remote('192.0.2.1');
  return path;
}

function vxlan(frame: Uint8Array, vni = VNI): Arrival {
  return { bytes: vxlanDatagram(vni, frame) };
}

function learned(path: DataPath, mac = MAC_A, vni = VNI) {
  const { high, low } = macNumbers(mac);
  return path.tables.fdb.read(vni, high, low);
}

describe('a datagram', () => {
  test('is delivered as it is, from its remote, and counted without the VXLAN header', () => {
    const path = new DataPath();
    const remote = path.remote('192.0.2.1');
    const frames = [arpFrame(), icmpFrame({ family: 6 }), udpFrame({ padding: bytesOf(9) })];
    path.receive(frames.map((frame) => vxlan(frame)));
    expect(path.writer.deliveries).toEqual(
      frames.map((frame) => {
        const bytes = frame.length;
        return { tunnel: 0, remote, frames: 1, bytes, vnet: PLAIN, frame };
      }),
    );
    const bytes = concat(...frames).length;
    expect([path.counter(COUNTER_RX_PACKETS), path.counter(COUNTER_RX_BYTES)]).toEqual([3, bytes]);
    expect(path.tables.counters.remoteTotal(remote, REMOTE_RX_PACKETS)).toBe(3);
    expect(path.drops()).toEqual({});
  });

  test('over IPv6 comes from an IPv6 remote', () => {
    const path = new DataPath();
    const remote = path.remote('2001:db8::1');
    path.receive([{ ...vxlan(arpFrame()), source: '2001:db8::1' }]);
    expect(path.writer.deliveries.map((delivery) => delivery.remote)).toEqual([remote]);
  });

  test.each([
    ['short', vxlanDatagram(VNI, arpFrame()).slice(0, 7)],
    ['short', new Uint8Array()],
    ['no_i_flag', vxlanDatagram(VNI, arpFrame(), { flags: 0xf7 })],
    ['vni_unknown', vxlanDatagram(VNI + 1, arpFrame())],
    ['vni_unknown', vxlanDatagram(VNI + 0x80_0000, arpFrame())],
  ])('that is %s is dropped before its tunnel is known', (name, bytes) => {
    const path = withRemote();
    path.receive([{ bytes }]);
    expect([path.drops(), path.drops(NO_TUNNEL_ROW)]).toEqual([{}, { [name]: 1 }]);
    expect(path.writer.deliveries).toEqual([]);
  });

  test('with reserved bits set is taken (RFC 7348 section 5)', () => {
    const path = withRemote();
    path.receive([{ bytes: vxlanDatagram(VNI, arpFrame(), { flags: 0xff, reserved: 0xff }) }]);
    expect(path.writer.deliveries).toHaveLength(1);
  });

  test.each([
    ['inner_short', arpFrame().slice(0, 13)],
    ['inner_short', new Uint8Array()],
    ['smac_invalid', arpFrame({ source: '00:00:00:00:00:00' })],
    ['smac_invalid', arpFrame({ source: '03:00:00:00:00:01' })],
    ['own_mac', arpFrame({ source: OWN_MAC })],
  ])('whose frame is %s is dropped and teaches nothing', (name, frame) => {
    const path = withRemote();
    path.receive([vxlan(frame)]);
    expect(path.drops()).toEqual({ [name]: 1 });
    expect(path.writer.deliveries).toEqual([]);
    expect(path.tables.fdb.count).toBe(0);
  });

  test('of a frame of 14 bytes is delivered', () => {
    const path = withRemote();
    path.receive([vxlan(arpFrame().slice(0, 14))]);
    expect(path.writer.deliveries).toHaveLength(1);
  });

  test('of a stranger is dropped and teaches nothing', () => {
    const path = withRemote();
    path.remote('192.0.2.3', { stranger: true });
    path.receive([
      { ...vxlan(arpFrame()), source: '192.0.2.2' },
      { ...vxlan(arpFrame()), source: '192.0.2.3' },
      { ...vxlan(arpFrame()), source: '2001:db8::1' },
    ]);
    expect(path.drops()).toEqual({ remote_denied: 3 });
    expect(path.tables.fdb.count).toBe(0);
  });

  test('of a remote of another tunnel is dropped', () => {
    const path = withRemote();
    path.tunnel(1, 7);
    path.remote('192.0.2.7', { tunnel: 1, vni: 7 });
    const source = '192.0.2.7';
    path.receive([
      { ...vxlan(arpFrame()), source },
      { ...vxlan(arpFrame(), 7), source },
    ]);
    expect([path.drops(0), path.drops(1)]).toEqual([{ remote_denied: 1 }, {}]);
    expect(path.writer.deliveries.map(({ tunnel }) => tunnel)).toEqual([1]);
  });

  test('never returns to the underlay', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1'), path.remote('192.0.2.2')]);
    path.receive([vxlan(arpFrame()), vxlan(udpFrame({ destination: '02:00:00:00:00:77' }))]);
    expect(path.sender.calls).toBe(0);
  });
});

describe('ECN', () => {
  // RFC 6040 figure 4: outer by inner; -1 is a drop. 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE.
  const figure = [
    [0, 0, 0, -1],
    [1, 1, 1, 3],
    [2, 1, 2, 3],
    [3, 3, 3, 3],
  ];
  const cells = figure.flatMap((row, inner) =>
    row.map((wanted, outer): [number, number, number] => [inner, outer, wanted]),
  );

  test.each(cells)('inner %d and outer %d make %d', (inner, outer, wanted) => {
    for (const family of [4, 6] as const) {
      const path = withRemote();
      const shape = { family, flowLabel: 0x1_2345, vlans: [{ id: 3 }] };
      path.receive([{ ...vxlan(udpFrame({ ...shape, tos: 0xb8 + inner })), tos: 0xfc + outer }]);
      const frames = path.writer.deliveries.map(({ frame }) => frame);
      // The DSCP stays, and so does everything else; the checksum of IPv4 is right.
      expect(frames).toEqual(wanted < 0 ? [] : [udpFrame({ ...shape, tos: 0xb8 + wanted })]);
      expect(path.drops()).toEqual(wanted < 0 ? { ecn: 1 } : {});
    }
  });

  test('is nothing to a frame that is no IP', () => {
    const path = withRemote();
    path.receive([{ ...vxlan(arpFrame()), tos: 3 }]);
    expect(path.writer.deliveries.map(({ frame }) => frame)).toEqual([arpFrame()]);
  });

  test('leaves a wrong IPv4 checksum wrong', () => {
    const path = withRemote();
    path.receive([{ ...vxlan(udpFrame({ tos: 2, wrongIpChecksum: true })), tos: 3 }]);
    const { tos, ipChecksumValid } = dissect(path.writer.deliveries[0]!.frame);
    expect([tos, ipChecksumValid]).toEqual([3, false]);
  });

  test('drops before anything is learned', () => {
    const path = withRemote();
    path.receive([{ ...vxlan(udpFrame()), tos: 3 }]);
    expect(learned(path)).toBeUndefined();
  });
});

describe('learning', () => {
  test('puts the source MAC behind the sender, in the VNI of the tunnel', () => {
    const path = new DataPath();
    const remote = path.remote('192.0.2.1');
    path.receive([vxlan(arpFrame()), vxlan(icmpFrame())]);
    expect(learned(path)).toMatchObject({ destination: remote, updatedSeconds: NOW_SECONDS });
    expect(learned(path, MAC_A, VNI + 1)).toBeUndefined();
    expect([path.counter(COUNTER_LEARNED), path.counter(COUNTER_MOVED)]).toEqual([1, 0]);
  });

  test('is what transmit then sends by', () => {
    const path = new DataPath();
    const remote = path.remote('192.0.2.1');
    path.flood([path.remote('192.0.2.2')]);
    path.receive([vxlan(arpFrame())]);
    path.transmit([{ frame: udpFrame({ source: '02:00:00:00:00:0b', destination: MAC_A }) }]);
    expect(path.sender.messages.map((message) => message.remote)).toEqual([remote]);
  });

  test('refreshes what it knows', () => {
    const path = withRemote();
    path.receive([vxlan(arpFrame())], NOW_SECONDS);
    path.receive([vxlan(arpFrame())], NOW_SECONDS + 5);
    expect(learned(path)).toMatchObject({ updatedSeconds: NOW_SECONDS + 5 });
    expect(path.counter(COUNTER_LEARNED)).toBe(1);
  });

  test('moves a MAC that arrives from another remote', () => {
    const path = withRemote();
    const other = path.remote('192.0.2.2');
    path.receive([vxlan(arpFrame()), { ...vxlan(arpFrame()), source: '192.0.2.2' }]);
    expect(learned(path)).toMatchObject({ destination: other });
    expect([path.counter(COUNTER_LEARNED), path.counter(COUNTER_MOVED)]).toEqual([1, 1]);
    expect(path.writer.deliveries).toHaveLength(2);
  });

  test('drops a frame whose MAC is pinned to another remote, and leaves it there', () => {
    const path = withRemote();
    const other = path.remote('192.0.2.2');
    path.entry(MAC_A, other);
    path.receive([vxlan(arpFrame()), vxlan(udpFrame())]);
    expect(path.drops()).toEqual({ mac_pinned: 2 });
    path.receive([{ ...vxlan(arpFrame()), source: '192.0.2.2' }]);
    expect(path.writer.deliveries).toHaveLength(1);
    expect(learned(path)).toMatchObject({ destination: other });
  });

  test('takes a frame from the address its MAC is pinned to, whatever port the entry names', () => {
    const path = withRemote();
    const pinned = path.remote('192.0.2.1', { port: 4790, stranger: true });
    path.entry(MAC_A, pinned);
    path.receive([vxlan(arpFrame())]);
    expect(path.drops()).toEqual({});
    expect(path.writer.deliveries).toHaveLength(1);
    expect(learned(path)).toMatchObject({ destination: pinned });
  });

  test('is off where the tunnel says so', () => {
    const path = withRemote();
    path.tunnel(0, VNI, { flags: TUNNEL_COALESCE });
    path.entry('02:00:00:00:00:0c', path.remote('192.0.2.2'));
    path.receive([vxlan(arpFrame()), vxlan(arpFrame({ source: '02:00:00:00:00:0c' }))]);
    expect(path.writer.deliveries).toHaveLength(2);
    expect(path.tables.fdb.count).toBe(1);
  });

  test('of a full table delivers all the same', () => {
    const path = new DataPath({ fdbEntries: 1 });
    path.remote('192.0.2.1');
    path.receive([vxlan(arpFrame()), vxlan(arpFrame({ source: '02:00:00:00:00:0c' }))]);
    expect(path.writer.deliveries).toHaveLength(2);
    expect(path.tables.fdb.count).toBe(1);
  });

  test('sees every MAC among merged datagrams', () => {
    const path = withRemote();
    const macs = [MAC_A, '02:00:00:00:00:0c', MAC_A, '02:00:00:01:00:0a'];
    const datagrams = macs.map((source) => vxlanDatagram(VNI, udpFrame({ source })));
    path.receive([{ bytes: concat(...datagrams), stride: datagrams[0]!.length }]);
    expect(path.counter(COUNTER_LEARNED)).toBe(3);
    expect(path.writer.deliveries).toHaveLength(4);
  });
});

describe('merged datagrams', () => {
  test('are taken apart, the last one may be shorter', () => {
    const path = withRemote();
    const frames = [100, 100, 100, 1].map((length) => udpFrame({ payload: bytesOf(length) }));
    const datagrams = frames.map((frame) => vxlanDatagram(VNI, frame));
    path.receive([{ bytes: concat(...datagrams), stride: datagrams[0]!.length }]);
    expect(path.writer.deliveries.map(({ frame }) => frame)).toEqual(frames);
    expect(path.writer.deliveries.every(({ vnet }) => vnet.gsoType === 0)).toBe(true);
  });

  test('go to the tunnel that each of them names, by what that tunnel allows', () => {
    const path = withRemote();
    path.tunnel(1, 7);
    path.tunnel(2, 8);
    path.remote('192.0.2.1', { tunnel: 2, vni: 8 });
    const datagrams = [VNI, 7, 8, 9, VNI].map((vni) => vxlanDatagram(vni, udpFrame()));
    path.receive([{ bytes: concat(...datagrams), stride: datagrams[0]!.length }]);
    expect(path.writer.deliveries.map(({ tunnel }) => tunnel)).toEqual([0, 2, 0]);
    expect([path.drops(1), path.drops(NO_TUNNEL_ROW)]).toEqual([
      { remote_denied: 1 },
      { vni_unknown: 1 },
    ]);
    expect(learned(path, MAC_A, 8)).toBeDefined();
    expect(learned(path, MAC_A, 7)).toBeUndefined();
  });

  test('share one outer ECN', () => {
    const path = withRemote();
    const datagrams = [0, 2].map((tos) => vxlanDatagram(VNI, udpFrame({ tos })));
    path.receive([{ bytes: concat(...datagrams), stride: datagrams[0]!.length, tos: 3 }]);
    expect(path.drops()).toEqual({ ecn: 1 });
    expect(path.writer.deliveries.map(({ frame }) => frame)).toEqual([udpFrame({ tos: 3 })]);
  });

  test('whose last one is too short for a header count as such', () => {
    const path = withRemote();
    const datagram = vxlanDatagram(VNI, udpFrame());
    path.receive([{ bytes: concat(datagram, bytesOf(5)), stride: datagram.length }]);
    expect(path.writer.deliveries).toHaveLength(1);
    expect(path.drops(NO_TUNNEL_ROW)).toEqual({ short: 1 });
  });

  test('are one when the stride is not smaller than the whole', () => {
    const path = withRemote();
    const { bytes } = vxlan(udpFrame());
    path.receive([
      { bytes, stride: bytes.length },
      { bytes, stride: 65_535 },
    ]);
    expect(path.writer.deliveries.map(({ frame }) => frame)).toEqual([udpFrame(), udpFrame()]);
  });
});

describe('an unfinished inner checksum', () => {
  test.each([
    ['TCP over IPv4', tcpFrame, { family: 4 }, 34, 16, 20],
    ['UDP over IPv4', udpFrame, { family: 4 }, 34, 6, 8],
    ['TCP over IPv6', tcpFrame, { family: 6 }, 54, 16, 20],
    ['UDP in a VLAN', udpFrame, { family: 4, vlans: [{ id: 5 }] }, 38, 6, 8],
  ] as const)('of %s is left to the stack, with all it needs', (...row) => {
    const [, build, shape, csumStart, csumOffset, header] = row;
    const path = withRemote();
    const frame = build({ ...shape, checksum: 'partial' });
    path.receive([vxlan(frame)]);
    const vnet = { ...PLAIN, flags: 1, hdrLen: csumStart + header, csumStart, csumOffset };
    expect(path.writer.deliveries).toMatchObject([{ vnet, frame }]);
  });

  test.each(['right', 'wrong', 'none'] as const)('is not one that is %s', (checksum) => {
    const path = withRemote();
    const frames = [udpFrame({ checksum }), tcpFrame({ checksum })];
    path.receive(frames.map((frame) => vxlan(frame)));
    expect(path.writer.deliveries.map(({ frame }) => frame)).toEqual(frames);
    expect(path.writer.deliveries.map(({ vnet }) => vnet)).toEqual([PLAIN, PLAIN]);
  });

  test('is never asked for with a TCP header that leaves the packet', () => {
    const path = withRemote();
    const body = new Uint8Array(24);
    body[12] = 0xf0;
    new DataView(body.buffer).setUint16(16, naiveSum(pseudoHeader({}, 6, body.length)));
    const frame = ipFrame({}, 6, body);
    path.receive([vxlan(frame)]);
    expect(path.writer.deliveries).toMatchObject([{ vnet: PLAIN }]);
  });
});

describe('a super-frame of a kernel', () => {
  test.each([
    [4, 1, 34],
    [6, 4, 54],
  ] as const)('of TCP over IPv%d comes without a stride', (family, gsoType, csumStart) => {
    const path = withRemote();
    const options = new Uint8Array(12).fill(1);
    const frame = tcpFrame({ family, options, payload: bytesOf(30_000), checksum: 'partial' });
    path.receive([vxlan(frame)]);
    const hdrLen = csumStart + 32;
    const gsoSize = 1450 - (hdrLen - 14);
    const vnet = { flags: 1, gsoType, hdrLen, gsoSize, csumStart, csumOffset: 16 };
    expect(path.writer.deliveries).toMatchObject([{ vnet, frame, frames: 1 }]);
  });

  test.each([
    [4, 34],
    [6, 54],
  ] as const)('of UDP over IPv%d says its segment size as the stride', (family, csumStart) => {
    const path = withRemote();
    const frame = udpFrame({ family, payload: bytesOf(12_000), checksum: 'partial' });
    path.receive([{ ...vxlan(frame), stride: 1200 }]);
    const hdrLen = csumStart + 8;
    const vnet = { flags: 1, gsoType: 5, hdrLen, gsoSize: 1200, csumStart, csumOffset: 6 };
    expect(path.writer.deliveries).toMatchObject([{ vnet, frame, frames: 1 }]);
  });

  test('of UDP cannot inject a frame into another VNI', () => {
    const path = withRemote();
    path.tunnel(1, 7);
    path.remote('192.0.2.1', { tunnel: 1, vni: 7 });
    const payload = bytesOf(3000);
    payload.set(vxlanDatagram(7, arpFrame()), 1200 - 8 - 42);
    const frame = udpFrame({ payload, checksum: 'partial' });
    path.receive([{ ...vxlan(frame), stride: 1200 }]);
    expect(path.writer.deliveries).toEqual([]);
    expect(path.drops(NO_TUNNEL_ROW)).toEqual({ malformed: 1 });
  });

  test('is refused as any other frame of a stranger', () => {
    const path = withRemote();
    const frame = udpFrame({ payload: bytesOf(12_000), checksum: 'partial' });
    path.receive([{ ...vxlan(frame), stride: 1200, source: '192.0.2.2' }]);
    expect(path.drops()).toEqual({ remote_denied: 1 });
  });
});

describe('what became of a delivery', () => {
  const segments = [0, 1].map((index) =>
    vxlan(tcpFrame({ sequence: 1 + 100 * index, flags: TCP_ACK })),
  );

  test('counts as tap_write for each of its frames when the device refused it', () => {
    const path = withRemote();
    path.writer.outcome = ({ frames }) => (frames === 2 ? DELIVERY_REFUSED : DELIVERED);
    path.receive([...segments, vxlan(arpFrame())]);
    expect(path.drops()).toEqual({ tap_write: 2 });
    expect(path.counter(COUNTER_RX_PACKETS)).toBe(1);
    expect(path.tables.tunnels.coalesces(0)).toBe(true);
  });

  test('ends coalescing when the device takes no super-frames', () => {
    const path = withRemote();
    path.writer.outcome = () => SUPER_FRAME_REFUSED;
    path.receive(segments);
    expect(path.tables.tunnels.flags(0) & TUNNEL_COALESCE_FAILED).not.toBe(0);
    path.writer.outcome = () => DELIVERED;
    path.receive(segments);
    expect(path.writer.deliveries.map(({ frames }) => frames)).toEqual([1, 1]);
  });
});

describe('newestTunnel', () => {
  test('is that of the newest datagram, none when it named none', () => {
    const path = withRemote();
    path.tunnel(1, 7);
    path.remote('192.0.2.1', { tunnel: 1, vni: 7 });
    path.receive([vxlan(arpFrame()), vxlan(arpFrame(), 7)]);
    expect(path.receiver.newestTunnel).toBe(1);
    path.receive([vxlan(arpFrame(), 8)]);
    expect(path.receiver.newestTunnel).toBe(NO_TUNNEL);
  });
});

describe('the plan', () => {
  test('is written when it is full, in order', () => {
    const path = new DataPath({ deliveries: 2 });
    path.remote('192.0.2.1');
    const frames = Array.from({ length: 7 }, (_, index) => udpFrame({ id: index }));
    path.receive(frames.map((frame) => vxlan(frame)));
    expect(path.writer.deliveries.map(({ frame }) => frame)).toEqual(frames);
    expect(path.counter(COUNTER_RX_PACKETS)).toBe(7);
  });

  test('is empty after discard()', () => {
    const path = withRemote();
    const write = path.writer.write.bind(path.writer);
    path.writer.write = () => {
      throw new Error('a bug');
    };
    const first = tcpFrame({ sequence: 1 });
    expect(() => path.receive([vxlan(first)])).toThrow('a bug');
    path.receiver.discard();
    path.writer.write = write;
    path.receive([vxlan(tcpFrame({ sequence: 101 }))]);
    expect(path.writer.deliveries).toHaveLength(1);
  });
});
