import { describe, expect, test } from 'vitest';
import {
  COUNTER_DROPS,
  COUNTER_LEARNED,
  COUNTER_RX_PACKETS,
  COUNTER_TX_BYTES,
  COUNTER_TX_PACKETS,
  Counters,
  REMOTE_RX_BYTES,
  REMOTE_RX_PACKETS,
  REMOTE_TX_BYTES,
  REMOTE_TX_PACKETS,
} from '../../../src/dataplane/counters.ts';
import { DROP_REASON_COUNT, DROP_SEND_FAILED } from '../../../src/dataplane/drop-reasons.ts';

const SHAPE = { workers: 2, tunnels: 3, remotes: 4 };

describe('Counters', () => {
  test('give every worker, tunnel, remote and column a cell of its own', () => {
    const counters = new Counters(SHAPE);
    const cells: number[] = [];
    for (let worker = 0; worker < 2; worker += 1) {
      for (let tunnel = 0; tunnel <= 3; tunnel += 1)
        for (let column = 0; column < COUNTER_DROPS + DROP_REASON_COUNT; column += 1)
          cells.push(counters.tunnelCell(worker, tunnel, column));
      for (let remote = 0; remote < 4; remote += 1)
        for (let column = 0; column < 4; column += 1)
          cells.push(counters.remoteCell(worker, remote, column));
    }
    cells.sort((a, b) => a - b);
    expect(cells).toEqual(cells.map((_, index) => index));
    expect(counters.cells).toHaveLength(cells.length);
  });

  test('add up what the workers counted', () => {
    const counters = new Counters(SHAPE);
    counters.traffic(0, 1, 3, COUNTER_TX_PACKETS, 2, 300);
    counters.traffic(1, 1, 3, COUNTER_TX_PACKETS, 1, 60);
    counters.traffic(1, 1, 2, COUNTER_RX_PACKETS, 1, 90);
    counters.increment(0, 1, COUNTER_LEARNED);
    counters.drop(1, 3, DROP_SEND_FAILED, 7);
    expect(counters.tunnelTotal(1, COUNTER_TX_PACKETS)).toBe(3);
    expect(counters.tunnelTotal(1, COUNTER_TX_BYTES)).toBe(360);
    expect(counters.tunnelTotal(1, COUNTER_LEARNED)).toBe(1);
    expect(counters.tunnelTotal(3, COUNTER_DROPS + DROP_SEND_FAILED)).toBe(7);
    expect(counters.tunnelTotal(2, COUNTER_TX_PACKETS)).toBe(0);
    expect(counters.remoteTotal(3, REMOTE_TX_PACKETS)).toBe(3);
    expect(counters.remoteTotal(3, REMOTE_TX_BYTES)).toBe(360);
    expect(counters.remoteTotal(2, REMOTE_RX_PACKETS)).toBe(1);
    expect(counters.remoteTotal(2, REMOTE_RX_BYTES)).toBe(90);
  });

  test('are the same in another thread that has the memory', () => {
    const counters = new Counters(SHAPE);
    const other = new Counters(SHAPE, counters.memory);
    other.increment(1, 0, COUNTER_LEARNED);
    expect(counters.tunnelTotal(0, COUNTER_LEARNED)).toBe(1);
  });

  test('are zeroed for one tunnel or one remote only', () => {
    const counters = new Counters(SHAPE);
    counters.cells.fill(1);
    counters.clearTunnel(1);
    counters.clearRemote(2);
    const perTunnel = COUNTER_DROPS + DROP_REASON_COUNT;
    expect(counters.cells.reduce((sum, cell) => sum + cell, 0)).toBe(
      counters.cells.length - 2 * perTunnel - 2 * 4,
    );
    expect(counters.tunnelTotal(1, COUNTER_DROPS + DROP_SEND_FAILED)).toBe(0);
    expect(counters.remoteTotal(2, REMOTE_RX_BYTES)).toBe(0);
    expect(counters.remoteTotal(1, REMOTE_RX_BYTES)).toBe(2);
  });
});
