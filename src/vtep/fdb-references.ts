import type { DestinationLists } from '../fdb/destination-lists.ts';
import type { Grace } from '../fdb/grace.ts';
import type { RemoteKey, RemoteTable } from '../fdb/remotes.ts';
import { ORIGIN_LEARNED } from '../fdb/table.ts';
import type { FdbTable } from '../fdb/table.ts';
import { Slices } from './fdb-slices.ts';

/** The shared tables that the FDB verbs write; made once by the daemon. */
export interface FdbTables {
  readonly table: FdbTable;
  readonly remotes: RemoteTable;
  readonly lists: DestinationLists;
  readonly grace: Grace;
}

/**
 * Who keeps a remote row alive, and who makes it an allowed sender.
 *
 * | holder | counts | allows the sender |
 * |---|---|---|
 * | configuration of a tunnel | yes | yes |
 * | static or control entry, each member of a list | yes | yes |
 * | `dynamic` entry of a user | yes, until it ages or is overwritten | no |
 * | learned entry | no | no |
 *
 * Because learned entries do not count, they are purged before the row of their remote is freed.
 * Main thread only.
 */
export class FdbReferences {
  readonly #tables: FdbTables;
  /** VNI to (48-bit MAC to remote) of the entries that a user added as dynamic. */
  readonly #dynamic = new Map<number, Map<number, number>>();
  /** References that wait for the workers to forget the row, by row. */
  readonly #waiting = new Map<number, number>();
  /** The waiting references of this turn of the event loop, by row. */
  #round: Map<number, number> | undefined;

  constructor(tables: FdbTables) {
    this.#tables = tables;
  }

  /** True while remote rows wait to be freed. */
  get pending(): boolean {
    return this.#waiting.size > 0;
  }

  /** The row for `key` with one more reference; ERR_LIMIT when the table of remotes is full. */
  acquire(key: RemoteKey): number {
    return this.#tables.remotes.acquire(key);
  }

  /** One more reference to a row that has one. */
  retain(index: number): void {
    this.#tables.remotes.retain(index);
  }

  /** A reference that also makes the remote an allowed sender. */
  retainSender(index: number): void {
    this.retain(index);
    this.#tables.remotes.allow(index);
  }

  /** Gives back what {@link retainSender} took. */
  dropSender(index: number): void {
    this.#tables.remotes.disallow(index);
    this.drop(index);
  }

  /**
   * Gives back one reference. The last one goes only after every worker has left the batch it is in and no
   * learned entry points at the row.
   */
  drop(index: number): void {
    const waiting = this.#waiting.get(index) ?? 0;
    if (this.#tables.remotes.references(index) - waiting > 1) {
      this.#tables.remotes.release(index);
      return;
    }
    this.#waiting.set(index, waiting + 1);
    this.#round ??= this.#startRound();
    this.#round.set(index, (this.#round.get(index) ?? 0) + 1);
  }

  /** Notes the remote that a user's `dynamic` entry refers to; the reference is the caller's to give. */
  holdDynamic(vni: number, macHigh: number, macLow: number, index: number): void {
    let holds = this.#dynamic.get(vni);
    if (holds === undefined) {
      holds = new Map();
      this.#dynamic.set(vni, holds);
    }
    holds.set(macNumber(macHigh, macLow), index);
  }

  /** The remote that a user's `dynamic` entry refers to, now the caller's to drop; -1 if there is none. */
  takeDynamic(vni: number, macHigh: number, macLow: number): number {
    const holds = this.#dynamic.get(vni);
    const mac = macNumber(macHigh, macLow);
    const index = holds?.get(mac);
    if (holds === undefined || index === undefined) return -1;
    holds.delete(mac);
    if (holds.size === 0) this.#dynamic.delete(vni);
    return index;
  }

  /** Gives back the reference of a `dynamic` entry, if this MAC has one. */
  dropDynamic(vni: number, macHigh: number, macLow: number): void {
    const index = this.takeDynamic(vni, macHigh, macLow);
    if (index >= 0) this.drop(index);
  }

  /** One grace period and one pass over the table for all rows that are dropped in the same turn. */
  #startRound(): Map<number, number> {
    const round = new Map<number, number>();
    queueMicrotask(() => {
      this.#round = undefined;
      this.#tables.grace.retire(() => void this.#purge(round));
    });
    return round;
  }

  /**
   * Removes the learned entries that point at rows about to be freed, in slices. Then no worker can find
   * the rows any more; one that has found them in such an entry gets another grace period.
   */
  async #purge(round: ReadonlyMap<number, number>): Promise<void> {
    const { table, remotes, grace } = this.#tables;
    const slices = new Slices();
    let removed = 0;
    const slots = table.learnedCount === 0 ? 0 : table.slots;
    for (let slot = 0; slot < slots; slot += 1) {
      if (slices.due(slot)) await slices.pause();
      if (table.learnedVni(slot) < 0) continue;
      const entry = table.entryAt(slot);
      if (entry === undefined || entry.origin !== ORIGIN_LEARNED) continue;
      const { destination } = entry;
      if (!round.has(destination)) continue;
      // Somebody refers to the remote again: what was learned of it may stay.
      if (remotes.references(destination) > (this.#waiting.get(destination) ?? 0)) continue;
      table.remove(entry.vni, entry.macHigh, entry.macLow);
      this.dropDynamic(entry.vni, entry.macHigh, entry.macLow);
      removed += 1;
    }
    const release = () => {
      for (const [index, count] of round) this.#release(index, count);
    };
    if (removed === 0) release();
    else grace.retire(release);
  }

  #release(index: number, count: number): void {
    const waiting = this.#waiting.get(index)! - count;
    if (waiting === 0) this.#waiting.delete(index);
    else this.#waiting.set(index, waiting);
    for (let i = 0; i < count; i += 1) this.#tables.remotes.release(index);
  }
}

/** A MAC as one number, 0..2^48-1, for keys outside the hot path. */
export function macNumber(macHigh: number, macLow: number): number {
  return macHigh * 2 ** 32 + macLow;
}

/** The remotes of a list, copied. */
export function listMembers(lists: DestinationLists, destination: number): number[] {
  const members: number[] = [];
  const length = lists.length(destination);
  for (let i = 0; i < length; i += 1) members.push(lists.at(destination, i));
  return members;
}
