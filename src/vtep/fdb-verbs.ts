import { ORIGIN_LEARNED } from '../fdb/table.ts';
import type { FdbEntry } from '../fdb/table.ts';
import { AdmittedRemotes } from './admitted-remotes.ts';
import { applyBatch } from './fdb-apply.ts';
import type { FdbContext } from './fdb-apply.ts';
import { FdbBatch } from './fdb-batch.ts';
import { ConfiguredRemotes } from './fdb-configured.ts';
import type { ConfiguredRemote } from './fdb-configured.ts';
import { flushRows } from './fdb-flush.ts';
import { removeRowsOf } from './fdb-remove-tunnels.ts';
import { FdbReferences, listMembers } from './fdb-references.ts';
import type { FdbTables } from './fdb-references.ts';
import type { FdbRequest, FdbVerb } from './fdb-request.ts';
import { FdbRowFormatter, matchesEntry } from './fdb-rows.ts';
import type { FdbFilter, FdbRow } from './fdb-rows.ts';
import { Slices } from './fdb-slices.ts';
import type { RemoteKey } from '../fdb/remotes.ts';
import type { InterfaceDirectory, TunnelDirectory, TunnelInfo } from './tunnel-directory.ts';

const ROWS_PER_PART = 512;

/** What {@link FdbVerbs} works on. */
export interface FdbVerbsOptions {
  readonly tables: FdbTables;
  readonly tunnels: TunnelDirectory;
  readonly interfaces: InterfaceDirectory;
  /** Seconds of the FDB's clock, at least 1. */
  readonly nowSeconds: () => number;
}

/** How many entries a tunnel has; each list counts once, as static. */
export interface EntryCounts {
  learned: number;
  /** Of the learned. */
  frozen: number;
  static: number;
}

/**
 * Everything that users and configuration do to the FDB, with iproute2's semantics.
 *
 * Main thread only. Changes take turns; long ones work in slices of some milliseconds and are all or none.
 * Reads see every row as it is at that moment.
 */
