import { describe, expect, test } from 'vitest';
import { InnerPacket } from '../../../src/dataplane/inner-packet.ts';
import {
  SEGMENT_HEADER_AREA_BYTES,
  SEGMENT_MALFORMED,
  SEGMENT_NO_ROOM,
  Segmenter,
} from '../../../src/dataplane/segment.ts';
import { heapArena } from '../../../src/packet/arena.ts';
import { SLOT_BYTES } from '../../../src/packet/slot.ts';
import { dissect } from '../../support/dissect.ts';
import {
  bytesOf,
  concat,
  icmpFrame,
  ipFrame,
  TCP_ACK,
  TCP_CWR,
  TCP_FIN,
  TCP_PSH,
  tcpFrame,
  type TransportSpec,
  udpFrame,
  zeroChecksumPayload,
} from '../../support/packets.ts';

const SLOT = 64;
const AREA = SLOT + SLOT_BYTES + 64;
const TCPV4 = 1;
const TCPV6 = 4;
const UDP_L4 = 5;

class Bench {
  readonly arena = heapArena(AREA + SEGMENT_HEADER_AREA_BYTES + 64);
  readonly segmenter = new Segmenter(this.arena, AREA);
  readonly #inner = new InnerPacket();

  constructor() {
    this.arena.bytes.fill(0xa5);
  }

