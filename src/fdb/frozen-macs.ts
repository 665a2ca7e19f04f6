import type { FdbEntry, FdbTable } from './table.ts';
import { FREEZE_RING, type MacMoves } from './mac-moves.ts';

/**
 * The MACs that learning froze, followed from the freeze to the release. Main thread only.
 *
 * Workers freeze; whoever removes or overwrites an entry releases its MAC by that; here the rest is
 * released when its time is over.
 */
export class FrozenMacs {
  readonly #table: FdbTable;
  readonly #moves: MacMoves;
  /** Slots that were seen frozen. */
  readonly #slots = new Set<number>();
  #seen = 0;

  constructor(table: FdbTable, moves: MacMoves) {
    this.#table = table;
    this.#moves = moves;
  }

  /**
   * The entries that were frozen since the last call. A MAC that was released and frozen again in
   * between counts again. Searches the table when more were frozen at once than the ring holds.
   */
  takeNew(): FdbEntry[] {
    const before = this.#seen;
    this.#seen = this.#moves.freezes;
    const count = (this.#seen - before) | 0;
    const slots =
      count > FREEZE_RING
        ? this.#search()
        : Array.from({ length: count }, (_, index) => this.#moves.frozenSlot(before + index));
    const found: FdbEntry[] = [];
    for (const slot of new Set(slots)) {
      const entry = this.#table.isFrozen(slot) ? this.#table.entryAt(slot) : undefined;
      if (entry?.frozen !== true) continue;
      this.#slots.add(slot);
      found.push(entry);
    }
    return found;
  }

  /**
   * Releases every MAC that has been frozen for as long as `freezeSeconds` says of its VNI (0: until
   * somebody removes the entry), and returns their entries.
   */
  releaseDue(nowSeconds: number, freezeSeconds: (vni: number) => number): FdbEntry[] {
    const released: FdbEntry[] = [];
    for (const slot of this.#slots) {
      const entry = this.#table.isFrozen(slot) ? this.#table.entryAt(slot) : undefined;
      if (entry?.frozen !== true) {
        this.#slots.delete(slot);
        continue;
      }
      const limit = freezeSeconds(entry.vni);
      if (limit === 0 || nowSeconds - this.#moves.since(slot) < limit) continue;
      this.#slots.delete(slot);
      if (this.#table.release(slot)) released.push(entry);
    }
    return released;
  }

  /** Slots that are frozen and not known yet. */
  #search(): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#table.slots; slot += 1) {
      if (this.#table.isFrozen(slot) && !this.#slots.has(slot)) slots.push(slot);
    }
    return slots;
  }
}
