import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  flag,
  interfaceName,
  isInterfaceName,
  oneOf,
  overlayAddress,
  port,
  socketPath,
  underlayAddress,
  wholeNumber,
  wholeNumberOrAuto,
  wholeNumberOrFlag,
} from '../../../src/config/fields.ts';

/** The value, or the words of the refusal. */
function read(type: z.ZodType, value: unknown): unknown {
  const result = type.safeParse(value);
  return result.success ? result.data : result.error.issues.map(({ message }) => message);
}

describe('wholeNumber()', () => {
  it('takes numbers and decimal digits inside its range, ends included', () => {
    for (const value of [3, 5, '3', '05']) {
      expect(read(wholeNumber(3, 5), value)).toBe(Number(value));
    }
  });

  it('tells what is no whole number from what is out of range', () => {
    for (const value of [
      '',
      'x',
      '1e3',
      '0x4',
      ' 4',
      4.5,
      NaN,
      Infinity,
      true,
      null,
      undefined,
      [],
    ]) {
      expect(read(wholeNumber(3, 5), value)).toEqual(['is not a whole number; allowed: 3 to 5']);
    }
    for (const value of [2, 6, -4, '6', '-4', 1e300]) {
      expect(read(wholeNumber(3, 5), value)).toEqual(['is out of range; allowed: 3 to 5']);
    }
  });
});

describe('wholeNumberOrAuto()', () => {
  it('takes the word too, and names it among what is allowed', () => {
    expect(read(wholeNumberOrAuto(1, 64), 'auto')).toBe('auto');
    expect(read(wholeNumberOrAuto(1, 64), '64')).toBe(64);
    expect(read(wholeNumberOrAuto(1, 64), 65)).toEqual([
      'is out of range; allowed: auto, or 1 to 64',
    ]);
    expect(read(wholeNumber(1, 64), 'auto')).toEqual(['is not a whole number; allowed: 1 to 64']);
  });
});

describe('wholeNumberOrFlag()', () => {
  it('takes a number, true and false', () => {
    const type = wholeNumberOrFlag(88, 1460);
    for (const value of [88, '1460']) expect(read(type, value)).toBe(Number(value));
    for (const value of [true, 'true', 'on']) expect(read(type, value)).toBe(true);
    expect(read(type, 'false')).toBe(false);
    for (const value of [87, 1461, 'auto', 1.5, null]) {
      expect(read(type, value)).toEqual([
        'is neither true nor false nor a number in range; allowed: true, false, or 88 to 1460',
      ]);
    }
  });
});

describe('oneOf()', () => {
  it('takes its words only', () => {
    expect(read(oneOf(['auto', 'off']), 'off')).toBe('off');
    expect(read(oneOf(['auto', 'off']), 'on')).toEqual(['is not supported; allowed: auto, off']);
    expect(read(oneOf(['auto', 'off']), undefined)).toEqual([
      'is not supported; allowed: auto, off',
    ]);
  });
});

describe('flag()', () => {
  it('takes the words of YAML and of netplan', () => {
    for (const value of [true, 'true', 'yes', 'on', 'Yes']) expect(read(flag(), value)).toBe(true);
    for (const value of [false, 'false', 'no', 'off']) expect(read(flag(), value)).toBe(false);
    for (const value of ['maybe', 1, null, undefined]) {
      expect(read(flag(), value)).toEqual(['is neither true nor false; allowed: true, false']);
    }
  });
});

describe('socketPath()', () => {
  it('takes absolute paths that fit into a sockaddr_un', () => {
    const longest = `/${'a'.repeat(106)}`;
    expect(read(socketPath(), longest)).toBe(longest);
    expect(read(socketPath(), `${longest}a`)).toEqual([expect.stringContaining('is too long')]);
    expect(read(socketPath(), `/${'é'.repeat(54)}`)).toEqual([
      expect.stringContaining('is too long'),
    ]);
  });

  it('refuses relative paths, folders and what is no text, each with one reason', () => {
    for (const value of ['', 'vtepd.sock', '/run/', 7, undefined]) {
      expect(read(socketPath(), value)).toEqual([
        expect.stringContaining('allowed: an absolute path of up to 107 bytes'),
      ]);
    }
  });
});

describe('interfaceName()', () => {
  it('takes what the kernel and the tools take', () => {
    for (const name of ['vx42', 'a', '42', 'vx-1.2_3', 'x'.repeat(15), '~']) {
      expect(isInterfaceName(name)).toBe(true);
      expect(read(interfaceName(), name)).toBe(name);
    }
  });

  it('refuses the rest', () => {
    const bad = [
      '',
      '.',
      '..',
      'x'.repeat(16),
      'a b',
      'a/b',
      'a:b',
      'vx%d',
      'a@b',
      '-x',
      'é',
      'a\n',
    ];
    for (const name of bad) {
      expect(isInterfaceName(name)).toBe(false);
      expect(read(interfaceName(), name)).toEqual([expect.stringContaining('allowed: 1 to 15')]);
    }
  });
});

describe('port(), underlayAddress() and overlayAddress()', () => {
  it('read their values', () => {
    expect(read(port(), 65535)).toBe(65535);
    expect(read(port(), 0)).toEqual(['is out of range; allowed: 1 to 65535']);
    expect(read(underlayAddress('local'), '10.0.0.1')).toMatchObject({
      text: '10.0.0.1',
      family: 4,
    });
    expect(read(overlayAddress(), '10.0.0.1/8')).toMatchObject({ text: '10.0.0.1/8' });
  });

  it('refuse what is not text with one reason', () => {
    for (const value of [10.1, null, undefined, true]) {
      expect(read(underlayAddress('remote'), value)).toEqual([
        'is not an IP address; allowed: a unicast IPv4 or IPv6 address',
      ]);
      expect(read(overlayAddress(), value)).toEqual([
        expect.stringContaining('is not an address with its prefix length'),
      ]);
    }
  });
});
