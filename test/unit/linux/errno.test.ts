import { describe, expect, test } from 'vitest';
import {
  EACCES,
  EAGAIN,
  EINVAL,
  EPERM,
  errnoName,
  syscallError,
} from '../../../src/linux/errno.ts';

describe('errno', () => {
  test('errnoName() gives the common name of numbers that have two', () => {
    expect([EAGAIN, EINVAL, 95, 77].map(errnoName)).toEqual([
      'EAGAIN',
      'EINVAL',
      'EOPNOTSUPP',
      'EBADFD',
    ]);
  });

  test('errnoName() does not fail on a number without a name', () => {
    expect(errnoName(4711)).toBe('errno 4711');
  });

  test('syscallError() tells missing permission from other refusals', () => {
    expect(syscallError('bind', EACCES, '[::]:80').code).toBe('ERR_PERMISSION');
    expect(syscallError('bind', EPERM).code).toBe('ERR_PERMISSION');
    expect(syscallError('bind', EINVAL).code).toBe('ERR_SYSCALL');
  });

  test('syscallError() names the action, its object and the hint', () => {
    const error = syscallError('bind', EINVAL, '[::]:80', 'use another port');
    expect(error.message).toBe('Cannot bind [::]:80: EINVAL');
    expect(error.hint).toBe('use another port');
  });
});
