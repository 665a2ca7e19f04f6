import { describe, expect, it } from 'vitest';
import {
  FOREIGN_KEYS,
  GLOBAL_SHAPE,
  type Shape,
  TUNNEL_SHAPE,
} from '../../../src/config/schema.ts';

function spellings(shape: Shape): string[] {
  return Object.entries(shape).flatMap(([key, { aliases }]) => [key, ...aliases]);
}

describe('the shapes', () => {
  it('spell no key like another', () => {
    for (const shape of [GLOBAL_SHAPE, TUNNEL_SHAPE]) {
      const words = spellings(shape);
      expect(new Set(words).size).toBe(words.length);
      for (const word of words) expect(word).toMatch(/^[a-z]+(-[a-z]+)*$/);
    }
  });
});

describe('FOREIGN_KEYS', () => {
  it('holds no key of ours', () => {
    const ours = [...spellings(GLOBAL_SHAPE), ...spellings(TUNNEL_SHAPE)];
    expect(ours.filter((key) => FOREIGN_KEYS.has(key))).toEqual([]);
  });
});
