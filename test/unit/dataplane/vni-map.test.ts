import { describe, expect, test } from 'vitest';
import { NO_TUNNEL, VniMap } from '../../../src/dataplane/vni-map.ts';

describe('VniMap', () => {
  test('finds what was set, also when asked for the same again', () => {
    const map = new VniMap();
    map.set(0, 3);
    map.set(0xff_ffff, 0);
    expect([0, 0, 0xff_ffff, 5, 5, 0].map((vni) => map.find(vni))).toEqual([
      3,
      3,
      0,
      NO_TUNNEL,
      NO_TUNNEL,
      3,
    ]);
    expect(map.size).toBe(2);
  });

  test('does not remember what has changed since', () => {
    const map = new VniMap();
    expect(map.find(7)).toBe(NO_TUNNEL);
    map.set(7, 1);
    expect(map.find(7)).toBe(1);
    map.set(7, 2);
    expect(map.find(7)).toBe(2);
    map.delete(7);
    expect(map.find(7)).toBe(NO_TUNNEL);
  });
});
