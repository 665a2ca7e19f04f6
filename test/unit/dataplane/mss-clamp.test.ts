import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InnerPacket } from '../../../src/dataplane/inner-packet.ts';
import { clampMss, clampReceivedMss } from '../../../src/dataplane/mss-clamp.ts';
import { dissect } from '../../support/dissect.ts';
import { TCP_ACK, TCP_SYN, tcpFrame, type TcpSpec } from '../../support/packets.ts';

/** A segment of 1460 bytes is announced, after `before`. */
function options(before: readonly number[] = [], mss = 1460): Uint8Array {
  const bytes = [...before, 2, 4, mss >> 8, mss & 0xff];
  while (bytes.length % 4 !== 0) bytes.push(1);
  return Uint8Array.from(bytes);
}

function clamped(spec: TcpSpec, limit: number, unfinished?: boolean): Uint8Array {
  const frame = tcpFrame({ flags: TCP_SYN, ...spec });
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const inner = new InnerPacket();
  inner.parse(view, 0, frame.length);
  if (unfinished === undefined) clampReceivedMss(view, inner, limit);
  else clampMss(view, inner, limit, unfinished);
  return frame;
}

test.each([
  [4, 'at an even place', []],
  [4, 'at an odd place', [1]],
  [4, 'after others', [3, 3, 7, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]],
  [6, 'at an even place', []],
  [6, 'at an odd place', [1]],
] as const)('over IPv%d an option %s is lowered, and the checksum stays right', (...row) => {
  const [family, , before] = row;
  const frame = clamped({ family, options: options(before) }, 1398);
  expect(frame).toEqual(tcpFrame({ family, flags: TCP_SYN, options: options(before, 1398) }));
  expect(dissect(frame).checksumValid).toBe(true);
});

test('a checksum that is wrong stays wrong', () => {
  const frame = clamped({ options: options(), checksum: 'wrong' }, 1000);
  expect(dissect(frame).checksumValid).toBe(false);
});

test('a checksum that is to be finished stays as it is', () => {
  const spec = { options: options(), checksum: 'partial' } as const;
  const wanted = tcpFrame({ ...spec, flags: TCP_SYN, options: options([], 1000) });
  expect(clamped(spec, 1000)).toEqual(wanted);
  expect(clamped(spec, 1000, true)).toEqual(wanted);
});

test.each([
  ['a lower size', { options: options([], 500) }],
  ['the same size', { options: options([], 1000) }],
  ['no option', { options: new Uint8Array() }],
  ['no SYN', { flags: TCP_ACK, options: options() }],
  ['an option behind the end', { options: Uint8Array.of(0, 2, 4, 5, 0xb4, 0, 0, 0) }],
  ['an option of a wrong length', { options: Uint8Array.of(2, 3, 5, 0) }],
  ['an option cut short', { options: Uint8Array.of(1, 1, 2, 4) }],
  ['a length of 0', { options: Uint8Array.of(8, 0, 2, 4, 5, 0xb4, 0, 0) }],
  ['a length beyond the header', { options: Uint8Array.of(8, 40, 2, 4, 5, 0xb4, 0, 0) }],
  ['a first fragment', { options: options(), moreFragments: true }],
] as const)('%s leaves the packet alone', (_, spec) => {
  expect(clamped(spec, 1000)).toEqual(tcpFrame({ flags: TCP_SYN, ...spec }));
});

test('hostile options change at most the size and the checksum, which stays as right as it was', () => {
  const words = fc.integer({ min: 0, max: 10 });
  const bytes = words.chain((count) => {
    const byte = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 255 }));
    return fc.array(byte, { minLength: count * 4, maxLength: count * 4 });
  });
  const property = fc.property(
    bytes,
    fc.constantFrom(4 as const, 6 as const),
    fc.integer({ min: 88, max: 9000 }),
    (raw, family, limit) => {
      const spec = { family, options: Uint8Array.from(raw) };
      const before = tcpFrame({ ...spec, flags: TCP_SYN });
      const after = clamped(spec, limit, false);
      expect(after.length).toBe(before.length);
      const changed = [...after.keys()].filter((at) => after[at] !== before[at]);
      const l4 = (family === 4 ? 20 : 40) + 14;
      const inOptions = changed.filter((at) => at !== l4 + 16 && at !== l4 + 17);
      expect(inOptions.every((at) => at >= l4 + 20 && at < l4 + 20 + raw.length)).toBe(true);
      expect(inOptions.length).toBeLessThanOrEqual(2);
      expect(dissect(after).checksumValid).toBe(true);
    },
  );
  fc.assert(property, { numRuns: 3000 });
});
