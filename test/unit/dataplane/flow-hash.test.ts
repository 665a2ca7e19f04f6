import { describe, expect, test } from 'vitest';
import { flowHash } from '../../../src/dataplane/flow-hash.ts';
import { InnerPacket } from '../../../src/dataplane/inner-packet.ts';
import { arpFrame, bytesOf, concat, ipFrame, tcpFrame, udpFrame } from '../../support/packets.ts';

function hash(frame: Uint8Array): number {
  // At another alignment, behind bytes that must not matter and in front of such.
  const bytes = concat(bytesOf(7, frame.length), frame, bytesOf(8, frame.length));
  const view = new DataView(bytes.buffer);
  const inner = new InnerPacket();
  inner.parse(view, 7, frame.length);
  return flowHash(view, 7, inner);
}

describe.each([4, 6] as const)('flowHash() of IPv%d', (family) => {
  const spec = { family, sourcePort: 1234, destinationPort: 80 };

  test('is the same for all packets of a flow', () => {
    const first = hash(tcpFrame({ ...spec, sequence: 1, ttl: 64, payload: bytesOf(9) }));
    const second = hash(tcpFrame({ ...spec, sequence: 99, ttl: 63, tos: 3, flags: 0x18, id: 4 }));
    expect(first).toBe(second);
    expect(first).toBe(hash(tcpFrame({ ...spec, vlans: [{ id: 9 }] })));
    expect(Number.isInteger(first) && first >= 0 && first <= 0xffff_ffff).toBe(true);
  });

  test.each([
    { sourcePort: 1235 },
    { destinationPort: 81 },
    { sourceIp: family === 4 ? '10.0.0.3' : 'fd00::3' },
    { destinationIp: family === 4 ? '10.0.0.3' : 'fd00::3' },
  ])('changes with %o', (change) => {
    expect(hash(tcpFrame({ ...spec, ...change }))).not.toBe(hash(tcpFrame(spec)));
  });

  test('changes with the protocol', () => {
    expect(hash(udpFrame(spec))).not.toBe(hash(tcpFrame(spec)));
  });

  test('has ports of SCTP, and none of other protocols', () => {
    const body = (port: number): Uint8Array => Uint8Array.of(0, port, 0, 80, ...bytesOf(8));
    expect(hash(ipFrame(spec, 132, body(1)))).not.toBe(hash(ipFrame(spec, 132, body(2))));
    expect(hash(ipFrame(spec, 47, body(1)))).toBe(hash(ipFrame(spec, 47, body(2))));
  });

  test('spreads 4096 flows evenly over 16 lanes', () => {
    const lanes = new Array<number>(16).fill(0);
    for (let port = 0; port < 4096; port += 1)
      lanes[hash(udpFrame({ ...spec, sourcePort: 30_000 + port })) % 16]! += 1;
    expect(Math.min(...lanes)).toBeGreaterThan(256 * 0.7);
    expect(Math.max(...lanes)).toBeLessThan(256 * 1.3);
  });

  test('is the same for all fragments of a packet', () => {
    const fragment = (first: boolean, payload: Uint8Array): Uint8Array => {
      if (family === 4)
        return udpFrame({ ...spec, payload, moreFragments: first, fragmentOffset: first ? 0 : 9 });
      const field = Uint8Array.of(0, 0, 0, first ? 1 : 72, 0, 0, 0, 5);
      return udpFrame({ ...spec, payload, extensions: [[44, field]] });
    };
    expect(hash(fragment(true, bytesOf(64, 1)))).toBe(hash(fragment(false, bytesOf(30, 2))));
  });

  test('does not read ports behind the end of the packet', () => {
    const short = (seed: number): number =>
      hash(concat(ipFrame(spec, 17, bytesOf(3)), bytesOf(20, seed)));
    expect(short(1)).toBe(short(2));
  });
});

describe('flowHash() of other frames', () => {
  test('is made of the MACs', () => {
    const [one, other] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
    expect(hash(arpFrame({ source: one }))).toBe(hash(arpFrame({ source: one })));
    expect(hash(arpFrame({ source: one }))).not.toBe(hash(arpFrame({ source: other })));
    expect(hash(arpFrame({ destination: one }))).not.toBe(hash(arpFrame({ destination: other })));
  });
});
