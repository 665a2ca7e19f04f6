import { expect, it } from 'vitest';
import { mssLimits, overlayMtu, superFrameSegments } from '../../../src/vtep/mtu.ts';

it('overlayMtu() leaves room for the outer headers of either family', () => {
  expect(overlayMtu(1500, 4)).toBe(1450);
  expect(overlayMtu(1500, 6)).toBe(1430);
  expect(overlayMtu(9000, 4)).toBe(8950);
});

it('overlayMtu() never goes below what a device accepts', () => {
  expect(overlayMtu(80, 4)).toBe(68);
});

it('superFrameSegments() fit one UDP payload and one send', () => {
  expect(superFrameSegments(1450)).toBe(44);
  expect(44 * (1450 + 22)).toBeLessThanOrEqual(65_507);
  expect(superFrameSegments(8950)).toBe(7);
  expect(superFrameSegments(68), 'what the kernel takes at once').toBe(64);
  expect(superFrameSegments(65_500)).toBe(1);
});

it('mssLimits() are off, what was given, or what fits', () => {
  expect(mssLimits(false, 1450)).toEqual({ mssLimit4: 0, mssLimit6: 0 });
  expect(mssLimits(1200, 1450)).toEqual({ mssLimit4: 1200, mssLimit6: 1200 });
  expect(mssLimits(true, 1450)).toEqual({ mssLimit4: 1410, mssLimit6: 1390 });
  expect(mssLimits(true, 68), 'never off by accident').toEqual({ mssLimit4: 28, mssLimit6: 8 });
});
