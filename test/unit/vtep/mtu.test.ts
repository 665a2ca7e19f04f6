import { expect, it } from 'vitest';
import { overlayMtu } from '../../../src/vtep/mtu.ts';

it('overlayMtu() leaves room for the outer headers of either family', () => {
  expect(overlayMtu(1500, 4)).toBe(1450);
  expect(overlayMtu(1500, 6)).toBe(1430);
  expect(overlayMtu(9000, 4)).toBe(8950);
});

it('overlayMtu() never goes below what a device accepts', () => {
  expect(overlayMtu(80, 4)).toBe(68);
});
