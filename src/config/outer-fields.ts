import { z } from 'zod';
import {
  type DontFragment,
  FLOW_LABEL_MAX,
  RESERVED_IGNORE,
  RESERVED_STRICT,
  type ReservedBits,
  TOS_MAX,
  TTL_MAX,
} from './outer.ts';

/** The kinds of values that the outer header's settings have; see fields.ts. */

/** TTL or hop limit. */
export function ttl(): z.ZodType<number | 'inherit' | 'auto'> {
  return wordOrNumber(['auto', 'inherit'], 1, TTL_MAX);
}

/** TOS or traffic class, without ECN. */
export function typeOfService(): z.ZodType<number | 'inherit'> {
  return wordOrNumber(['inherit'], 0, TOS_MAX).refine(
    (value) => typeof value === 'string' || value % ECN_VALUES === 0,
    {
      error:
        'has bits of ECN, which are always set by RFC 6040; allowed: inherit, or a multiple of 4 ' +
        `from 0 to ${TOS_MAX}`,
    },
  );
}

/** IPv6 flow label. */
export function flowLabel(): z.ZodType<number | 'inherit' | 'auto'> {
  return wordOrNumber(['auto', 'inherit'], 0, FLOW_LABEL_MAX);
}

/** A flag, or `inherit`; also the words of ip-link. */
export function doNotFragment(): z.ZodType<DontFragment> {
  return z.unknown().transform((value, context) => {
    const known = DONT_FRAGMENT_WORDS.get(String(value));
    return known ?? refuse(context, value, 'is not supported; allowed: true, false, inherit');
  });
}

/** `ignore`, `strict`, or the bits that must be zero, 64 of them, as ip-link writes `reserved_bits`. */
export function reservedBits(): z.ZodType<ReservedBits> {
  return z.unknown().transform((value, context) => {
    if (value === 'ignore') return RESERVED_IGNORE;
    if (value === 'strict') return RESERVED_STRICT;
    const text = typeof value === 'number' ? `0x${value.toString(16)}` : value;
    if (typeof text !== 'string' || !HEXADECIMAL_64.test(text)) {
      return refuse(context, value, `is no mask of 64 bits; ${RESERVED_ALLOWED}`);
    }
    const digits = text.slice(2).padStart(16, '0');
    const first = parseInt(digits.slice(0, 8), 16) | 0;
    const second = parseInt(digits.slice(8), 16) | 0;
    const used = (first & ~RESERVED_STRICT.first) | (second & ~RESERVED_STRICT.second);
    if (used === 0) return { first, second };
    return refuse(context, value, `has the I flag or bits of the VNI; ${RESERVED_ALLOWED}`);
  });
}

/** One of the words, or a whole number in decimal or hexadecimal digits. */
function wordOrNumber<const Word extends string>(
  words: readonly Word[],
  min: number,
  max: number,
): z.ZodType<Word | number> {
  const allowed = `allowed: ${words.join(', ')}, or ${min} to ${max}`;
  return z.unknown().transform((value, context) => {
    const word = words.find((known) => known === value);
    if (word !== undefined) return word;
    const number = typeof value === 'string' && NUMBER.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number)) {
      return refuse(context, value, `is not a whole number; ${allowed}`);
    }
    if (number >= min && number <= max) return number;
    return refuse(context, value, `is out of range; ${allowed}`);
  });
}

function refuse(context: z.RefinementCtx, input: unknown, message: string): never {
  context.issues.push({ code: 'custom', input, message });
  return z.NEVER;
}

const ECN_VALUES = 4;
const DONT_FRAGMENT_WORDS: ReadonlyMap<string, DontFragment> = new Map([
  ...['true', 'yes', 'on', 'set'].map((word) => [word, 'set'] as const),
  ...['false', 'no', 'off', 'unset'].map((word) => [word, 'unset'] as const),
  ['inherit', 'inherit'],
]);
const NUMBER = /^(?:-?\d{1,15}|0x[0-9a-f]{1,12})$/i;
const HEXADECIMAL_64 = /^0x[0-9a-f]{1,16}$/i;
const RESERVED_ALLOWED =
  'allowed: ignore, strict, or bits of 0xf7ffffff000000ff that must be zero, in hexadecimal';
