import { describe, expect, test } from 'vitest';
import {
  TUNNEL_LEARNING,
  TUNNEL_SEGMENTATION_FAILED,
} from '../../../src/dataplane/tunnel-table.ts';
import {
  SEND_FAILED,
  SEND_FULL,
  SEND_TOO_BIG,
  SEND_UNREACHABLE,
  SENT,
} from '../../../src/packet/transmit-plan.ts';
import { DataPath, macNumbers, NOW_SECONDS, type TapFrame, VNI } from '../../support/data-path.ts';
import { dissect } from '../../support/dissect.ts';
import {
  arpFrame,
  bytesOf,
  icmpFrame,
  tcpFrame,
  udpFrame,
  vxlanDatagram,
  zeroChecksumPayload,
} from '../../support/packets.ts';

const MAC_B = '02:00:00:00:00:0b';
const TCPV4 = { flags: 1, gsoType: 1, csumStart: 34, csumOffset: 16 };

function superFrame(length: number, gsoSize: number, seed = 1): TapFrame {
  const frame = tcpFrame({ payload: bytesOf(length, seed), checksum: 'partial' });
  return { frame, vnet: { ...TCPV4, gsoSize } };
}

function plain(...frames: Uint8Array[]): TapFrame[] {
  return frames.map((frame) => ({ frame }));
}

function frameLength(length: number): Uint8Array {
  return udpFrame({ payload: bytesOf(length - 42) });
}

describe('the destination', () => {
  test('of a known MAC is its remote alone, whose use is noted', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    const remote = path.remote('192.0.2.2');
    path.entry(MAC_B, remote);
    const frames = [udpFrame(), udpFrame({ sourcePort: 7 })];
    path.transmit(plain(...frames));
    expect(path.sender.messages.map((message) => message.remote)).toEqual([remote, remote]);
    expect(path.sender.datagrams).toEqual(frames.map((frame) => vxlanDatagram(VNI, frame)));
    const { high, low } = macNumbers(MAC_B);
    const entry = path.tables.fdb.read(VNI, high, low);
    expect(entry).toMatchObject({ usedSeconds: NOW_SECONDS, frames: 2 });
  });

  test('of an unknown, a broadcast and a multicast MAC is every remote of the flood list', () => {
    const path = new DataPath();
    const remotes = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((text) => path.remote(text));
    path.flood(remotes);
    const frames = [
      udpFrame(),
      arpFrame(),
      udpFrame({ destination: '01:00:5e:00:00:01' }),
      udpFrame({ destination: '00:00:00:00:00:00' }),
    ];
    for (const frame of frames) path.transmit([{ frame }]);
    expect(path.sender.messages.map(({ remote }) => remote)).toEqual(frames.flatMap(() => remotes));
    const wanted = frames.flatMap((frame) => remotes.map(() => vxlanDatagram(VNI, frame)));
    expect(path.sender.datagrams).toEqual(wanted);
    expect(path.counter(0)).toBe(12);
    expect(path.tables.fdb.read(VNI, 0, 0)).toMatchObject({ frames: 4 });
  });

  test('of a multicast MAC with a list of its own is that list', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    const group = [path.remote('192.0.2.2'), path.remote('192.0.2.3')];
    path.entry('01:00:5e:00:00:01', group);
    path.transmit(plain(udpFrame({ destination: '01:00:5e:00:00:01' })));
    expect(path.sender.messages.map(({ remote }) => remote)).toEqual(group);
  });

  test('is none without entry and flood list, and with an empty list', () => {
    const path = new DataPath();
    path.transmit(plain(udpFrame(), arpFrame()));
    path.flood([]);
    path.transmit(plain(udpFrame()));
    expect(path.drops()).toEqual({ no_remote: 3 });
    expect(path.sender.calls).toBe(0);
  });

  test('in another VNI does not count', () => {
    const path = new DataPath();
    path.entry(MAC_B, path.remote('192.0.2.1'), VNI + 1);
    path.transmit(plain(udpFrame()));
    expect(path.drops()).toEqual({ no_remote: 1 });
  });

  test('gets the VNI that its remote asks for, in every copy', () => {
    const path = new DataPath();
    const vnis = [VNI, 7, 7, VNI, 0xff_ffff];
    const remotes = vnis.map((vni, index) => path.remote(`192.0.2.${index}`, { vni }));
    path.flood(remotes);
    const frame = arpFrame();
    path.transmit([{ frame }, superFrame(250, 100), { frame }]);
    for (const message of path.sender.messages) {
      const vni = vnis[remotes.indexOf(message.remote)]!;
      for (const datagram of message.datagrams)
        expect(datagram.slice(0, 8)).toEqual(vxlanDatagram(vni, new Uint8Array()));
    }
    expect(path.sender.datagrams).toHaveLength(5 * (1 + 3 + 1));
  });

  test('of another family takes a lane of that family, and none is a drop', () => {
    const path = new DataPath();
    path.tunnel(1, 9, { six: false });
    const mixed = ['192.0.2.1', '2001:db8::1'];
    path.flood(mixed.map((text) => path.remote(text)));
    path.flood(
      mixed.map((text) => path.remote(text, { tunnel: 1, vni: 9 })),
      9,
    );
    path.transmit(plain(arpFrame()));
    expect(path.sender.messages.map(({ lane }) => Math.floor(lane / 4))).toEqual([0, 1]);
    path.transmit(plain(arpFrame()), 1);
    expect(path.sender.messages).toHaveLength(3);
    expect([path.drops(0), path.drops(1)]).toEqual([{}, { unreachable: 1 }]);
  });
});

