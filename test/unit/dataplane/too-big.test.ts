import { describe, expect, test } from 'vitest';
import { TooBig } from '../../../src/dataplane/too-big.ts';
import { DataPath, NOW_SECONDS } from '../../support/data-path.ts';
import { dissect, type Dissected } from '../../support/dissect.ts';
import { bytesOf, tcpFrame, udpFrame, vxlanDatagram } from '../../support/packets.ts';

const MTU = 1000;
const LARGE = { payload: bytesOf(1200), dontFragment: true } as const;

/** A data path whose one remote, over either family, is known to take 1000 bytes; `answers` of it. */
function narrow(remote = '192.0.2.1'): DataPath {
  const path = new DataPath();
  const row = path.remote(remote);
  path.flood([row]);
  path.tables.pathMtus.learn(row, MTU, NOW_SECONDS);
  return path;
}

function answersOf(path: DataPath): Uint8Array[] {
  return path.writer.deliveries.map(({ frame }) => frame);
}

interface IcmpError extends Dissected {
  readonly type: number;
  readonly code: number;
  readonly mtu: number;
  readonly quote: Uint8Array;
}

function readError(frame: Uint8Array): IcmpError {
  const packet = dissect(frame);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const l4 = 14 + packet.vlans.length * 4 + (packet.family === 4 ? 20 : 40);
  return {
    ...packet,
    type: view.getUint8(l4),
    code: view.getUint8(l4 + 1),
    mtu: view.getUint32(l4 + 4),
    quote: frame.slice(l4 + 8),
  };
}

describe('a frame that is too large for the path', () => {
  test('of IPv4 with DF is answered from its destination', () => {
    const path = narrow();
    const frame = udpFrame(LARGE);
    path.transmit([{ frame }]);
    expect(path.drops()).toEqual({ mtu: 1 });
    expect(path.sender.datagrams).toEqual([]);
    const [answer] = answersOf(path).map(readError);
    expect(answer).toMatchObject({
      source: '02:00:00:00:00:0b',
      destination: '02:00:00:00:00:0a',
      family: 4,
      protocol: 1,
      ipLength: 576,
      ipChecksumValid: true,
      type: 3,
      code: 4,
      mtu: MTU - 50,
    });
    const bytes = answersOf(path)[0]!;
    expect([...bytes.slice(26, 34)]).toEqual([10, 0, 0, 2, 10, 0, 0, 1]);
    expect(answer!.quote).toEqual(frame.slice(14, 14 + 548));
  });

  test('of IPv6 is answered too', () => {
    const path = new DataPath();
    const row = path.remote('192.0.2.1');
    path.flood([row]);
    path.tables.pathMtus.learn(row, 1400, NOW_SECONDS);
    const frame = udpFrame({ family: 6, payload: bytesOf(1400) });
    path.transmit([{ frame }]);
    const [answer] = answersOf(path).map(readError);
    const wanted = { family: 6, protocol: 58, ipLength: 1280, type: 2, code: 0, mtu: 1350 };
    expect(answer).toMatchObject(wanted);
    expect(answer!.quote).toEqual(frame.slice(14, 14 + 1232));
  });

  test('over IPv6 loses 20 bytes more, a VLAN tag 4', () => {
    const path = narrow('2001:db8::1');
    path.transmit([{ frame: udpFrame({ ...LARGE, vlans: [{ id: 7 }] }) }]);
    const [answer] = answersOf(path).map(readError);
    expect(answer!.mtu).toBe(MTU - 70 - 4);
    expect(answer!.vlans).toHaveLength(1);
  });

  test('of a super-frame is judged and quoted by its segments', () => {
    const path = narrow();
    const vnet = { flags: 1, gsoType: 1, csumStart: 34, csumOffset: 16 };
    const super_ = { payload: bytesOf(5000), checksum: 'partial', dontFragment: true } as const;
    path.transmit([{ frame: tcpFrame(super_), vnet: { ...vnet, gsoSize: 900 } }]);
    expect(answersOf(path)).toEqual([]);
    expect(path.counter(0)).toBe(6);
    path.transmit([{ frame: tcpFrame(super_), vnet: { ...vnet, gsoSize: 960 } }]);
    const [answer] = answersOf(path).map(readError);
    const segment = tcpFrame({ payload: bytesOf(5000).slice(0, 960), dontFragment: true });
    expect(answer!.quote).toEqual(segment.slice(14, 14 + 548));
    expect(path.drops()).toEqual({ mtu: 6 });
  });
});

describe('no answer', () => {
  test('oftener than the rate allows, and again in the next second', () => {
    const path = narrow();
    const frame = udpFrame(LARGE);
    for (let batch = 0; batch < 50; batch += 1) path.transmit(new Array(8).fill({ frame }));
    const perSecond = answersOf(path).length;
    expect(perSecond).toBeGreaterThan(10);
    expect(perSecond).toBeLessThan(400);
    path.load([{ frame }]);
    path.transmitter.transmit(path.frames, 0, NOW_SECONDS + 1);
    expect(answersOf(path)).toHaveLength(perSecond + 1);
  });

  test('when too many wait already', () => {
    const path = new DataPath();
    const big = new TooBig(path.answers, 1);
    const datagram = vxlanDatagram(42, udpFrame(LARGE));
    path.arena.bytes.set(datagram, path.frames.slots[0]);
    const head = path.frames.slots[0]!;
    for (let i = 0; i < 100; i += 1) big.answer(0, head, datagram.length, 0, 0, MTU, 4, 5);
    path.answers.flush();
    expect(answersOf(path)).toHaveLength(64);
  });
});
