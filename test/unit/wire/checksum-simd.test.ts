import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simdSum, type Sum } from '../../../src/wire/checksum-simd.ts';
import { foldSum, sumBytes } from '../../../src/wire/checksum.ts';

const PAGES = 5;

function memory(): { bytes: Uint8Array; view: DataView; sum: Sum } {
  const made = new WebAssembly.Memory({ initial: PAGES });
  const sum = simdSum(made)!;
  return { bytes: new Uint8Array(made.buffer), view: new DataView(made.buffer), sum };
}

describe('simdSum()', () => {
  const { bytes, view, sum } = memory();

  it('is congruent to the plain sum for every alignment and short length', () => {
    bytes.forEach((_, index) => (bytes[index] = Math.imul(index + 1, 0x9e37_79b1) >>> 24));
    for (let offset = 0; offset < 16; offset += 1) {
      for (let length = 0; length <= 200; length += 1) {
        const plain = sumBytes(view, offset, length, 0);
        expect(foldSum(sum(offset, length))).toBe(foldSum(plain));
      }
    }
  });

  it('is congruent to the plain sum of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), fc.nat(64), (content, offset) => {
        bytes.set(content, offset);
        const plain = sumBytes(view, offset, content.length, 0);
        expect(foldSum(sum(offset, content.length))).toBe(foldSum(plain));
      }),
    );
  });

  it('stays exact and small for the most that it takes', () => {
    bytes.fill(0xff);
    expect(foldSum(sum(3, 2 ** 18))).toBe(0xffff);
    expect(foldSum(sum(3, 65_535))).toBe(foldSum(sumBytes(view, 3, 65_535, 0)));
    expect(sum(3, 2 ** 18)).toBeLessThan(2 ** 21);
  });

  it('is 0 only for zeros', () => {
    bytes.fill(0);
    expect(sum(0, 1000)).toBe(0);
    bytes[999] = 1;
    expect(sum(0, 1000)).toBe(256);
    expect(sum(0, 999)).toBe(0);
  });
});
