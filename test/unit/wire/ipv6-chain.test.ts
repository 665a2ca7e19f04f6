import { expect, it } from 'vitest';
import { ipv6L4Offset, ipv6L4Protocol } from '../../../src/wire/ipv6.ts';
import { bytesOf } from './bytes.ts';

/** A packet one byte into its view, with so many destination option headers before 8 bytes of UDP. */
function chain(headers: number): DataView {
  const options = `${'3c00010400000000'.repeat(headers - 1)} 1100010400000000`;
  return bytesOf(`a5 60000000 0000 3c 40 ${'00'.repeat(32)} ${options} ${'00'.repeat(8)}`);
}

it('ipv6L4Offset() passes eight extension headers and refuses nine', () => {
  const eight = chain(8);
  expect(ipv6L4Offset(eight, 1, eight.byteLength)).toBe(1 + 40 + 64);
  expect(ipv6L4Protocol(eight, 1, eight.byteLength)).toBe(17);
  const nine = chain(9);
  expect(ipv6L4Offset(nine, 1, nine.byteLength)).toBe(-1);
  expect(ipv6L4Protocol(nine, 1, nine.byteLength)).toBe(-1);
});

it('ipv6L4Offset() stops at the end it is given, even when the memory goes on', () => {
  const view = chain(3);
  const l4 = 1 + 40 + 24;
  for (let end = 41; end < l4; end += 1) expect(ipv6L4Offset(view, 1, end)).toBe(-1);
  expect(ipv6L4Offset(view, 1, l4)).toBe(l4);
});

it('no length that an extension header can claim leads outside of the packet', () => {
  const view = chain(1);
  for (let units = 0; units < 256; units += 1) {
    view.setUint8(42, units);
    // One unit more swallows the 8 bytes of UDP: the walk may end at the very end, not behind it.
    const expected = units > 1 ? -1 : 49 + 8 * units;
    expect(ipv6L4Offset(view, 1, view.byteLength)).toBe(expected);
  }
});
