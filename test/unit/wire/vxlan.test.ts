import { describe, expect, it } from 'vitest';
import { hasReservedBits, isVxlan, readVni, VNI_MAX, writeVxlan } from '../../../src/wire/vxlan.ts';
import { bytesOf, hexOf, poisoned } from './bytes.ts';

const HEADER = '08000000 00002a00';

describe('isVxlan()', () => {
  it('accepts a header with the I flag, whatever the reserved bits are', () => {
    expect(isVxlan(bytesOf(HEADER), 0, 8)).toBe(true);
    expect(isVxlan(bytesOf('ffffffff 00002aff'), 0, 8)).toBe(true);
  });

  it('refuses a clear I flag and every shorter length', () => {
    expect(isVxlan(bytesOf('f7ffffff 00002a00'), 0, 8)).toBe(false);
    for (let length = 0; length < 8; length += 1) {
      expect(isVxlan(bytesOf(HEADER), 0, length)).toBe(false);
    }
  });
});

it('hasReservedBits() sees each of the 39 reserved bits', () => {
  expect(hasReservedBits(bytesOf(HEADER), 0)).toBe(false);
  let seen = 0;
  for (let bit = 0; bit < 64; bit += 1) {
    const view = bytesOf('08000000 00000000');
    view.setUint8(bit >>> 3, view.getUint8(bit >>> 3) | (0x80 >>> (bit & 7)));
    if (hasReservedBits(view, 0)) seen += 1;
  }
  expect(seen).toBe(39);
});

it('readVni() and writeVxlan() agree on the whole range', () => {
  for (const vni of [0, 1, 42, 0x123456, VNI_MAX]) {
    const view = poisoned(10);
    writeVxlan(view, 1, vni);
    expect(readVni(view, 1)).toBe(vni);
    expect(hexOf(view)).toBe(`a508000000${vni.toString(16).padStart(6, '0')}00a5`);
  }
});
