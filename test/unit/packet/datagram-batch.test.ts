import { describe, expect, test } from 'vitest';
import { heapArena } from '../../../src/packet/arena.ts';
import { ADDRESS_BYTES, DatagramBatch } from '../../../src/packet/datagram-batch.ts';
import { DATAGRAM_BYTES_MAX } from '../../../src/packet/slot.ts';

describe('DatagramBatch', () => {
  test('gives every datagram room of its own', () => {
    const batch = new DatagramBatch(heapArena(0), 128, 3);
    const [first, second, third] = batch.offsets;
    expect(first).toBe(128);
    expect(second! - first!).toBeGreaterThanOrEqual(DATAGRAM_BYTES_MAX);
    expect(third! + DATAGRAM_BYTES_MAX).toBeLessThanOrEqual(128 + DatagramBatch.bytesFor(3));
    expect(batch.sources.length).toBe(3 * ADDRESS_BYTES);
    expect(batch.count).toBe(0);
  });
});
