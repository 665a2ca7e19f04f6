import { expect, it } from 'vitest';
import { isZeroMac } from '../../../src/wire/mac.ts';

it('isZeroMac() wants all 48 bits clear, for one set bit makes another address', () => {
  expect(isZeroMac(0, 0)).toBe(true);
  for (let bit = 0; bit < 16; bit += 1) expect(isZeroMac(2 ** bit, 0)).toBe(false);
  for (let bit = 0; bit < 32; bit += 1) expect(isZeroMac(0, 2 ** bit)).toBe(false);
});
