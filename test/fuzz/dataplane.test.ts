import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  COUNTER_DROPS,
  COUNTER_RX_PACKETS,
  COUNTER_TX_PACKETS,
} from '../../src/dataplane/counters.ts';
import { DROP_REASON_COUNT } from '../../src/dataplane/drop-reasons.ts';
import { SLOT_BYTES } from '../../src/packet/slot.ts';
import { type Arrival, DataPath, NO_TUNNEL_ROW, type TapFrame, VNI } from '../support/data-path.ts';
import { dissect } from '../support/dissect.ts';
import {
  arpFrame,
  bytesOf,
  concat,
  icmpFrame,
  naiveSum,
  TCP_ACK,
  type TcpSpec,
  tcpFrame,
  type TransportSpec,
  udpFrame,
  vxlanDatagram,
} from '../support/packets.ts';

/** 08 looks like VXLAN's flags; two are enough to see an influence. */
const POISONS = [0x08, 0xa5];
/** Slots of the small data path; the first and the last batch slot are never filled. */
const SLOTS = 5;

const PRISTINE = new Map(
  POISONS.map((poison) => [poison, Buffer.alloc(2 * SLOTS * SLOT_BYTES, poison)]),
);

/** A data path whose memory is filled with `poison`, with everything a frame could ask for. */
function poisoned(poison: number): DataPath {
  const path = new DataPath({ frames: SLOTS, datagrams: SLOTS, messages: 6, deliveries: 4 });
  path.tunnel(1, 7);
  path.entry('02:00:00:00:00:0b', path.remote('192.0.2.1'));
  path.flood([path.remote('192.0.2.1'), path.remote('2001:db8::1', { vni: 9 })]);
  path.remote('192.0.2.1', { tunnel: 1, vni: 7 });
  const { frames } = path;
  path.arena.bytes.fill(poison, frames.slots[0], frames.slots[0]! + 2 * SLOTS * SLOT_BYTES);
  return path;
}

/** True when nothing outside of `[from, to)` of the batches' slots was written. */
function untouched(path: DataPath, poison: number, from: number, to: number): boolean {
  const memory = Buffer.from(path.arena.bytes.buffer);
  const first = path.frames.slots[0]!;
  const end = path.datagrams.offsets[0]! + SLOTS * SLOT_BYTES;
  const clean = PRISTINE.get(poison)!;
  return (
    memory.subarray(first, from).equals(clean.subarray(0, from - first)) &&
    memory.subarray(to, end).equals(clean.subarray(0, end - to))
  );
}

function drops(path: DataPath): number {
  let total = 0;
  for (const tunnel of [0, 1, NO_TUNNEL_ROW])
    for (let reason = 0; reason < DROP_REASON_COUNT; reason += 1)
      total += path.counter(COUNTER_DROPS + reason, tunnel);
  return total;
}

/** The same for every poison: what lies outside of the input has no influence. */
function expectSame(outcomes: readonly unknown[]): void {
  for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
}

const bytes = fc.uint8Array({ maxLength: 300 });

const packet: fc.Arbitrary<Uint8Array> = fc
  .record({
    build: fc.constantFrom(tcpFrame, udpFrame, icmpFrame, arpFrame),
    family: fc.constantFrom(4 as const, 6 as const),
    length: fc.constantFrom(0, 1, 9, 100, 1000, 5000),
    vlans: fc.constantFrom([], [{ id: 5 }], [{ tpid: 0x88a8, id: 5 }, { id: 6 }]),
    checksum: fc.constantFrom('right' as const, 'partial' as const, 'wrong' as const),
    tos: fc.nat(255),
    padding: fc.uint8Array({ maxLength: 4 }),
    destination: fc.constantFrom('02:00:00:00:00:0b', '02:00:00:00:00:0c', 'ff:ff:ff:ff:ff:ff'),
  })
  .map(({ build, length, ...spec }) => build({ ...spec, payload: bytesOf(length) }));

/** Whole packets with some bytes changed, and cut off somewhere. */
const damaged = fc
  .tuple(packet, fc.array(fc.tuple(fc.nat(90), fc.nat(255)), { maxLength: 4 }), fc.nat(120))
  .map(([frame, changes, cut]) => {
    const copy = frame.slice(0, cut < 100 ? frame.length : frame.length - cut + 99);
    for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
    return copy;
  });

const frame = fc.oneof(bytes, packet, damaged);

const word = fc.oneof(
  fc.constantFrom(0, 1, 6, 14, 16, 34, 54, 48, 1000, 1448, 65_535),
  fc.nat(65_535),
);

const vnet = fc.record({
  flags: fc.oneof(fc.constantFrom(0, 1, 2, 3), fc.nat(255)),
  gsoType: fc.oneof(fc.constantFrom(0, 0, 1, 3, 4, 5, 0x81, 0x84), fc.nat(255)),
  hdrLen: word,
  gsoSize: word,
  csumStart: word,
  csumOffset: word,
});

