import { beforeEach, describe, expect, it } from 'vitest';
import { Losses } from '../../../src/daemon/losses.ts';
import { COUNTER_DROPS, COUNTER_TX_PACKETS } from '../../../src/dataplane/counters.ts';
import {
  DROP_MTU,
  DROP_RX_OVERFLOW,
  DROP_SEND_FAILED,
  DROP_TX_MALFORMED,
  DROP_UNREACHABLE,
} from '../../../src/dataplane/drop-reasons.ts';
import { DataPath, NO_TUNNEL_ROW } from '../../support/data-path.ts';

let path: DataPath;
let losses: Losses;

beforeEach(() => {
  path = new DataPath();
  losses = new Losses(0, path.tables);
});

describe('Losses', () => {
  it('counts only what a socket has lost since it was asked last', () => {
    losses.overflow(1, 10);
    losses.overflow(1, 15);
    losses.overflow(2, 3);
    losses.reset(1);
    losses.overflow(1, 2);
    expect(path.counter(COUNTER_DROPS + DROP_RX_OVERFLOW, NO_TUNNEL_ROW)).toBe(20);
  });

  it('counts what a device could not hand over', () => {
    losses.unread(0, 2);
    expect(path.counter(COUNTER_DROPS + DROP_TX_MALFORMED)).toBe(2);
  });

  it('takes a datagram that was refused later back from what was sent', () => {
    path.tables.counters.traffic(0, 0, 0, COUNTER_TX_PACKETS, 4, 400);
    for (const code of ['ENETUNREACH', 'EMSGSIZE', 'EPERM']) losses.unsent(0, 0, 108, code);
    expect(path.counter(COUNTER_TX_PACKETS)).toBe(1);
    expect(path.counter(COUNTER_TX_PACKETS + 1)).toBe(100);
    for (const reason of [DROP_UNREACHABLE, DROP_MTU, DROP_SEND_FAILED]) {
      expect(path.counter(COUNTER_DROPS + reason)).toBe(1);
    }
  });
});
