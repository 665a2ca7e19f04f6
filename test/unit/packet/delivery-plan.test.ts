import { describe, expect, test } from 'vitest';
import { heapArena } from '../../../src/packet/arena.ts';
import { DELIVERED, DeliveryPlan } from '../../../src/packet/delivery-plan.ts';
import { iovecAddress, iovecLength } from '../../../src/packet/iovec.ts';

const OFFSET = 128;

function plan(capacity: number, iovecs: number): DeliveryPlan {
  const bytes = DeliveryPlan.bytesFor(capacity, iovecs);
  const arena = { ...heapArena(OFFSET + bytes + 64), base: 0x1000_0000 };
  arena.bytes.fill(0xa5);
  return new DeliveryPlan(arena, OFFSET, capacity, iovecs);
}

/** Address and length of each iovec of a delivery. */
function iovecs(made: DeliveryPlan, delivery: number): [number, number][] {
  const { view } = made.arena;
  return Array.from({ length: made.iovecs[delivery]! }, (_, index) => {
    const at = made.iovecOffset[delivery]! + index * 16;
    return [iovecAddress(view, at), iovecLength(view, at)];
  });
}

describe('begin()', () => {
  test('makes a delivery of a zeroed virtio_net_hdr and one frame, by absolute addresses', () => {
    const made = plan(2, 8);
    expect(made.begin(3, 5, 40, 100)).toBe(0);
    const vnet = made.vnet[0]!;
    expect(iovecs(made, 0)).toEqual([
      [0x1000_0000 + vnet, 10],
      [0x1000_0000 + 40, 100],
    ]);
    expect([...made.arena.bytes.subarray(vnet, vnet + 10)]).toEqual(new Array(10).fill(0));
    expect([made.tunnel[0], made.remote[0], made.frames[0], made.bytes[0]]).toEqual([3, 5, 1, 100]);
    expect(made.result[0]).toBe(DELIVERED);
  });

  test('gives every delivery a header of its own and writes nothing beyond its memory', () => {
    const made = plan(3, 6);
    for (let index = 0; index < 3; index += 1) made.begin(0, 0, 0, index);
    const headers = [...made.vnet].sort((a, b) => a - b);
    for (let index = 1; index < 3; index += 1)
      expect(headers[index]! - headers[index - 1]!).toBeGreaterThanOrEqual(10);
    const { bytes } = made.arena;
    const end = OFFSET + DeliveryPlan.bytesFor(3, 6);
    expect(bytes.subarray(0, OFFSET).every((byte) => byte === 0xa5)).toBe(true);
    expect(bytes.subarray(end).every((byte) => byte === 0xa5)).toBe(true);
  });
});

describe('extend()', () => {
  test('grows the newest delivery, whose iovecs stay contiguous', () => {
    const made = plan(4, 8);
    made.begin(0, 0, 0, 100);
    made.begin(0, 0, 200, 100);
    expect(made.extend(350, 60, 114)).toBe(true);
    expect(iovecs(made, 1).slice(1)).toEqual([
      [0x1000_0000 + 200, 100],
      [0x1000_0000 + 350, 60],
    ]);
    expect([made.frames[1], made.bytes[1]]).toEqual([2, 214]);
    expect([made.frames[0], made.iovecs[0]]).toEqual([1, 2]);
  });

  test('refuses when no iovec is left, and changes nothing', () => {
    const made = plan(4, 3);
    made.begin(0, 0, 0, 100);
    expect(made.extend(0, 1, 1)).toBe(true);
    expect(made.extend(0, 1, 1)).toBe(false);
    expect([made.iovecs[0], made.frames[0], made.bytes[0]]).toEqual([3, 2, 101]);
  });
});

describe('full', () => {
  test('is true when deliveries or iovecs run out, and no longer after clear()', () => {
    const byCount = plan(1, 8);
    expect(byCount.full).toBe(false);
    byCount.begin(0, 0, 0, 1);
    expect(byCount.full).toBe(true);
    byCount.clear();
    expect([byCount.full, byCount.count, byCount.iovecCount]).toEqual([false, 0, 0]);
    const byIovecs = plan(4, 3);
    byIovecs.begin(0, 0, 0, 1);
    expect(byIovecs.full).toBe(true);
  });
});
