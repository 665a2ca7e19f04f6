import { expect, it } from 'vitest';
import { writeUdpChecksum } from '../../../src/wire/udp.ts';
import { hexOf, poisoned } from './bytes.ts';

it('writeUdpChecksum() sends a computed 0 as ffff, for a 0 would say that there is none', () => {
  const view = poisoned(9);
  writeUdpChecksum(view, 0, 0);
  expect(hexOf(view)).toBe('a5a5a5a5a5a5ffffa5');
  writeUdpChecksum(view, 0, 1);
  expect(hexOf(view)).toBe('a5a5a5a5a5a50001a5');
});
