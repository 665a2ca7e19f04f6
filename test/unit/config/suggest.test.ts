import { describe, expect, it } from 'vitest';
import { suggest } from '../../../src/config/suggest.ts';

const KEYS = ['id', 'vni', 'local', 'remotes', 'remote', 'port', 'mac-learning', 'ageing', 'aging'];

describe('suggest()', () => {
  it.each([
    ['remtes', 'remotes'],
    ['remotess', 'remotes'],
    ['Local', 'local'],
    ['mac_learning', 'mac-learning'],
    ['maclearnng', 'mac-learning'],
    ['agieng', 'ageing'],
    ['prot', 'port'],
    ['ip', 'id'],
  ])('finds what %j was meant to be', (word, expected) => {
    expect(suggest(word, KEYS)).toBe(expected);
  });

  it('suggests nothing for a word that is far from all', () => {
    for (const word of ['bridge', 'xyz', '', 'x'.repeat(10_000)]) {
      expect(suggest(word, KEYS)).toBeUndefined();
    }
  });
});
