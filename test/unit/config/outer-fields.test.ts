import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  doNotFragment,
  flowLabel,
  reservedBits,
  ttl,
  typeOfService,
} from '../../../src/config/outer-fields.ts';

/** The value, or the messages in a list. */
function read(type: z.ZodType, value: unknown): unknown {
  const result = type.safeParse(value);
  return result.success ? result.data : result.error.issues.map(({ message }) => message);
}

describe('ttl()', () => {
  it('takes 1 to 255 and two words', () => {
    const values = [1, 255, '64', '0x40', 'auto', 'inherit'];
    expect(values.map((value) => read(ttl(), value))).toEqual([1, 255, 64, 64, 'auto', 'inherit']);
  });

  it('refuses the rest', () => {
    const range = ['is out of range; allowed: auto, inherit, or 1 to 255'];
    const no = ['is not a whole number; allowed: auto, inherit, or 1 to 255'];
    expect(read(ttl(), 0)).toEqual(range);
    expect(read(ttl(), '256')).toEqual(range);
    for (const value of [1.5, 'x', true, null, undefined, ''])
      expect(read(ttl(), value)).toEqual(no);
  });
});

describe('typeOfService()', () => {
  it('takes multiples of 4, and inherit', () => {
    expect([0, 252, '0xb8', 'inherit'].map((value) => read(typeOfService(), value))).toEqual([
      0,
      252,
      0xb8,
      'inherit',
    ]);
  });

  it('refuses bits of ECN', () => {
    expect(read(typeOfService(), 0xb9)).toEqual([
      'has bits of ECN, which are always set by RFC 6040; allowed: inherit, or a multiple of 4 from 0 to 252',
    ]);
    expect(read(typeOfService(), 255)).toEqual(['is out of range; allowed: inherit, or 0 to 252']);
  });
});

describe('flowLabel()', () => {
  it('takes 20 bits and two words', () => {
    const values = [0, 0xf_ffff, 'auto', 'inherit'];
    expect(values.map((value) => read(flowLabel(), value))).toEqual(values);
    expect(read(flowLabel(), 0x10_0000)).toEqual([
      'is out of range; allowed: auto, inherit, or 0 to 1048575',
    ]);
  });
});

describe('doNotFragment()', () => {
  it('takes a flag, inherit, and the words of ip-link', () => {
    const values = [true, 'yes', 'set', false, 'off', 'unset', 'inherit'];
    expect(values.map((value) => read(doNotFragment(), value))).toEqual([
      ...['set', 'set', 'set', 'unset', 'unset', 'unset', 'inherit'],
    ]);
    expect(read(doNotFragment(), 'maybe')).toEqual([
      'is not supported; allowed: true, false, inherit',
    ]);
  });
});

describe('reservedBits()', () => {
  it('takes two words, and a mask as text or as a number', () => {
    expect(read(reservedBits(), 'ignore')).toEqual({ first: 0, second: 0 });
    expect(read(reservedBits(), 'strict')).toEqual({ first: 0xf7ff_ffff | 0, second: 0xff });
    expect(read(reservedBits(), '0xf7ffffff000000ff')).toEqual(read(reservedBits(), 'strict'));
    expect(read(reservedBits(), 0x1_0000_00ff)).toEqual({ first: 1, second: 0xff });
  });

  it('refuses the I flag, bits of the VNI, and what is no mask', () => {
    const allowed =
      'allowed: ignore, strict, or bits of 0xf7ffffff000000ff that must be zero, in hexadecimal';
    for (const value of ['0x0800000000000000', '0x100', '0xffffffffffffffff']) {
      expect(read(reservedBits(), value)).toEqual([
        `has the I flag or bits of the VNI; ${allowed}`,
      ]);
    }
    for (const value of ['lax', '0x1f7ffffff000000ff', true, null, -1, 1.5]) {
      expect(read(reservedBits(), value)).toEqual([`is no mask of 64 bits; ${allowed}`]);
    }
  });
});
