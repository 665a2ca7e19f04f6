import { describe, expect, it } from 'vitest';

import { hashEntry, hashSender, readWord } from '../../../src/fdb/hash.ts';
import { parseIp } from '../../../src/wire/ip.ts';

const BUCKETS = 1024;

/**
 * Chi-squared per degree of freedom, of the upper or the lower bits, whichever is worse (one table takes
 * these, the other those): 1 for random numbers, less for keys that spread even better.
 */
function unevenness(hashes: readonly number[]): number {
  const upper = hashes.map((hash) => Math.floor((hash / 2 ** 31) * BUCKETS));
  const lower = hashes.map((hash) => hash % BUCKETS);
  return Math.max(chiSquared(upper), chiSquared(lower));
}

function chiSquared(hashes: readonly number[]): number {
  const counts = new Array<number>(BUCKETS).fill(0);
  for (const hash of hashes) counts[hash]! += 1;
  const mean = hashes.length / BUCKETS;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0) / (BUCKETS - 1);
}

const numbers = Array.from({ length: 16 * BUCKETS }, (_, i) => i);

describe('hashEntry()', () => {
  it.each([
    ['sequential MACs', (i: number) => hashEntry(1, 42, 0x5254, 0x003f_0000 + i)],
    ['MACs in steps of 256', (i: number) => hashEntry(1, 42, 0x5254, i << 8)],
    ['MACs in steps of 65536', (i: number) => hashEntry(1, 42, 0x5254, (i << 16) >>> 0)],
    ['sequential first bytes', (i: number) => hashEntry(1, 42, i, 0)],
    ['sequential VNIs with one MAC', (i: number) => hashEntry(1, i, 0, 0)],
    ['VNIs in steps of 1000', (i: number) => hashEntry(1, (i * 1000) & 0xff_ffff, 0, 0)],
    ['MAC and VNI in step', (i: number) => hashEntry(1, i, 0x0200, i)],
    ['the same key in many processes', (i: number) => hashEntry(i, 42, 0x5254, 0x003f_e643)],
  ])('spreads %s', (_, hash) => {
    expect(unevenness(numbers.map(hash))).toBeLessThan(1.2);
  });

  it('returns integers of 31 bits that depend on every part of the key', () => {
    const hash = hashEntry(1, 2, 3, 0xffff_fffe);
    expect(hash).toBe(hash & 0x7fff_ffff);
    const others = [
      hashEntry(2, 2, 3, 0xffff_fffe),
      hashEntry(1, 3, 3, 0xffff_fffe),
      hashEntry(1, 2, 4, 0xffff_fffe),
      hashEntry(1, 2, 3, 0xffff_ffff),
    ];
    expect(new Set([hash, ...others]).size).toBe(5);
  });

  it('takes the last four bytes signed or unsigned', () => {
    expect(hashEntry(1, 2, 3, 0xffff_fffe | 0)).toBe(hashEntry(1, 2, 3, 0xffff_fffe));
  });
});

describe('hashSender()', () => {
  it.each([
    ['sequential IPv4 addresses', (i: number) => parseIp(`10.1.${i >> 8}.${i & 255}`)!],
    ['sequential IPv6 addresses', (i: number) => parseIp(`2001:db8::${i.toString(16)}`)!],
    ['sequential IPv6 networks', (i: number) => parseIp(`2001:db8:${i.toString(16)}::1`)!],
  ])('spreads %s', (_, address) => {
    expect(unevenness(numbers.map((i) => hashSender(1, 0, address(i), 0)))).toBeLessThan(1.2);
  });

  it('reads the address at any offset', () => {
    const bytes = new Uint8Array(40);
    bytes.set(parseIp('192.0.2.1')!, 7);
    expect(hashSender(1, 5, bytes, 7)).toBe(hashSender(1, 5, parseIp('192.0.2.1')!, 0));
    expect(hashSender(1, 6, bytes, 7)).not.toBe(hashSender(1, 5, bytes, 7));
  });
});

describe('readWord()', () => {
  it('puts the first byte lowest, as the machine does', () => {
    const bytes = Uint8Array.of(0, 0x11, 0x22, 0x33, 0xf4);
    expect(readWord(bytes, 1)).toBe(0xf433_2211 | 0);
    expect(readWord(bytes, 1)).toBe(new Int32Array(bytes.slice(1).buffer)[0]);
  });
});
