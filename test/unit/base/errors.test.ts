import { describe, expect, it } from 'vitest';
import { asVtepError, ERROR_CODES, formatError, VtepError } from '../../../src/base/errors.ts';

describe('VtepError', () => {
  it('carries the exit status of its code', () => {
    for (const [code, { exit }] of Object.entries(ERROR_CODES)) {
      expect(new VtepError(code as keyof typeof ERROR_CODES, 'x').exitStatus).toBe(exit);
    }
  });

  it('keeps its cause', () => {
    const cause = new Error('below');
    expect(new VtepError('ERR_SYSCALL', 'above', { cause }).cause).toBe(cause);
  });
});

describe('asVtepError()', () => {
  it('leaves a VtepError as it is', () => {
    const error = new VtepError('ERR_EXISTS', 'x');
    expect(asVtepError(error)).toBe(error);
  });

  it('makes an internal error of anything else', () => {
    expect(asVtepError(new TypeError('boom'))).toMatchObject({
      code: 'ERR_INTERNAL',
      message: 'boom',
    });
    expect(asVtepError('text')).toMatchObject({ code: 'ERR_INTERNAL', message: 'text' });
  });
});

describe('formatError()', () => {
  it('prints the message, and the hint where there is one', () => {
    expect(formatError(new VtepError('ERR_LIMIT', 'Full'))).toBe('error: Full');
    const withHint = new VtepError('ERR_LIMIT', 'Full', { hint: 'delete some' });
    expect(formatError(withHint)).toBe('error: Full\nhint: delete some');
  });

  it('leaves nothing in that a terminal could act on, but the ends of lines', () => {
    const error = new VtepError('ERR_CONFIG', 'a\u001b[31m\nb', { hint: 'c\u009b\u202e' });
    expect(formatError(error)).toBe('error: a\\u001b[31m\nb\nhint: c\\u009b\\u202e');
  });
});
