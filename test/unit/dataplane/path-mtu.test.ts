import { expect, test } from 'vitest';
import { PATH_MTU_SECONDS, PathMtuTable } from '../../../src/dataplane/path-mtu.ts';

const NOW = 100;

test('without knowledge everything fits', () => {
  const table = new PathMtuTable(2);
  expect(table.exceeds(1, 4, 65_507, NOW)).toBe(false);
  expect(table.mtu(1)).toBe(0);
});

test.each([
  [4, 1372],
  [6, 1352],
])('over IPv%d headers count', (family, room) => {
  const table = new PathMtuTable(2);
  table.learn(1, 1400, NOW);
  expect(table.exceeds(1, family, room, NOW)).toBe(false);
  expect(table.exceeds(1, family, room + 1, NOW)).toBe(true);
  expect(table.exceeds(0, family, room + 1, NOW), 'another remote').toBe(false);
});

test('after ten minutes a larger one may try again', () => {
  const table = new PathMtuTable(1);
  table.learn(0, 1400, NOW);
  expect(table.expires(0)).toBe(NOW + PATH_MTU_SECONDS);
  expect(table.exceeds(0, 4, 1400, NOW + PATH_MTU_SECONDS - 1)).toBe(true);
  expect(table.exceeds(0, 4, 1400, NOW + PATH_MTU_SECONDS)).toBe(false);
  expect(table.mtu(0)).toBe(0);
});

test('clear() forgets, other threads see it', () => {
  const table = new PathMtuTable(1);
  const other = new PathMtuTable(1, table.memory);
  table.learn(0, 1400, NOW);
  expect(other.mtu(0)).toBe(1400);
  other.clear(0);
  expect(table.exceeds(0, 4, 1400, NOW)).toBe(false);
});
