import { describe, expect, test } from 'vitest';
import {
  checksumFieldOffset,
  completeChecksum,
  isChecksumUnfinished,
  isTransportChecksumValid,
} from '../../../src/dataplane/checksum-offload.ts';
import { InnerPacket } from '../../../src/dataplane/inner-packet.ts';
import { payloadSum } from '../../../src/dataplane/payload-sum.ts';
import { vnetBytes } from '../../support/data-path.ts';
import { dissect } from '../../support/dissect.ts';
import {
  arpFrame,
  bytesOf,
  concat,
  icmpFrame,
  ipFrame,
  naiveSum,
  tcpFrame,
  udpFrame,
  zeroChecksumPayload,
} from '../../support/packets.ts';

/** A frame behind its virtio_net_hdr and in front of other bytes. */
function load(frame: Uint8Array, csumStart: number, csumOffset: number): Uint8Array {
  return concat(vnetBytes({ flags: 1, csumStart, csumOffset }), frame, new Uint8Array(64).fill(7));
}

function parsed(frame: Uint8Array): { view: DataView; inner: InnerPacket } {
  const view = new DataView(frame.buffer);
  const inner = new InnerPacket();
  inner.parse(view, 0, frame.length);
  return { view, inner };
}

/** The frame after completion, or undefined when it was refused. */
function complete(frame: Uint8Array, start: number, offset: number): Uint8Array | undefined {
  const bytes = load(frame, start, offset);
  const view = new DataView(bytes.buffer);
  const inner = new InnerPacket();
  inner.parse(view, 10, frame.length);
  if (!completeChecksum(view, 0, 10, frame.length, inner, payloadSum({ view }))) return undefined;
  return bytes.slice(10, 10 + frame.length);
}

describe('completeChecksum()', () => {
  test.each([
    { family: 4, l4: 34 },
    { family: 6, l4: 54 },
    { family: 4, l4: 38, vlans: [{ id: 7 }] },
    { family: 6, l4: 62, vlans: [{ tpid: 0x88a8, id: 7 }, { id: 8 }] },
    { family: 4, l4: 46, ipOptions: new Uint8Array(12).fill(1) },
  ] as const)('finishes TCP and UDP of any length: %o', ({ l4, ...spec }) => {
    for (const length of [0, 1, 2, 99, 1400]) {
      const payload = bytesOf(length, l4);
      const tcp = complete(tcpFrame({ ...spec, payload, checksum: 'partial' }), l4, 16);
      expect(tcp).toEqual(tcpFrame({ ...spec, payload }));
      const udp = complete(udpFrame({ ...spec, payload, checksum: 'partial' }), l4, 6);
      expect(udp).toEqual(udpFrame({ ...spec, payload }));
    }
  });

  test('sends a UDP checksum of 0 as ffff', () => {
    const payload = zeroChecksumPayload();
    const frame = complete(udpFrame({ payload, checksum: 'partial' }), 34, 6)!;
    expect(dissect(frame)).toMatchObject({ checksum: 0xffff, checksumValid: true });
  });

  test('does so for the UDP packet in a tunnel packet as well', () => {
    const payload = zeroChecksumPayload();
    const packet = udpFrame({ payload, checksum: 'partial' }).slice(14);
    const frame = complete(ipFrame({}, 4, packet), 54, 6)!;
    expect(new DataView(frame.buffer).getUint16(60)).toBe(0xffff);
  });

  test.each([0, 1, 6, 18])('leaves Ethernet padding out, with %d bytes of payload', (length) => {
    const spec = { payload: bytesOf(length), padding: new Uint8Array(18 - length).fill(0x99) };
    const udp = complete(udpFrame({ ...spec, checksum: 'partial' }), 34, 6);
    expect(udp).toEqual(udpFrame(spec));
    const tcp = complete(tcpFrame({ ...spec, checksum: 'partial' }), 34, 16);
    expect(tcp).toEqual(tcpFrame(spec));
  });

  test('believes the offsets for a protocol it does not know', () => {
    const body = concat(Uint8Array.of(0, 0, 0, 0), bytesOf(33));
    const frame = complete(ipFrame({}, 200, body), 34, 2)!;
    expect(naiveSum(frame.subarray(34))).toBe(0xffff);
  });

  test.each([
    ['a start inside the Ethernet header', 13, 0],
    ['a field behind the end', 34, 80],
    ['a field half behind the end', 34, 73],
    ['a start behind the end', 200, 0],
    ['offsets that overflow', 0xffff, 0xffff],
  ])('refuses %s and writes nothing', (_, start, offset) => {
    const frame = udpFrame();
    const bytes = load(frame, start, offset);
    const before = bytes.slice();
    const inner = new InnerPacket();
    const view = new DataView(bytes.buffer);
    inner.parse(view, 10, frame.length);
    expect(frame.length).toBe(74);
    expect(completeChecksum(view, 0, 10, frame.length, inner, payloadSum({ view }))).toBe(false);
    expect(bytes).toEqual(before);
  });

  test('takes a field that ends with the frame', () => {
    expect(complete(udpFrame(), 34, 38)).toBeDefined();
  });
});

describe('checksumFieldOffset()', () => {
  test('is that of TCP and of UDP, -1 for the rest', () => {
    expect(checksumFieldOffset(parsed(tcpFrame()).inner)).toBe(16);
    expect(checksumFieldOffset(parsed(udpFrame({ family: 6 })).inner)).toBe(6);
    for (const frame of [icmpFrame(), arpFrame(), udpFrame({ fragmentOffset: 1 })])
      expect(checksumFieldOffset(parsed(frame).inner)).toBe(-1);
  });

  test('is -1 for a header cut short', () => {
    expect(checksumFieldOffset(parsed(ipFrame({}, 6, bytesOf(19))).inner)).toBe(-1);
    expect(checksumFieldOffset(parsed(ipFrame({}, 17, bytesOf(7))).inner)).toBe(-1);
  });
});

describe.each([4, 6] as const)('checksums of IPv%d', (family) => {
  test.each([
    ['TCP', tcpFrame, 16],
    ['UDP', udpFrame, 6],
  ])('%s: unfinished, right and wrong ones are told apart', (_, build, field) => {
    for (const length of [1, 100, 1400]) {
      const state = (checksum: 'right' | 'wrong' | 'partial'): [boolean, boolean] => {
        const spec = { family, payload: bytesOf(length), padding: bytesOf(3), checksum };
        const { view, inner } = parsed(build(spec));
        return [
          isChecksumUnfinished(view, inner, field),
          isTransportChecksumValid(view, inner, payloadSum({ view })),
        ];
      };
      expect([state('right'), state('wrong'), state('partial')]).toEqual([
        [false, true],
        [false, false],
        [true, false],
      ]);
    }
  });

  test('a UDP datagram without a checksum is not an unfinished one', () => {
    const { view, inner } = parsed(udpFrame({ family, checksum: 'none' }));
    expect(isChecksumUnfinished(view, inner, 6)).toBe(false);
  });
});