  segment(frame: Uint8Array, type: number, size: number, vni = 42): number {
    this.arena.bytes.set(frame, SLOT + 16);
    this.#inner.parse(this.arena.view, SLOT + 16, frame.length);
    return this.segmenter.segment(SLOT, this.#inner, type, size, vni);
  }

  /** The datagrams that the pieces make. */
  pieces(): Uint8Array[] {
    const { headOffset, headLength, tailOffset, tailLength, count } = this.segmenter;
    const part = (offset: number, length: number): Uint8Array =>
      this.arena.bytes.slice(offset, offset + length);
    return Array.from({ length: count }, (_, index) =>
      concat(
        part(headOffset[index]!, headLength[index]!),
        part(tailOffset[index]!, tailLength[index]!),
      ),
    );
  }
}

/** The inner frames of the segments, which must carry `vni`. */
function segmented(frame: Uint8Array, type: number, size: number): Uint8Array[] {
  const bench = new Bench();
  const count = bench.segment(frame, type, size, 0xabcdef);
  const pieces = bench.pieces();
  expect(pieces).toHaveLength(count);
  for (const piece of pieces)
    expect(Buffer.from(piece.subarray(0, 8)).toString('hex')).toBe('08000000abcdef00');
  return pieces.map((piece) => piece.slice(8));
}

const SHAPES: readonly [string, TransportSpec][] = [
  ['IPv4', {}],
  [
    'IPv4 with options and a VLAN tag',
    { ipOptions: new Uint8Array(8).fill(1), vlans: [{ id: 9 }] },
  ],
  ['IPv4 with two VLAN tags', { vlans: [{ tpid: 0x88a8, id: 9 }, { id: 8 }] }],
  ['IPv6', { family: 6 }],
  ['IPv6 with a VLAN tag', { family: 6, vlans: [{ id: 9, priority: 5 }] }],
  ['IPv6 with an extension header', { family: 6, extensions: [[60, new Uint8Array(8)]] }],
];

describe.each(SHAPES)('TCP over %s', (_, shape) => {
  const type = shape.family === 6 ? TCPV6 : TCPV4;
  const common = { ...shape, tos: 0x2a, ttl: 61, options: new Uint8Array(12).fill(1), window: 777 };

  test.each([
    [1400, 4 * 1400],
    [1400, 4 * 1400 + 1],
    [1398, 5000],
    [1399, 5001],
    [1401, 1402],
    [536, 60_000],
    [48, 333],
  ])('in segments of %d: %d bytes', (size, length) => {
    const payload = bytesOf(length);
    const sequence = 0xffff_f000;
    const spec = { ...common, payload, sequence, acknowledgment: 9, id: 0xfffe };
    const frames = segmented(tcpFrame({ ...spec, checksum: 'partial' }), type, size);
    expect(frames).toHaveLength(Math.ceil(length / size));
    // Each segment is exactly what its sender would have sent without offload.
    frames.forEach((frame, index) => {
      const wanted = tcpFrame({
        ...spec,
        payload: payload.slice(index * size, (index + 1) * size),
        sequence: (sequence + index * size) % 0x1_0000_0000,
        id: (0xfffe + index) % 0x1_0000,
      });
      expect(frame).toEqual(wanted);
    });
  });
});

describe.each(SHAPES)('UDP over %s', (_, shape) => {
  test.each([
    [1200, 12_000],
    [1200, 12_001],
    [1199, 5000],
    [7, 100],
    [1, 40],
  ])('in segments of %d: %d bytes', (size, length) => {
    const payload = bytesOf(length);
    const frame = udpFrame({ ...shape, payload, id: 0xffff, checksum: 'partial' });
    segmented(frame, UDP_L4, size).forEach((segment, index) => {
      const part = payload.slice(index * size, (index + 1) * size);
      expect(segment).toEqual(udpFrame({ ...shape, payload: part, id: (0xffff + index) & 0xffff }));
    });
  });
});

describe('segment()', () => {
  test('leaves FIN and PSH to the last segment, CWR to the first', () => {
    const flags = TCP_FIN | TCP_PSH | TCP_ACK | TCP_CWR;
    const frames = segmented(tcpFrame({ payload: bytesOf(300), flags }), TCPV4, 100);
    expect(frames.map((frame) => dissect(frame).flags)).toEqual([
      TCP_ACK | TCP_CWR,
      TCP_ACK,
      TCP_ACK | TCP_FIN | TCP_PSH,
    ]);
    const [only] = segmented(tcpFrame({ payload: bytesOf(100), flags }), TCPV4, 100);
    expect(dissect(only!).flags).toBe(flags);
  });

  test('writes a UDP checksum of 0 as ffff', () => {
    for (const family of [4, 6] as const) {
      const payload = zeroChecksumPayload({ family });
      const frame = udpFrame({ family, payload: concat(payload, payload), checksum: 'partial' });
      for (const segment of segmented(frame, UDP_L4, 2))
        expect(dissect(segment)).toMatchObject({ checksum: 0xffff, checksumValid: true });
    }
  });

  test('does not take Ethernet padding for payload', () => {
    const payload = bytesOf(250);
    const frames = segmented(tcpFrame({ payload, padding: bytesOf(30, 2) }), TCPV4, 100);
    expect(frames.map((frame) => frame.length)).toEqual([154, 154, 104]);
    expect(concat(...frames.map((frame) => dissect(frame).payload))).toEqual(payload);
  });

  test('makes one piece of a super-frame without payload', () => {
    const [frame, ...rest] = segmented(tcpFrame({ payload: new Uint8Array() }), TCPV4, 100);
    expect(rest).toEqual([]);
    expect(frame).toEqual(tcpFrame({ payload: new Uint8Array() }));
  });

  test('writes headers only into the area, and payload not at all', () => {
    const bench = new Bench();
    const frame = tcpFrame({ payload: bytesOf(65_000), checksum: 'partial' });
    const count = bench.segment(frame, TCPV4, 1448);
    const { bytes } = bench.arena;
    const end = AREA + count * 64;
    expect(bytes.subarray(SLOT + 16 + 54, SLOT + 16 + frame.length)).toEqual(frame.subarray(54));
    for (const [from, to] of [
      [0, SLOT + 8],
      [SLOT + 16 + frame.length, AREA],
      [end, bytes.length],
    ])
      expect(bytes.subarray(from, to).every((byte) => byte === 0xa5)).toBe(true);
  });

  test.each([
    ['a type of the other family', tcpFrame(), TCPV6, 100],
    ['a type of the other family', tcpFrame({ family: 6 }), TCPV4, 100],
    ['a type of the other protocol', udpFrame(), TCPV4, 100],
    ['a type of the other protocol', tcpFrame(), UDP_L4, 100],
    ['UFO, which was not offered', udpFrame(), 3, 100],
    ['no type', tcpFrame(), 0, 100],
    ['a segment size of 0', tcpFrame(), TCPV4, 0],
    ['more segments than 64 KiB in segments of 48', tcpFrame({ payload: bytesOf(1401) }), TCPV4, 1],
    ['a protocol without segments', icmpFrame(), TCPV4, 100],
    ['a fragment', tcpFrame({ moreFragments: true }), TCPV4, 100],
    ['a TCP header cut short', ipFrame({}, 6, bytesOf(19)), TCPV4, 100],
    [
      'a TCP header longer than the packet',
      ipFrame({}, 6, new Uint8Array(20).fill(0xf0)),
      TCPV4,
      9,
    ],
    ['a TCP header length of 16', ipFrame({}, 6, new Uint8Array(40).fill(0x40)), TCPV4, 100],
    ['a UDP header cut short', ipFrame({}, 17, bytesOf(7)), UDP_L4, 100],
    [
      'headers longer than any honest ones',
      tcpFrame({ family: 6, extensions: [[60, Uint8Array.of(0, 31, ...new Uint8Array(254))]] }),
      TCPV6,
      100,
    ],
  ])('refuses %s and changes nothing', (_, frame, type, size) => {
    const bench = new Bench();
    expect(bench.segment(frame, type, size)).toBe(SEGMENT_MALFORMED);
    expect(bench.arena.bytes.slice(SLOT + 16, SLOT + 16 + frame.length)).toEqual(frame);
  });

  test('says that the area is full, changes nothing, and goes on after reset()', () => {
    const bench = new Bench();
    const frame = tcpFrame({ payload: bytesOf(65_000), checksum: 'partial' });
    let count = bench.segment(frame, TCPV4, 100);
    expect(count).toBe(650);
    const first = bench.pieces();
    for (let total = 0; count > 0; total += 1) {
      expect(total).toBeLessThan(100);
      count = bench.segment(frame, TCPV4, 100);
    }
    expect(count).toBe(SEGMENT_NO_ROOM);
    expect(bench.arena.bytes.slice(SLOT + 16, SLOT + 16 + frame.length)).toEqual(frame);
    expect(bench.arena.bytes.subarray(-64).every((byte) => byte === 0xa5)).toBe(true);
    bench.segmenter.reset();
    expect(bench.segment(frame, TCPV4, 100)).toBe(650);
    expect(bench.pieces()).toEqual(first);
  });

  test('keeps the headers of several super-frames until reset()', () => {
    const bench = new Bench();
    bench.segment(tcpFrame({ payload: bytesOf(300), sourcePort: 1 }), TCPV4, 100);
    const { headOffset, headLength } = bench.segmenter;
    const at = headOffset[2]!;
    const head = bench.arena.bytes.slice(at, at + headLength[2]!);
    bench.segment(tcpFrame({ payload: bytesOf(300), sourcePort: 2 }), TCPV4, 100);
    expect(bench.arena.bytes.slice(at, at + head.length)).toEqual(head);
  });
});

describe('whole()', () => {
  test('is one piece with its VXLAN header right in front', () => {
    const bench = new Bench();
    const frame = icmpFrame();
    bench.arena.bytes.set(frame, SLOT + 16);
    bench.segmenter.whole(SLOT, frame.length, 5);
    expect(bench.pieces()).toEqual([concat(Uint8Array.of(8, 0, 0, 0, 0, 0, 5, 0), frame)]);
    expect(bench.arena.bytes[SLOT + 7]).toBe(0xa5);
  });
});

describe('rewriteVni()', () => {
  test('changes the VNI of every piece and nothing else', () => {
    const bench = new Bench();
    bench.segment(tcpFrame({ payload: bytesOf(300) }), TCPV4, 100, 1);
    const before = bench.pieces();
    bench.segmenter.rewriteVni(2);
    const wanted = before.map((piece) => {
      piece[6] = 2;
      return piece;
    });
    expect(bench.pieces()).toEqual(wanted);
  });
});
