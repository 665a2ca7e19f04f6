import type { DeliveryPlan } from '../packet/delivery-plan.ts';
import type { TransmitPlan } from '../packet/transmit-plan.ts';

/**
 * The underlay sockets of one worker. Called once per batch; the fast one is made of system calls, the
 * portable one of node:dgram, the one in tests of arrays.
 */
export interface UnderlaySender {
  /**
   * Sends every message of `plan` in order per lane and writes its `result`.
   * Nothing that the plan points to is needed after the return.
   */
  send(plan: TransmitPlan): void;
}

/** The overlay devices of one worker, write side. */
export interface OverlayWriter {
  /** Writes every delivery of `plan` in order to its tunnel's device and writes its `result`. */
  write(plan: DeliveryPlan): void;
}
