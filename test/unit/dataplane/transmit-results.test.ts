import { expect, it } from 'vitest';
import { COUNTER_TX_PACKETS } from '../../../src/dataplane/counters.ts';
import { PathLimit } from '../../../src/dataplane/path-limit.ts';
import { countResults } from '../../../src/dataplane/transmit-results.ts';
import {
  SEND_FAILED,
  SEND_FULL,
  SEND_TOO_BIG,
  SEND_UNREACHABLE,
} from '../../../src/packet/transmit-plan.ts';
import { DataPath, NOW_SECONDS } from '../../support/data-path.ts';

const SIZE = 108;

/** One message of two datagrams for each result. */
function counted(results: readonly (number | undefined)[]): DataPath {
  const path = new DataPath();
  const { plan, tables, answers } = path;
  const remote = path.remote('192.0.2.1');
  results.forEach((result, lane) => {
    const message = plan.open(lane, 0, remote, 0, SIZE);
    plan.add(message, 0, SIZE);
    plan.open(lane, 0, remote, 0, SIZE);
    plan.add(message, 0, SIZE);
    if (result !== undefined) plan.result[message] = result;
  });
  plan.pathMtu.fill(1400);
  countResults(plan, tables, 0, new PathLimit(tables, answers), NOW_SECONDS);
  return path;
}

it('countResults() counts what was sent by tunnel and remote, without the VXLAN headers', () => {
  const path = counted([undefined, undefined]);
  expect(path.counter(COUNTER_TX_PACKETS)).toBe(4);
  expect(path.counter(COUNTER_TX_PACKETS + 1)).toBe(4 * (SIZE - 8));
  expect(path.drops()).toEqual({});
});

it('countResults() counts what was not sent by its reason, each segment of it', () => {
  const path = counted([SEND_FULL, SEND_UNREACHABLE, SEND_FAILED, SEND_TOO_BIG]);
  expect(path.counter(COUNTER_TX_PACKETS)).toBe(0);
  expect(path.drops()).toEqual({ sock_full: 2, unreachable: 2, send_failed: 2, mtu: 2 });
});

it('countResults() remembers how much the path takes', () => {
  const path = counted([SEND_TOO_BIG]);
  expect(path.tables.pathMtus.mtu(0)).toBe(1400);
});
