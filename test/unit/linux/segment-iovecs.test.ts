import { describe, expect, test } from 'vitest';
import { segmentIovecs } from '../../../src/linux/segment-iovecs.ts';
import { writeIovec } from '../../../src/packet/iovec.ts';

/** Iovecs of these lengths, cut into datagrams of `segmentBytes`: how many make up each. */
function cut(lengths: readonly number[], segmentBytes: number): number[] {
  const view = new DataView(new ArrayBuffer(lengths.length * 16 + 8));
  lengths.forEach((length, index) => writeIovec(view, 8 + index * 16, 0x1000, length));
  const counts: number[] = [];
  let done = 0;
  while (done < lengths.length) {
    const count = segmentIovecs(view, 8 + done * 16, segmentBytes, lengths.length - done);
    counts.push(count);
    done += count;
  }
  return counts;
}

describe('segmentIovecs()', () => {
  test.each([
    [[100, 100, 100], 100, [1, 1, 1]],
    [[60, 40, 60, 40, 60, 10], 100, [2, 2, 2]],
    [[100, 60, 40, 50], 100, [1, 2, 1]],
    [[60, 40, 60], 100, [2, 1]],
    [[100], 100, [1]],
    [[30], 100, [1]],
  ])('finds the datagrams in %j of at most %d bytes', (lengths, segmentBytes, wanted) => {
    expect(cut(lengths, segmentBytes)).toEqual(wanted);
  });

  test('never looks beyond what is available', () => {
    expect(segmentIovecs(new DataView(new ArrayBuffer(16)), 0, 100, 1)).toBe(1);
    expect(segmentIovecs(new DataView(new ArrayBuffer(0)), 0, 100, 0)).toBe(0);
  });
});
