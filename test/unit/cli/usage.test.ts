import { describe, expect, it } from 'vitest';
import { resolvePrefix, usageError } from '../../../src/cli/usage.ts';

describe('resolvePrefix()', () => {
  it('prefers the exact word over longer ones', () => {
    expect(resolvePrefix('add', ['add', 'address'], 'verb')).toBe('add');
    expect(resolvePrefix('addr', ['add', 'address'], 'verb')).toBe('address');
  });

  it('refuses the empty word', () => {
    expect(() => resolvePrefix('', ['add'], 'verb')).toThrow('Unknown verb ""');
  });
});

describe('usageError()', () => {
  it('ends the program with status 2', () => {
    expect(usageError('x').exitStatus).toBe(2);
    expect(usageError('x', 'y').hint).toBe('y');
  });
});
