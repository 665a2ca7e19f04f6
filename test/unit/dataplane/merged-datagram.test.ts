import { describe, expect, test } from 'vitest';
import { InnerPacket } from '../../../src/dataplane/inner-packet.ts';
import {
  AMBIGUOUS,
  classifyMerged,
  MERGED,
  SUPER_FRAME,
  tcpSuperFrameSize,
} from '../../../src/dataplane/merged-datagram.ts';
import { bytesOf, concat, tcpFrame, udpFrame, vxlanDatagram } from '../../support/packets.ts';

const AT = 3;

function classify(buffer: Uint8Array, stride: number): number {
  const bytes = concat(new Uint8Array(AT), buffer, new Uint8Array(64).fill(0x08));
  const view = new DataView(bytes.buffer);
  const inner = new InnerPacket();
  inner.parse(view, AT + 8, buffer.length - 8);
  return classifyMerged(view, AT, buffer.length, stride, inner);
}

describe('classifyMerged()', () => {
  test('takes datagrams of equal size for merged ones', () => {
    const one = vxlanDatagram(42, udpFrame({ payload: bytesOf(100) }));
    expect(classify(concat(one, one, one), one.length)).toBe(MERGED);
    const tcp = vxlanDatagram(42, tcpFrame({ payload: bytesOf(100) }));
    expect(classify(concat(tcp, tcp), tcp.length)).toBe(MERGED);
  });

  test.each([4, 6] as const)('knows a UDP super-frame of IPv%d by its one header', (family) => {
    const frame = udpFrame({ family, payload: bytesOf(12_000), checksum: 'partial' });
    expect(classify(vxlanDatagram(42, frame), 1200)).toBe(SUPER_FRAME);
    const tagged = udpFrame({ family, payload: bytesOf(3000), vlans: [{ id: 1 }, { id: 2 }] });
    expect(classify(vxlanDatagram(42, tagged), 1200)).toBe(MERGED);
  });

  test('does not take a finished checksum for a super-frame', () => {
    const frame = udpFrame({ payload: bytesOf(12_000) });
    expect(classify(vxlanDatagram(42, frame), 1200)).toBe(MERGED);
  });

  test('does not take a frame with bytes behind its packet for a super-frame', () => {
    const frame = udpFrame({ payload: bytesOf(3000), checksum: 'partial', padding: bytesOf(1) });
    expect(classify(vxlanDatagram(42, frame), 1200)).toBe(MERGED);
  });

  test('does not take a UDP length that disagrees with the packet for a super-frame', () => {
    const frame = udpFrame({ payload: bytesOf(3000), checksum: 'partial' });
    new DataView(frame.buffer).setUint16(38, 2999);
    expect(classify(vxlanDatagram(42, frame), 1200)).toBe(MERGED);
  });

  test('refuses what hides a header of another VNI at a stride', () => {
    const stride = 1200;
    const payload = bytesOf(3000);
    const build = (vni: number, at: number): Uint8Array => {
      payload.set(vxlanDatagram(vni, new Uint8Array()), at - 8 - 42);
      return vxlanDatagram(42, udpFrame({ payload, checksum: 'partial' }));
    };
    expect(classify(build(42, stride), stride)).toBe(SUPER_FRAME);
    expect(classify(build(43, 2 * stride), stride)).toBe(AMBIGUOUS);
    expect(classify(build(43, stride), stride)).toBe(AMBIGUOUS);
  });

  test('does not look for a header where less than one fits', () => {
    const frame = udpFrame({ payload: bytesOf(100), checksum: 'partial' });
    const datagram = vxlanDatagram(42, frame);
    expect(classify(datagram, datagram.length - 7)).toBe(SUPER_FRAME);
  });
});

describe('tcpSuperFrameSize()', () => {
  const size = (mtu: number, payload = 4000): number => {
    const frame = tcpFrame({ payload: bytesOf(payload), options: new Uint8Array(12).fill(1) });
    const inner = new InnerPacket();
    inner.parse(new DataView(frame.buffer), 0, frame.length);
    return tcpSuperFrameSize(inner, 32, mtu);
  };

  test('fills the MTU with each segment', () => {
    expect(size(1450)).toBe(1450 - 20 - 32);
  });

  test('is 0 for a packet that fits', () => {
    expect(size(1450, 1450 - 52)).toBe(0);
    expect(size(1450, 1450 - 51)).toBe(1398);
  });

  test('is 0 for an MTU without room for payload', () => {
    expect(size(52)).toBe(0);
    expect(size(0)).toBe(0);
  });
});
