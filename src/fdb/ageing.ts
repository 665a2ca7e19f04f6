import type { FdbEntry, FdbTable } from './table.ts';

/**
 * Removes learned entries that nothing came from for the ageing time of their VNI, a piece of the
 * table at a time.
 *
 * An entry is as old as the last frame *from* its MAC (IEEE 802.1Q §8.8.3). Linux also keeps an
 * entry alive while it is sent to; then a MAC that moved away silently would attract its traffic
 * for as long as somebody talks to it. Main thread only.
 */
export class Ageing {
  readonly #table: FdbTable;
  readonly #ageingSeconds: (vni: number) => number;
  readonly #onAged: (entry: FdbEntry) => void;
  #slot = 0;

  /**
   * `ageingSeconds` says after how many seconds the entries of a VNI go, 0 for never; `onAged` is
   * told of each that went, after it went.
   */
  constructor(
    table: FdbTable,
    ageingSeconds: (vni: number) => number,
    onAged: (entry: FdbEntry) => void = () => {},
  ) {
    this.#table = table;
    this.#ageingSeconds = ageingSeconds;
    this.#onAged = onAged;
  }

  /**
   * Looks at the next `budgetSlots` slots of the table (once around at most) and returns how many
   * entries went. With a budget of `slots` every overdue entry goes.
   */
  sweep(nowSeconds: number, budgetSlots: number): number {
    const table = this.#table;
    let aged = 0;
    for (let left = Math.min(budgetSlots, table.slots); left > 0; left -= 1) {
      if (this.#visit(this.#slot, nowSeconds)) aged += 1;
      this.#slot = this.#slot + 1 < table.slots ? this.#slot + 1 : 0;
    }
    return aged;
  }

  #visit(slot: number, nowSeconds: number): boolean {
    const vni = this.#table.learnedVni(slot);
    if (vni < 0) return false;
    const limit = this.#ageingSeconds(vni);
    if (limit === 0) return false;
    // More than `limit` seconds by a clock of whole seconds: never early, up to a second late.
    const lastSeconds = nowSeconds - limit - 1;
    if (this.#table.updatedSeconds(slot) > lastSeconds) return false;
    const entry = this.#table.removeLearned(slot, vni, lastSeconds);
    if (entry === undefined) return false;
    this.#onAged(entry);
    return true;
  }
}
