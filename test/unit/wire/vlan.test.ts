import { expect, it } from 'vitest';
import { readVlanId, readVlanPriority, writeVlanTag } from '../../../src/wire/vlan.ts';
import { bytesOf, hexOf, poisoned } from './bytes.ts';

it('the readers take identifier and priority out of a tag', () => {
  const view = bytesOf('8100 b064');
  expect(readVlanId(view, 0)).toBe(100);
  expect(readVlanPriority(view, 0)).toBe(5);
});

it('writeVlanTag() writes the four bytes of a tag', () => {
  const view = poisoned(6);
  writeVlanTag(view, 1, 0x8100, 5, 100);
  expect(hexOf(view)).toBe('a58100a064a5');
});
