// Hot path: no allocation, no throw, no await.
import {
  SEND_FULL,
  SEND_TOO_BIG,
  SEND_UNREACHABLE,
  SENT,
  type TransmitPlan,
} from '../packet/transmit-plan.ts';
import { VXLAN_HEADER_LENGTH } from '../wire/vxlan.ts';
import { COUNTER_TX_PACKETS } from './counters.ts';
import { DROP_MTU, DROP_SEND_FAILED, DROP_SOCK_FULL, DROP_UNREACHABLE } from './drop-reasons.ts';
import type { PathLimit } from './path-limit.ts';
import type { SharedTables } from './shared-tables.ts';

/** Counts what became of the messages of a plan that was sent, and learns from it how much a path takes. */
export function countResults(
  plan: TransmitPlan,
  tables: SharedTables,
  worker: number,
  pathLimit: PathLimit,
  nowSeconds: number,
): void {
  const { counters } = tables;
  for (let message = 0; message < plan.count; message += 1) {
    const tunnel = plan.tunnel[message]!;
    const segments = plan.segments[message]!;
    const result = plan.result[message]!;
    if (result === SENT) {
      const remote = plan.remote[message]!;
      const bytes = plan.bytes[message]! - segments * VXLAN_HEADER_LENGTH;
      counters.traffic(worker, tunnel, remote, COUNTER_TX_PACKETS, segments, bytes);
    } else {
      if (result === SEND_TOO_BIG) pathLimit.learn(plan, message, nowSeconds);
      counters.drop(worker, tunnel, dropReason(result), segments);
    }
  }
}

function dropReason(result: number): number {
  if (result === SEND_TOO_BIG) return DROP_MTU;
  if (result === SEND_UNREACHABLE) return DROP_UNREACHABLE;
  return result === SEND_FULL ? DROP_SOCK_FULL : DROP_SEND_FAILED;
}
