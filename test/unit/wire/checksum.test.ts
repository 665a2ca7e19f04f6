import { describe, expect, it } from 'vitest';
import {
  foldChecksum,
  foldSum,
  sumBytes,
  sumPseudoIpv4,
  sumPseudoIpv6,
  sumWord,
  updateChecksum16,
} from '../../../src/wire/checksum.ts';
import { bytesOf } from './bytes.ts';

/** RFC 1071 as it reads: 16-bit words in network order, carries added back. */
function naive(view: DataView, offset: number, length: number): number {
  let sum = 0;
  for (let at = 0; at < length; at += 2) {
    const low = at + 1 < length ? view.getUint8(offset + at + 1) : 0;
    sum += view.getUint8(offset + at) * 256 + low;
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return sum;
}

function pseudoRandom(length: number): DataView {
  const view = new DataView(new ArrayBuffer(length));
  let state = 12345;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    view.setUint8(at, state >>> 24);
  }
  return view;
}

describe('sumBytes()', () => {
  it('agrees with RFC 1071 for every alignment and short length', () => {
    const view = pseudoRandom(128);
    for (let offset = 0; offset < 8; offset += 1) {
      for (let length = 0; length <= 100; length += 1) {
        expect(foldSum(sumBytes(view, offset, length, 0))).toBe(naive(view, offset, length));
      }
    }
  });

  it('agrees with RFC 1071 for a super-frame, and for one of ones', () => {
    const view = pseudoRandom(65_540);
    expect(foldSum(sumBytes(view, 2, 65_535, 0))).toBe(naive(view, 2, 65_535));
    const ones = new DataView(new Uint8Array(65_536).fill(0xff).buffer);
    expect(foldSum(sumBytes(ones, 0, 65_536, 0))).toBe(0xffff);
  });

  it('goes on from a seed', () => {
    const view = pseudoRandom(64);
    const first = sumBytes(view, 0, 24, 0);
    expect(foldSum(sumBytes(view, 24, 40, first))).toBe(naive(view, 0, 64));
  });
});

describe('foldChecksum()', () => {
  it('gives the checksum of a captured IPv4 header', () => {
    const header = bytesOf('4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7');
    expect(foldChecksum(sumBytes(header, 0, 20, 0))).toBe(0xb861);
  });
});

describe('sumWord()', () => {
  it('counts a value as its two bytes in the header would', () => {
    expect(foldSum(sumWord(0x1234))).toBe(0x1234);
    expect(foldSum(sumWord(0xffff) + sumWord(1))).toBe(1);
  });
});

describe('the pseudo-headers', () => {
  it('hold addresses, protocol and length of an IPv4 packet', () => {
    const header = bytesOf('4500 0020 0000 0000 4011 0000 c000 0201 c633 6402');
    const expected = naive(bytesOf('c000 0201 c633 6402 0011 000c'), 0, 12);
    expect(foldSum(sumPseudoIpv4(header, 0, 17, 12))).toBe(expected);
  });

  it('hold addresses, 32-bit length and protocol of an IPv6 packet', () => {
    const addresses = '20010db8000000000000000000000001 20010db8000000000000000000000002';
    const header = bytesOf(`6000 0000 0000 0640 ${addresses}`);
    const expected = naive(bytesOf(`${addresses} 0001 86a0 0000 0006`), 0, 40);
    expect(foldSum(sumPseudoIpv6(header, 0, 6, 100_000))).toBe(expected);
  });
});

describe('updateChecksum16()', () => {
  it('gives what summing anew gives, RFC 1624', () => {
    const header = bytesOf('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7');
    for (const tos of [0, 1, 3, 0xff]) {
      const updated = updateChecksum16(0xb861, 0x4500, 0x4500 | tos);
      header.setUint8(1, tos);
      header.setUint16(10, 0);
      expect(updated).toBe(foldChecksum(sumBytes(header, 0, 20, 0)));
    }
  });

  it('survives the corner case of RFC 1624 section 4', () => {
    expect(updateChecksum16(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });
});