describe('a frame', () => {
  test('without a whole Ethernet header is dropped, one with nothing else is sent', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    path.transmit(plain(arpFrame().slice(0, 13), arpFrame().slice(0, 14), new Uint8Array()));
    expect(path.drops()).toEqual({ tx_short: 2 });
    expect(path.sender.datagrams).toHaveLength(1);
  });

  test.each(['00:00:00:00:00:00', '01:00:5e:00:00:01', 'ff:ff:ff:ff:ff:ff'])(
    'from %s is dropped',
    (source) => {
      const path = new DataPath();
      path.flood([path.remote('192.0.2.1')]);
      path.transmit(plain(udpFrame({ source })));
      expect(path.drops()).toEqual({ tx_smac_invalid: 1 });
    },
  );

  test('keeps a flow on one lane and spreads flows', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    const lanes = new Set<number>();
    for (let sourcePort = 1; sourcePort < 33; sourcePort += 1) {
      path.sender.messages.length = 0;
      path.transmit(plain(udpFrame({ sourcePort }), icmpFrame(), udpFrame({ sourcePort, ttl: 9 })));
      const used = path.sender.messages.filter(({ datagrams }) => datagrams[0]!.length < 90);
      expect(new Set(used.map(({ lane }) => lane)).size).toBe(1);
      lanes.add(used[0]!.lane);
    }
    expect([...lanes].sort()).toEqual([0, 1, 2, 3]);
  });

  test.each([
    [4, 0xb8, 0],
    [4, 0xb9, 1],
    [4, 0x02, 2],
    [6, 0xff, 3],
  ] as const)('of IPv%d with TOS %d shows its ECN to the underlay', (family, tos, outer) => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    path.transmit(plain(udpFrame({ family, tos })));
    expect(path.sender.messages.map((message) => message.tos)).toEqual([outer]);
  });

  test('with an unfinished checksum is finished', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1'), path.remote('192.0.2.2')]);
    const payload = zeroChecksumPayload();
    const vnet = { flags: 1, csumStart: 34, csumOffset: 6 };
    path.transmit([{ frame: udpFrame({ payload, checksum: 'partial' }), vnet }]);
    const whole = udpFrame({ payload });
    expect(path.sender.datagrams).toEqual([whole, whole].map((frame) => vxlanDatagram(VNI, frame)));
    expect(dissect(whole).checksum).toBe(0xffff);
  });

  test('with offsets outside of it is dropped', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    path.transmit([{ frame: udpFrame(), vnet: { flags: 1, csumStart: 34, csumOffset: 200 } }]);
    expect(path.drops()).toEqual({ tx_malformed: 1 });
  });

  test('that the kernel has checked (DATA_VALID) passes as it is', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    path.transmit([{ frame: udpFrame(), vnet: { flags: 2, csumStart: 34, csumOffset: 6 } }]);
    expect(path.sender.datagrams).toEqual([vxlanDatagram(VNI, udpFrame())]);
  });
});

