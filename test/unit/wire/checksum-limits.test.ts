import { expect, it } from 'vitest';
import { foldChecksum, foldSum, sumBytes, updateChecksum16 } from '../../../src/wire/checksum.ts';
import { bytesOf } from './bytes.ts';

it('sumBytes() stays exact and small just below 8 MiB of ones, whatever such a sum seeds', () => {
  const length = 8 * 1024 * 1024 - 1;
  const view = new DataView(new Uint8Array(length).fill(0xff).buffer);
  const first = sumBytes(view, 0, length - 1, 0);
  const second = sumBytes(view, 0, length - 1, first);
  expect(foldSum(second)).toBe(0xffff);
  expect(foldSum(sumBytes(view, 0, length, second))).toBe(0xff00);
  expect(second).toBeLessThan(2 ** 22);
});

it('updateChecksum16() gives what summing anew gives, for every value of a word', () => {
  const header = bytesOf('4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7');
  const wrong: number[] = [];
  for (let word = 0; word <= 0xffff; word += 1) {
    header.setUint16(4, word);
    const anew = foldChecksum(sumBytes(header, 0, 20, 0));
    if (updateChecksum16(0xb861, 0, word) !== anew) wrong.push(word);
  }
  expect(wrong).toEqual([]);
});