describe('any frame of a TAP with any virtio_net_hdr', () => {
  it('is sent or dropped for one reason, and nothing around it matters or changes', () => {
    fc.assert(
      fc.property(frame, vnet, (content, header) => {
        const tap: TapFrame = { frame: content, vnet: header };
        const outcomes = POISONS.map((poison) => {
          const path = poisoned(poison);
          transmitAlone(path, tap, poison);
          const sent = path.counter(COUNTER_TX_PACKETS);
          expect(sent).toBe(path.sender.datagrams.length);
          // Each remote gets the same number of pieces, or the frame died once.
          if (sent === 0) expect(drops(path)).toBe(1);
          else expect(drops(path)).toBe(0);
          return path.sender.messages;
        });
        expectSame(outcomes);
      }),
      { numRuns: 1500 },
    );
  });

  it('is answered at most once for each narrow path, and what lies around it stays unsaid', () => {
    fc.assert(
      fc.property(frame, vnet, fc.integer({ min: 100, max: 1500 }), (content, header, mtu) => {
        const outcomes = POISONS.map((poison) => {
          const path = poisoned(poison);
          path.tables.tunnels.setMssLimits(0, 500, 480);
          for (const remote of path.tables.remotes.list(0))
            path.tables.pathMtus.learn(remote, mtu, 1);
          transmitAlone(path, { frame: content, vnet: header }, poison);
          const answers = path.writer.deliveries.map(({ frame: answer }) => answer);
          expect(answers.length).toBeLessThanOrEqual(2);
          for (const answer of answers) {
            const { family, ipLength, ipChecksumValid, headers } = dissect(answer);
            expect(ipLength).toBeLessThanOrEqual(family === 4 ? 576 : 1280);
            expect(ipChecksumValid && headers < answer.length).toBe(true);
          }
          return [path.sender.messages, answers, path.drops()];
        });
        expectSame(outcomes);
      }),
      { numRuns: 1500 },
    );
  });
});

/** Sends a frame from the third slot: poison is before it and behind, and must stay. */
function transmitAlone(path: DataPath, tap: TapFrame, poison: number): void {
  path.load([tap]);
  const slot = path.frames.slots[2]!;
  path.arena.bytes.copyWithin(slot, path.frames.slots[0]!, path.frames.slots[1]);
  path.arena.bytes.fill(poison, path.frames.slots[0], path.frames.slots[1]);
  path.frames.slots[0] = slot;
  path.transmitter.transmit(path.frames, 0, 1);
  path.frames.slots[0] = slot - 2 * SLOT_BYTES;
  expect(untouched(path, poison, slot + 6, slot + 16 + tap.frame.length)).toBe(true);
}

const datagram = fc.oneof(
  bytes,
  fc
    .tuple(fc.constantFrom(VNI, 7, 8), fc.oneof(frame, frame), fc.constantFrom(8, 8, 8, 0, 255))
    .map(([vni, content, flags]) => vxlanDatagram(vni, content, { flags })),
);

/** One datagram, or several behind each other; with any stride, mostly one that fits. */
const arrival: fc.Arbitrary<Arrival> = fc
  .record({
    parts: fc.array(datagram, { minLength: 1, maxLength: 4 }),
    stride: fc.oneof(fc.constantFrom(0, -1, -1), fc.nat(2000)),
    tos: fc.nat(255),
    source: fc.constantFrom('192.0.2.1', '192.0.2.1', '192.0.2.9', '2001:db8::1'),
  })
  .map(({ parts, stride, tos, source }) => ({
    bytes: concat(...parts),
    stride: stride < 0 ? parts[0]!.length : stride,
    tos,
    source,
  }));

describe('any datagram with any stride', () => {
  it('is delivered or dropped for one reason, and nothing around it matters or changes', () => {
    fc.assert(
      fc.property(arrival, (input) => {
        const outcomes = POISONS.map((poison) => {
          const path = poisoned(poison);
          path.arrive([input]);
          const { offsets } = path.datagrams;
          const [first, second, third] = offsets;
          path.arena.bytes.copyWithin(third!, first!, second);
          path.arena.bytes.fill(poison, first, second);
          offsets[0] = third!;
          path.receiver.receive(path.datagrams, path.vnis, 1);
          offsets[0] = first!;
          expect(untouched(path, poison, third!, third! + input.bytes.length)).toBe(true);
          const delivered = path.writer.deliveries.reduce((sum, { frames }) => sum + frames, 0);
          const counted = path.counter(COUNTER_RX_PACKETS) + path.counter(COUNTER_RX_PACKETS, 1);
          expect(counted).toBe(delivered);
          const { length } = input.bytes;
          const stride = input.stride!;
          const pieces = stride === 0 || stride >= length ? 1 : Math.ceil(length / stride);
          // A super-frame, or a buffer that is refused, counts as one.
          expect([1, pieces]).toContain(delivered + drops(path));
          return path.writer.deliveries;
        });
        expectSame(outcomes);
      }),
      { numRuns: 1500 },
    );
  });
});