describe('a super-frame', () => {
  test('leaves as segments in one message, counted as frames of the wire', () => {
    const path = new DataPath();
    const remote = path.remote('192.0.2.1');
    path.flood([remote]);
    path.transmit([superFrame(1000, 300)]);
    expect(path.sender.messages).toHaveLength(1);
    const payload = bytesOf(1000);
    const wanted = [0, 1, 2, 3].map((index) =>
      tcpFrame({
        payload: payload.slice(index * 300, index * 300 + 300),
        sequence: 1 + index * 300,
        id: index,
      }),
    );
    expect(path.sender.datagrams).toEqual(wanted.map((frame) => vxlanDatagram(VNI, frame)));
    expect([path.counter(0), path.counter(1)]).toEqual([4, 1000 + 4 * 54]);
    const { counters } = path.tables;
    expect([counters.remoteTotal(remote, 0), counters.remoteTotal(remote, 1)]).toEqual([
      4,
      1000 + 4 * 54,
    ]);
    expect(path.tables.fdb.read(VNI, 0, 0)).toMatchObject({ frames: 4 });
  });

  test('with the ECN bit in its type is one all the same', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    const { frame, vnet } = superFrame(1000, 500);
    path.transmit([{ frame, vnet: { ...vnet, gsoType: 0x81 } }]);
    expect(path.sender.datagrams).toHaveLength(2);
  });

  test('of 64 KiB needs two messages', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    path.transmit([superFrame(65_481, 1448)]);
    const sizes = path.sender.messages.map(({ datagrams }) => datagrams.length);
    // 43 of 1,510 bytes are the most that fit into 65,507.
    expect(sizes).toEqual([43, 3]);
    expect(path.counter(0)).toBe(46);
  });

  test('to several remotes goes to each', () => {
    const path = new DataPath();
    const remotes = [path.remote('192.0.2.1'), path.remote('192.0.2.2')];
    path.flood(remotes);
    path.transmit([superFrame(250, 100)]);
    expect(path.sender.messages.map(({ datagrams }) => datagrams.length)).toEqual([3, 3]);
    const [first, second] = path.sender.messages;
    expect(first!.datagrams).toEqual(second!.datagrams);
  });

  test('whose headers contradict the request is dropped', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    path.transmit([{ frame: udpFrame(), vnet: { ...TCPV4, gsoSize: 100 } }]);
    expect(path.drops()).toEqual({ tx_malformed: 1 });
  });

  test('leaves in messages of one segment each while the tunnel has offloads off', () => {
    const path = new DataPath();
    path.tunnel(0, VNI, { flags: TUNNEL_LEARNING });
    path.flood([path.remote('192.0.2.1')]);
    path.transmit([superFrame(250, 100)]);
    expect(path.sender.messages.map(({ datagrams }) => datagrams.length)).toEqual([1, 1, 1]);
  });

  test('finds room for its headers after what came before has left', () => {
    const path = new DataPath({ messages: 512 });
    path.flood([path.remote('192.0.2.1')]);
    const frames = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => superFrame(65_000, 48, seed));
    path.transmit(frames);
    expect(path.sender.calls).toBeGreaterThan(1);
    const payloads = path.sender.datagrams.map((datagram) => dissect(datagram.slice(8)));
    expect(payloads.every(({ checksumValid }) => checksumValid)).toBe(true);
    const bytes = Buffer.concat(payloads.map(({ payload }) => payload));
    expect(bytes.equals(Buffer.concat(frames.map(({ frame }) => frame.slice(54))))).toBe(true);
  });
});

describe('the plan', () => {
  test('joins frames of equal size to one remote on one lane', () => {
    const path = new DataPath();
    path.entry(MAC_B, path.remote('192.0.2.1'));
    path.transmit(plain(...[200, 200, 150, 200].map(frameLength)));
    expect(path.sender.messages.map(({ datagrams }) => datagrams.length)).toEqual([3, 1]);
    expect(path.sender.datagrams.map(({ length }) => length)).toEqual([208, 208, 158, 208]);
  });

  test('is sent when it is full, and nothing is lost or turned around', () => {
    const path = new DataPath({ messages: 2 });
    path.flood([path.remote('192.0.2.1'), path.remote('192.0.2.2'), path.remote('192.0.2.3')]);
    path.transmit([{ frame: arpFrame() }, superFrame(500, 100), { frame: icmpFrame() }]);
    expect(path.sender.datagrams).toHaveLength(3 * 7);
    expect(path.counter(0)).toBe(21);
    const sequences = path.sender.messages
      .filter(({ remote }) => remote === 1)
      .flatMap(({ datagrams }) => datagrams.map((one) => dissect(one.slice(8)).sequence));
    expect(sequences).toEqual([0, 1, 101, 201, 301, 401, 0]);
  });

  test('is empty after discard()', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    path.sender.send = () => {
      throw new Error('a bug');
    };
    expect(() => path.transmit(plain(arpFrame()))).toThrow('a bug');
    path.transmitter.discard();
    expect([path.plan.count, path.plan.activeLaneCount]).toEqual([0, 0]);
  });
});

describe('what became of a message', () => {
  test.each([
    [SEND_TOO_BIG, 'mtu'],
    [SEND_UNREACHABLE, 'unreachable'],
    [SEND_FULL, 'sock_full'],
    [SEND_FAILED, 'send_failed'],
  ])('%d counts as %s, for each of its frames', (outcome, name) => {
    const path = new DataPath();
    const remotes = [path.remote('192.0.2.1'), path.remote('192.0.2.2')];
    path.flood(remotes);
    path.sender.outcome = ({ remote }) => (remote === remotes[0] ? outcome : SENT);
    path.transmit([superFrame(250, 100), { frame: arpFrame() }]);
    expect(path.drops()).toEqual({ [name]: 4 });
    expect(path.counter(0)).toBe(4);
    expect(path.tables.counters.remoteTotal(remotes[0]!, 0)).toBe(0);
    expect(path.tables.counters.remoteTotal(remotes[1]!, 0)).toBe(4);
  });

  test('tells the tunnel that segmentation failed', () => {
    const path = new DataPath();
    path.flood([path.remote('192.0.2.1')]);
    path.sender.outcome = () => {
      path.plan.segmentationFailures += 1;
      return SENT;
    };
    path.transmit(plain(arpFrame()));
    const flags = path.tables.tunnels.flags(0);
    expect(flags & TUNNEL_SEGMENTATION_FAILED).toBe(TUNNEL_SEGMENTATION_FAILED);
  });
});
