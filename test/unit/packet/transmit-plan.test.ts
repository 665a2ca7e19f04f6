import { describe, expect, test } from 'vitest';
import { heapArena } from '../../../src/packet/arena.ts';
import { iovecAddress, iovecLength } from '../../../src/packet/iovec.ts';
import { UDP_PAYLOAD_BYTES_MAX } from '../../../src/packet/slot.ts';
import { NO_MESSAGE, SENT, TransmitPlan } from '../../../src/packet/transmit-plan.ts';

const OFFSET = 64;
const LANES = 4;

function plan(capacity = 8): TransmitPlan {
  const arena = { ...heapArena(OFFSET + TransmitPlan.bytesFor(capacity)), base: 0x1000_0000 };
  const made = new TransmitPlan(arena, OFFSET, capacity, LANES);
  made.laneSegments.fill(64);
  return made;
}

/** Opens datagrams of `sizes` on one lane to one remote; returns the message of each. */
function open(made: TransmitPlan, ...sizes: number[]): number[] {
  return sizes.map((size) => {
    const message = made.open(0, 0, 0, 0, size);
    if (message !== NO_MESSAGE) made.add(message, 0, size);
    return message;
  });
}

describe('open()', () => {
  test('joins datagrams of equal size to one remote', () => {
    const made = plan();
    expect(open(made, 100, 100, 100)).toEqual([0, 0, 0]);
    expect([made.count, made.segments[0], made.bytes[0], made.segmentBytes[0]]).toEqual([
      1, 3, 300, 100,
    ]);
    expect(made.result[0]).toBe(SENT);
  });

  test('takes one shorter datagram, behind which nothing fits', () => {
    const made = plan();
    expect(open(made, 100, 100, 99, 99, 100)).toEqual([0, 0, 0, 1, 2]);
  });

  test('begins anew for a longer one', () => {
    expect(open(plan(), 100, 101, 101)).toEqual([0, 1, 1]);
  });

  test.each([
    ['remote', { remote: 1 }],
    ['tunnel', { tunnel: 1 }],
    ['TOS', { tos: 2 }],
    ['lane', { lane: 1 }],
  ])('begins anew for another %s', (_, change) => {
    const made = plan();
    const first = { lane: 0, tunnel: 0, remote: 0, tos: 0 };
    const second = { ...first, ...change };
    expect(made.open(first.lane, first.tunnel, first.remote, first.tos, 100)).toBe(0);
    expect(made.open(second.lane, second.tunnel, second.remote, second.tos, 100)).toBe(1);
    expect([made.lane[1], made.tunnel[1], made.remote[1], made.tos[1]]).toEqual(
      Object.values(second),
    );
  });

  test.each(['outerTtl', 'outerFlowLabel'] as const)('begins anew for another %s', (name) => {
    const made = plan();
    expect(open(made, 100)).toEqual([0]);
    made[name] = 200;
    expect(open(made, 100, 100)).toEqual([1, 1]);
    const kept = name === 'outerTtl' ? made.ttl : made.flowLabel;
    expect([kept[0], kept[1]]).toEqual([0, 200]);
  });

  test('joins at most 64 segments', () => {
    const made = plan();
    const messages = open(made, ...new Array<number>(130).fill(100));
    expect([made.segments[0], made.segments[1], made.segments[2]]).toEqual([64, 64, 2]);
    expect(messages[64]).toBe(1);
  });

  test('joins at most what the lane takes', () => {
    const made = plan();
    made.laneSegments[0] = 2;
    expect(open(made, 100, 100, 100)).toEqual([0, 0, 1]);
    made.laneSegments[0] = 1;
    expect(open(made, 100, 100)).toEqual([2, 3]);
  });

  test('joins nothing while the plan allows one segment, whatever the lane takes', () => {
    const made = plan();
    made.segmentsMax = 1;
    expect(open(made, 100, 100)).toEqual([0, 1]);
  });

  test(`joins at most ${UDP_PAYLOAD_BYTES_MAX} bytes`, () => {
    const made = plan();
    // 7 * 9358 = 65506, and one byte more fits.
    expect(open(made, ...new Array<number>(7).fill(9358), 1, 1)).toEqual([
      ...new Array<number>(8).fill(0),
      1,
    ]);
    expect(made.bytes[0]).toBe(UDP_PAYLOAD_BYTES_MAX);
    expect(open(made, 32_754, 32_754)).toEqual([2, 3]);
  });

  test('takes a datagram of any size by itself', () => {
    const made = plan();
    expect(open(made, 65_600, 65_600)).toEqual([0, 1]);
  });

  test('says when it is full, but still extends', () => {
    const made = plan(2);
    expect(open(made, 100, 200, 300, 200)).toEqual([0, 1, NO_MESSAGE, 1]);
  });
});

describe('the lanes', () => {
  test('link their messages in order, lanes in order of their first message', () => {
    const made = plan();
    const lanes = [2, 0, 2, 0, 3];
    lanes.forEach((lane, index) => made.open(lane, 0, 0, 0, 1000 + index));
    expect([...made.activeLanes.subarray(0, made.activeLaneCount)]).toEqual([2, 0, 3]);
    expect([made.head[2], made.next[0], made.next[2]]).toEqual([0, 2, NO_MESSAGE]);
    expect([made.head[0], made.next[1], made.next[3]]).toEqual([1, 3, NO_MESSAGE]);
    expect(made.head[1]).toBe(NO_MESSAGE);
  });

  test('extend only their own last message', () => {
    const made = plan();
    expect([0, 1, 0, 1].map((lane) => made.open(lane, 0, 0, 0, 100))).toEqual([0, 1, 0, 1]);
  });
});

describe('add()', () => {
  test('appends iovecs with absolute addresses to the message', () => {
    const made = plan();
    made.open(0, 0, 0, 0, 100);
    made.open(1, 0, 0, 0, 50);
    made.add(0, 500, 60);
    made.add(1, 700, 50);
    made.add(0, 600, 40);
    const read = (message: number, index: number): [number, number] => {
      const at = made.iovecOffset[message]! + index * 16;
      return [iovecAddress(made.arena.view, at), iovecLength(made.arena.view, at)];
    };
    expect([read(0, 0), read(0, 1), read(1, 0)]).toEqual([
      [0x1000_0000 + 500, 60],
      [0x1000_0000 + 600, 40],
      [0x1000_0000 + 700, 50],
    ]);
  });

  test('has room for two iovecs of each of 64 segments in the last message too', () => {
    const made = plan(1);
    for (let segment = 0; segment < 64; segment += 1) {
      expect(made.open(0, 0, 0, 0, 100)).toBe(0);
      made.add(0, 0, 60);
      made.add(0, 0, 40);
    }
    expect(made.iovecs[0]).toBe(128);
    expect(made.iovecOffset[0]! + 128 * 16).toBe(made.arena.bytes.length);
  });
});

describe('clear()', () => {
  test('forgets messages and lanes, and what could have been extended', () => {
    const made = plan();
    open(made, 100, 100);
    made.clear();
    expect([made.count, made.activeLaneCount, made.head[0]]).toEqual([0, 0, NO_MESSAGE]);
    expect(open(made, 100)).toEqual([0]);
    expect([made.segments[0], made.iovecs[0], made.bytes[0]]).toEqual([1, 1, 100]);
  });
});