export class FdbVerbs {
  readonly #options: FdbVerbsOptions;
  /** For whoever else writes to the FDB, on the main thread. */
  readonly context: FdbContext;
  readonly #configured: ConfiguredRemotes;
  readonly #admitted: AdmittedRemotes;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: FdbVerbsOptions) {
    const { tables, tunnels, nowSeconds } = options;
    this.#options = options;
    this.context = { tables, tunnels, nowSeconds, references: new FdbReferences(tables) };
    this.#configured = new ConfiguredRemotes(this.context);
    this.#admitted = new AdmittedRemotes(this.context);
  }

  /** An empty batch to push entries into, for {@link apply}. */
  batch(verb: FdbVerb): FdbBatch {
    const { tunnels, interfaces } = this.#options;
    return new FdbBatch(verb, tunnels, interfaces);
  }

  /** Applies a batch all or none; throws the error of the first entry that does not fit, with its index. */
  async apply(batch: FdbBatch): Promise<void> {
    await this.#inTurn(() => applyBatch(batch, this.context));
  }

  /** {@link batch}, push and {@link apply} in one. */
  async change(verb: FdbVerb, requests: readonly FdbRequest[]): Promise<void> {
    const batch = this.batch(verb);
    for (const request of requests) batch.push(request);
    await this.apply(batch);
  }

  /** Removes the matching rows and returns their number; configured remotes stay on the flood list. */
  async flush(filter: FdbFilter): Promise<number> {
    return this.#inTurn(() =>
      flushRows(filter, this.context, (index) => {
        return this.#configured.has(this.#options.tables.remotes.tunnel(index), index);
      }),
    );
  }

  /** The rows of one MAC in one tunnel: none, one, or one per destination of its list. */
  find(tunnel: TunnelInfo, macHigh: number, macLow: number, statistics = false): FdbRow[] {
    const rows: FdbRow[] = [];
    const entry = this.#options.tables.table.read(tunnel.vni, macHigh, macLow);
    if (entry !== undefined) {
      this.#formatter().append(rows, entry, { tunnel }, this.#statisticsNow(statistics));
    }
    return rows;
  }

  /**
   * The matching rows in no particular order, in parts of some hundred, whole table at the price of one pass.
   * The caller decides when to take the next part; entries that change in between appear in either form.
   */
  *rows(filter: FdbFilter, statistics = false): Generator<FdbRow[], void, undefined> {
    const { table } = this.#options.tables;
    const { tunnel, mac } = filter;
    if (tunnel !== undefined && mac !== undefined && filter.vlanVnis === undefined) {
      const rows: FdbRow[] = [];
      const entry = table.read(tunnel.vni, mac.high, mac.low);
      if (entry !== undefined && matchesEntry(entry, filter)) {
        this.#formatter().append(rows, entry, filter, this.#statisticsNow(statistics));
      }
      yield rows;
      return;
    }
    const formatter = this.#formatter();
    let rows: FdbRow[] = [];
    for (let slot = 0; slot < table.slots; slot += 1) {
      const entry = table.entryAt(slot);
      if (entry !== undefined && matchesEntry(entry, filter)) {
        formatter.append(rows, entry, filter, this.#statisticsNow(statistics));
      }
      // An empty part now and then lets the caller pause in a large table with few matches.
      if (rows.length < ROWS_PER_PART && (slot + 1) % (ROWS_PER_PART * 8) !== 0) continue;
      yield rows;
      rows = [];
    }
    yield rows;
  }

  /** How many entries each tunnel has, by VNI; one pass over the table, in slices. */
  async countEntries(): Promise<Map<number, EntryCounts>> {
    const { table } = this.#options.tables;
    const counts = new Map<number, EntryCounts>();
    const slices = new Slices();
    for (let slot = 0; slot < table.slots; slot += 1) {
      if (slices.due(slot)) await slices.pause();
      const entry = table.entryAt(slot);
      if (entry === undefined) continue;
      let count = counts.get(entry.vni);
      if (count === undefined) {
        count = { learned: 0, static: 0, frozen: 0 };
        counts.set(entry.vni, count);
      }
      if (entry.origin === ORIGIN_LEARNED) count.learned += 1;
      else count.static += 1;
      if (entry.frozen) count.frozen += 1;
    }
    return counts;
  }

  /** Makes `remotes` the tunnel's configured ones, see {@link ConfiguredRemotes.set}. */
  async setConfiguredRemotes(
    tunnel: TunnelInfo,
    remotes: readonly ConfiguredRemote[],
  ): Promise<void> {
    await this.#inTurn(() => this.#configured.set(tunnel, remotes));
  }

  /** True when the tunnel's configuration names this remote row. */
  isConfigured(tunnel: TunnelInfo, index: number): boolean {
    return this.#configured.has(tunnel.index, index);
  }

  /** The remote rows that the tunnel's configuration names. */
  configuredRemotes(tunnel: TunnelInfo): number[] {
    return this.#configured.list(tunnel.index);
  }

  /** Lets a remote that was heard in the tunnel's group send, see {@link AdmittedRemotes.admit}. */
  admit(tunnel: TunnelInfo, remote: Pick<RemoteKey, 'address' | 'scope'>): number | undefined {
    return this.#admitted.admit(tunnel, remote);
  }

  /** Takes {@link admit} back. */
  dismiss(tunnel: TunnelInfo, index: number): void {
    this.#admitted.dismiss(tunnel.index, index);
  }

  /** The remote rows that were admitted. */
  admittedRemotes(tunnel: TunnelInfo): number[] {
    return this.#admitted.list(tunnel.index);
  }

  /** The remote rows on the tunnel's flood list. */
  floodRemotes(tunnel: TunnelInfo): number[] {
    const { table, lists } = this.#options.tables;
    const entry = table.read(tunnel.vni, 0, 0);
    return entry === undefined ? [] : listMembers(lists, entry.destination);
  }

  /** Removes every entry of the tunnels and everything their configuration named. Call before they go. */
  async removeTunnels(tunnels: readonly TunnelInfo[]): Promise<void> {
    await this.#inTurn(async () => {
      for (const { index } of tunnels) {
        this.#configured.remove(index);
        this.#admitted.remove(index);
      }
      await removeRowsOf(new Set(tunnels.map(({ vni }) => vni)), this.context);
    });
  }

  /** To be called for every entry that ageing has removed, at once: gives back what a dynamic entry held. */
  aged(entry: Pick<FdbEntry, 'vni' | 'macHigh' | 'macLow'>): void {
    this.context.references.dropDynamic(entry.vni, entry.macHigh, entry.macLow);
  }

  /** True while remotes that nobody refers to wait for the workers to forget them. */
  get pendingRemovals(): boolean {
    return this.context.references.pending;
  }

  #formatter(): FdbRowFormatter {
    const { tables, tunnels, interfaces } = this.#options;
    return new FdbRowFormatter(tables, tunnels, interfaces);
  }

  #statisticsNow(statistics: boolean): number | undefined {
    return statistics ? this.#options.nowSeconds() : undefined;
  }

  /** One change after the other: while one works in slices, no other may see half of it. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change, change);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