const spec: fc.Arbitrary<TcpSpec> = fc.record({
  family: fc.constantFrom(4 as const, 6 as const),
  tos: fc.nat(255),
  ttl: fc.nat(255),
  id: fc.nat(65_535),
  dontFragment: fc.boolean(),
  vlans: fc.constantFrom([], [{ id: 5 }], [{ tpid: 0x88a8, id: 5 }, { id: 6 }]),
  flowLabel: fc.nat(0xf_ffff),
  sourcePort: fc.nat(65_535),
  sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
  acknowledgment: fc.integer({ min: 0, max: 0xffff_ffff }),
  window: fc.nat(65_535),
  options: fc.constantFrom(new Uint8Array(), bytesOf(12), bytesOf(40)),
  flags: fc.constantFrom(TCP_ACK, TCP_ACK | 8, TCP_ACK | 1, TCP_ACK | 0x80, TCP_ACK | 0x89),
});

/** Sends a super-frame through one data path and its datagrams, merged, into another. */
function roundTrip(input: TapFrame): { sent: Uint8Array[]; path: DataPath } {
  const path = new DataPath({ messages: 64, datagrams: 64 });
  path.entry('02:00:00:00:00:0b', path.remote('192.0.2.1'));
  path.transmit([input]);
  path.receive(
    path.sender.messages.map(({ datagrams, segmentBytes }) => ({
      bytes: concat(...datagrams),
      stride: segmentBytes,
    })),
  );
  return { sent: path.sender.datagrams.map((one) => one.slice(8)), path };
}

describe('segmenting a super-frame and coalescing the segments', () => {
  it('of TCP gives back all of its payload in order, with checksums that hold', () => {
    fc.assert(
      fc.property(spec, fc.nat(65_000), fc.integer({ min: 48, max: 2000 }), (base, wish, size) => {
        const options = base.options!.length;
        const payload = bytesOf(Math.min(wish, 65_400 - options, size * 1300));
        const content = tcpFrame({ ...base, payload, checksum: 'partial' });
        const six = base.family === 6;
        const csumStart = dissect(content).headers - 20 - options;
        const header = { flags: 1, gsoType: six ? 4 : 1, gsoSize: size, csumStart, csumOffset: 16 };
        const { sent, path } = roundTrip({ frame: content, vnet: header });
        for (const one of sent)
          expect(dissect(one)).toMatchObject({ checksumValid: true, ipChecksumValid: true });
        const { deliveries } = path.writer;
        expect(Buffer.concat(deliveries.map(({ frame: made }) => dissect(made).payload))).toEqual(
          Buffer.from(payload),
        );
        let next = base.sequence!;
        for (const { frame: made, vnet: request } of deliveries) {
          const before = dissect(made);
          expect(before).toMatchObject({ sequence: next, ipChecksumValid: true });
          next = (next + before.payload.length) % 0x1_0000_0000;
          if (request.flags === 1) finish(made, request.csumStart, request.csumOffset);
          expect(dissect(made)).toMatchObject({ checksumValid: true });
          // Only what is longer than one segment was joined, and it says how it was made.
          expect(request.gsoSize).toBe(before.payload.length > size ? size : 0);
        }
        expect(drops(path)).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('of UDP gives back the datagrams that its sender meant', () => {
    const shapes: fc.Arbitrary<TransportSpec> = spec;
    fc.assert(
      fc.property(shapes, fc.nat(20_000), fc.integer({ min: 1, max: 1400 }), (base, wish, size) => {
        const payload = bytesOf(Math.min(wish, size * 128));
        const content = udpFrame({ ...base, payload, checksum: 'partial' });
        const csumStart = dissect(content).headers - 8;
        const header = { flags: 1, gsoType: 5, gsoSize: size, csumStart, csumOffset: 6 };
        const { sent, path } = roundTrip({ frame: content, vnet: header });
        expect(path.writer.deliveries.map(({ frame: made }) => made)).toEqual(sent);
        expect(sent).toHaveLength(Math.max(1, Math.ceil(payload.length / size)));
        for (const one of sent)
          expect(dissect(one)).toMatchObject({ checksumValid: true, ipChecksumValid: true });
        const parts = sent.map((one) => dissect(one).payload);
        expect(Buffer.concat(parts)).toEqual(Buffer.from(payload));
      }),
      { numRuns: 50 },
    );
  });
});

/** What the stack behind the TAP does with an unfinished checksum. */
function finish(content: Uint8Array, start: number, offset: number): void {
  const rest = naiveSum(content.subarray(start)) ^ 0xffff;
  content.set([rest >> 8, rest & 255], start + offset);
}
