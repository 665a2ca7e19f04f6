// Hot path: no allocation, no throw, no await.

/**
 * Learning from one received frame: its source MAC lives behind the outer source address. What the FDB
 * makes of it is counted, and decides whether the frame may pass.
 */
import {
  LEARN_ADDED,
  LEARN_BUSY,
  LEARN_FROZEN,
  LEARN_FULL,
  LEARN_LIMITED,
  LEARN_MIGRATED,
  LEARN_PINNED,
} from '../fdb/table.ts';
import {
  COUNTER_LEARNED,
  COUNTER_LIMITED,
  COUNTER_MOVED,
  COUNTER_NOT_LEARNED,
} from './counters.ts';
import { DROP_MAC_FROZEN, DROP_MAC_PINNED, DROP_NONE } from './drop-reasons.ts';
import { isPinnedTo } from './pinned-sender.ts';
import type { SharedTables } from './shared-tables.ts';

/** A sender that has no row of its own yet which an entry could name. */
export const NO_ROW = -1;

export class Learner {
  /** The last answer holds for the next frame of the same MAC too. */
  isSettled = false;

  readonly #worker: number;
  readonly #tables: SharedTables;

  constructor(worker: number, tables: SharedTables) {
    this.#worker = worker;
    this.#tables = tables;
  }

  /** A frame of this MAC came from `sender`, a row or NO_ROW: its drop reason, or DROP_NONE. */
  learn(
    tunnel: number,
    sender: number,
    macHigh: number,
    macLow: number,
    nowSeconds: number,
  ): number {
    const { fdb, tunnels, counters } = this.#tables;
    this.isSettled = false;
    if (!tunnels.learns(tunnel)) return DROP_NONE;
    const vni = tunnels.vni(tunnel);
    if (sender === NO_ROW) return fdb.isPinned(vni, macHigh, macLow) ? DROP_MAC_PINNED : DROP_NONE;
    const outcome = fdb.learn(vni, macHigh, macLow, sender, nowSeconds);
    // As the kernel does: a frame from a MAC that is pinned elsewhere is dropped, not only not learned.
    if (
      outcome === LEARN_PINNED &&
      !isPinnedTo(this.#tables, vni, macHigh, macLow, tunnel, sender)
    ) {
      return DROP_MAC_PINNED;
    }
    if (outcome === LEARN_FROZEN) return DROP_MAC_FROZEN;
    if (outcome === LEARN_ADDED) counters.increment(this.#worker, tunnel, COUNTER_LEARNED);
    else if (outcome === LEARN_MIGRATED) counters.increment(this.#worker, tunnel, COUNTER_MOVED);
    else if (outcome === LEARN_FULL) counters.increment(this.#worker, tunnel, COUNTER_NOT_LEARNED);
    else if (outcome === LEARN_LIMITED) counters.increment(this.#worker, tunnel, COUNTER_LIMITED);
    this.isSettled = outcome !== LEARN_BUSY;
    return DROP_NONE;
  }
}
