import { expect, it } from 'vitest';
import { printable } from '../../../src/base/printable.ts';

it('printable() leaves nothing in that a terminal could act on, and all else as it is', () => {
  expect(printable('a\u001b\u2028é')).toBe('a\\u001b\\u2028é');
  expect(printable('\u0085\u202e\n\ud800')).toBe('\\u0085\\u202e\\u000a\\ud800');
  expect(printable('\\ "😀"')).toBe('\\ "😀"');
});
