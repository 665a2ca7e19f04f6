import { describe, expect, test } from 'vitest';
import { assertInterfaceName } from '../../../src/linux/tap.ts';

describe('assertInterfaceName()', () => {
  test('accepts what the kernel accepts', () => {
    for (const name of ['vx42', 'x', 'fifteen-bytes-x', 'vx.1', 'vx_1@a', 'ü'])
      expect(() => assertInterfaceName(name)).not.toThrow();
  });

  test('refuses names that no interface can have, and patterns the kernel would fill in', () => {
    for (const name of [
      '',
      '.',
      '..',
      'a/b',
      'a b',
      'a\tb',
      'a:b',
      'a\0b',
      'vx%d',
      'x'.repeat(16),
      'ü'.repeat(8),
    ])
      expect(() => assertInterfaceName(name)).toThrow(/^Cannot name a TAP/);
  });
});
