import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TUNNEL_LEARNING, TUNNEL_NEIGH_SUPPRESS } from '../../src/dataplane/tunnel-table.ts';
import { isIpv4Mapped } from '../../src/wire/ip.ts';
import { neighbourMessage } from '../../src/wire/ndp.ts';
import { DataPath, mappedAddress, VNI } from '../support/data-path.ts';
import { advertisement, arp, linkLayer, MAC_B, solicitation } from '../support/neighbour-frames.ts';
import { vxlanDatagram } from '../support/packets.ts';

const FLAGS = TUNNEL_LEARNING | TUNNEL_NEIGH_SUPPRESS;
const L3 = 14;

/** Options of any type and length, so also of length 0 and beyond the frame. */
const options = fc
  .array(fc.tuple(fc.nat(255), fc.oneof(fc.constantFrom(0, 1, 1, 2, 31, 255), fc.nat(255))), {
    maxLength: 6,
  })
  .map((pairs) =>
    Uint8Array.from(pairs.flatMap(([type, units]) => [type, units, 2, 0, 0, 0, 0, 11])),
  );

const whole = fc.oneof(
  fc
    .record({
      operation: fc.constantFrom(1, 2, 3, 8),
      targetIp: fc.constantFrom('10.0.0.2', '10.0.0.3'),
    })
    .map(arp),
  options.map((bytes) => solicitation({ options: bytes })),
  options.map((bytes) => advertisement({ options: bytes })),
  fc.constantFrom(arp(), solicitation(), advertisement()),
);

const changes = fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { minLength: 1, maxLength: 4 });

/** Messages with bytes changed, and cut off anywhere behind the Ethernet header. */
const hostile = fc.tuple(whole, changes, fc.nat(120)).map(([frame, edits, cut]) => {
  const copy = frame.slice(0, cut > 100 ? L3 + (cut % Math.max(1, frame.length - L3)) : undefined);
  for (const [at, value] of edits) if (at < copy.length) copy[at] = value;
  return copy;
});

/** A path that knows one neighbour of each family. */
function makePath(): DataPath {
  const path = new DataPath();
  path.tunnel(0, VNI, { flags: FLAGS });
  path.flood([path.remote('192.0.2.1')]);
  for (const text of ['10.0.0.2', 'fd00::2']) {
    const key = { tunnel: 0, address: mappedAddress(text), confirmedSeconds: 1 };
    path.tables.neighbours.set({ ...key, macHigh: 0x0200, macLow: 0x0b, flags: 1 });
  }
  return path;
}

describe('hostile neighbour messages', () => {
  it('neither throw nor get lost: each is answered, or forwarded, or dropped with a reason', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 6 }), (frames) => {
        const path = makePath();
        path.transmit(frames.map((frame) => ({ frame })));
        const dropped = Object.values(path.drops()).reduce((sum, count) => sum + count, 0);
        const { deliveries } = path.writer;
        expect(deliveries.length + path.sender.datagrams.length + dropped).toBe(frames.length);
        for (const { frame } of deliveries) expect([42, 86]).toContain(frame.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are judged without a look beyond their end', () => {
    fc.assert(
      fc.property(hostile, fc.nat(255), (frame, poison) => {
        const judge = (fill: number): number => {
          const bytes = new Uint8Array(frame.length + 4096).fill(fill);
          bytes.set(frame);
          return neighbourMessage(new DataView(bytes.buffer), L3, frame.length - L3);
        };
        expect(judge(poison)).toBe(judge(0));
        // A view that ends where the frame ends would throw at the first byte behind it.
        const exact = new DataView(frame.slice().buffer);
        expect(neighbourMessage(exact, L3, frame.length - L3)).toBe(judge(0));
      }),
      { numRuns: 5_000 },
    );
  });

  it('teach nothing when their checksum, hop limit, options or addresses are wrong', () => {
    const broken = fc.oneof(
      fc.record({ wrongChecksum: fc.constant(true) }),
      fc.record({ hopLimit: fc.nat(254) }),
      fc.record({ code: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ target: fc.constantFrom('ff02::1', '::', '::1', '0:0:0:0:0:ffff:a00:3') }),
      options
        .filter((bytes) => bytes.some((value, index) => index % 8 === 1 && value === 0))
        .map((bytes) => ({ options: bytes })),
      fc.nat(7).map((length) => ({ options: linkLayer(2, MAC_B).slice(0, length) })),
      fc.record({
        source: fc.constantFrom('02:00:00:00:00:77'),
        options: fc.constant(linkLayer(2, MAC_B)),
      }),
    );
    fc.assert(
      fc.property(broken, (spec) => {
        const path = makePath();
        const frame = advertisement({ target: 'fd00::3', ...spec });
        path.receive([{ bytes: vxlanDatagram(VNI, frame) }]);
        path.transmit([{ frame }]);
        expect(path.tables.neighbours.count).toBe(2);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never change an entry of a user, and never make one of an address that no host has', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 6 }), (frames) => {
        const path = makePath();
        path.receive(frames.map((frame) => ({ bytes: vxlanDatagram(VNI, frame) })));
        const { neighbours } = path.tables;
        for (let slot = 0; slot < neighbours.slots; slot += 1) {
          const entry = neighbours.entryAt(slot);
          if (entry === undefined) continue;
          expect(entry.macHigh & 0x0100).toBe(0);
          expect(entry.macHigh !== 0 || entry.macLow !== 0).toBe(true);
          const isIpv4 = isIpv4Mapped(entry.address);
          const first = entry.address[isIpv4 ? 12 : 0]!;
          expect(isIpv4 ? [0, 127, 0xff] : [0xff]).not.toContain(first);
        }
        const fixed = neighbours.read(0, mappedAddress('10.0.0.2'));
        expect(fixed).toMatchObject({ macHigh: 0x0200, macLow: 0x0b, flags: 1 });
      }),
      { numRuns: 2_000 },
    );
  });
});
