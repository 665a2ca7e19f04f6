import { isList, ORIGIN_LEARNED, ORIGIN_STATIC, STATE_DYNAMIC } from '../fdb/table.ts';
import type { FdbEntry } from '../fdb/table.ts';
import { listMembers } from './fdb-references.ts';
import type { FdbReferences, FdbTables } from './fdb-references.ts';
import { Slices } from './fdb-slices.ts';

/** What a row held before the transaction wrote it; `held` is the remote of a user's dynamic entry, or -1. */
interface Overwritten {
  readonly previous: FdbEntry;
  readonly held: number;
}

/** The FDB key of a written row. */
interface RowKey {
  readonly vni: number;
  readonly macHigh: number;
  readonly macLow: number;
}

/**
 * Writes to FDB rows that all stay ({@link commit}) or are all undone ({@link rollback}).
 *
 * Rows are visible to the workers at once, one after the other. What overwritten rows referred to is
 * given back on commit only, so that a rollback finds it alive. Use one transaction at a time.
 */
export class FdbTransaction {
  readonly #tables: FdbTables;
  readonly #references: FdbReferences;
  readonly #nowSeconds: number;
  readonly #written: RowKey[] = [];
  /** By position in #written; rows that were not there before have none. */
  readonly #overwritten = new Map<number, Overwritten>();

  constructor(tables: FdbTables, references: FdbReferences, nowSeconds: number) {
    this.#tables = tables;
    this.#references = references;
    this.#nowSeconds = nowSeconds;
  }

  /**
   * Writes a row with one remote. The caller holds a reference to `remote` of its own until the transaction
   * ends. Throws ERR_LIMIT, having changed nothing, when the table is full.
   */
  setUnicast(row: RowKey, remote: number, state: number): void {
    const origin = state === STATE_DYNAMIC ? ORIGIN_LEARNED : ORIGIN_STATIC;
    this.#write(row, { destination: remote, origin, state });
    if (origin === ORIGIN_LEARNED) {
      this.#references.retain(remote);
      this.#references.holdDynamic(row.vni, row.macHigh, row.macLow, remote);
    } else {
      this.#references.retainSender(remote);
    }
  }

  /** Writes a row with a list of remotes; an empty one removes it. Throws ERR_LIMIT as setUnicast does. */
  setList(row: RowKey, members: readonly number[], state: number): void {
    if (members.length === 0) {
      this.remove(row);
      return;
    }
    const destination = this.#tables.lists.create(members);
    try {
      this.#write(row, { destination, origin: ORIGIN_STATIC, state });
    } catch (error) {
      this.#tables.lists.retire(destination);
      throw error;
    }
    for (const index of members) this.#references.retainSender(index);
  }

  /** Removes a row; one that is not there (any more) is fine. */
  remove(row: RowKey): void {
    const previous = this.#tables.table.read(row.vni, row.macHigh, row.macLow);
    if (previous === undefined) return;
    this.#tables.table.remove(row.vni, row.macHigh, row.macLow);
    this.#note(row, previous);
  }

  /** Gives back what the overwritten and removed rows referred to. */
  async commit(): Promise<void> {
    const slices = new Slices();
    let step = 0;
    for (const { previous, held } of this.#overwritten.values()) {
      if (slices.due(step)) await slices.pause();
      step += 1;
      if (held >= 0) this.#references.drop(held);
      if (previous.origin !== ORIGIN_LEARNED) this.#dropRow(previous.destination);
    }
  }

  /** Puts every row back as it was, newest write first; what had only been learned is forgotten. */
  rollback(): void {
    for (let at = this.#written.length - 1; at >= 0; at -= 1) {
      const { vni, macHigh, macLow } = this.#written[at]!;
      const current = this.#tables.table.read(vni, macHigh, macLow);
      this.#tables.table.remove(vni, macHigh, macLow);
      this.#references.dropDynamic(vni, macHigh, macLow);
      if (current !== undefined && current.origin !== ORIGIN_LEARNED) {
        this.#dropRow(current.destination);
      }
      this.#restore(this.#overwritten.get(at));
    }
  }

  #write(row: RowKey, value: { destination: number; origin: number; state: number }): void {
    const { vni, macHigh, macLow } = row;
    const previous = this.#tables.table.read(vni, macHigh, macLow);
    this.#tables.table.set(vni, macHigh, macLow, value, this.#nowSeconds);
    this.#note(row, previous);
  }

  #note(row: RowKey, previous: FdbEntry | undefined): void {
    this.#written.push(row);
    const held = this.#references.takeDynamic(row.vni, row.macHigh, row.macLow);
    if (previous === undefined) {
      if (held >= 0) this.#references.drop(held);
      return;
    }
    this.#overwritten.set(this.#written.length - 1, { previous, held });
  }

  #restore(overwritten: Overwritten | undefined): void {
    if (overwritten === undefined) return;
    const { previous, held } = overwritten;
    const { vni, macHigh, macLow, origin, state } = previous;
    if (origin === ORIGIN_LEARNED && held < 0) return;
    const destination = origin === ORIGIN_LEARNED ? held : previous.destination;
    this.#tables.table.set(vni, macHigh, macLow, { destination, origin, state }, this.#nowSeconds);
    if (held >= 0) this.#references.holdDynamic(vni, macHigh, macLow, held);
  }

  #dropRow(destination: number): void {
    if (!isList(destination)) {
      this.#references.dropSender(destination);
      return;
    }
    const members = listMembers(this.#tables.lists, destination);
    this.#tables.lists.retire(destination);
    for (const index of members) this.#references.dropSender(index);
  }
}
