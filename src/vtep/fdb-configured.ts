import { STATE_PERMANENT } from '../fdb/table.ts';
import type { RemoteKey } from '../fdb/remotes.ts';
import type { FdbContext } from './fdb-apply.ts';
import { listMembers } from './fdb-references.ts';
import { FdbTransaction } from './fdb-transaction.ts';
import type { TunnelInfo } from './tunnel-directory.ts';

/** A remote from the configuration; `port` and `vni` default to the tunnel's. */
export interface ConfiguredRemote {
  /** 16 bytes. */
  readonly address: Uint8Array;
  /** Interface index of a link-local address, else 0. */
  readonly scope: number;
  readonly port?: number | undefined;
  readonly vni?: number | undefined;
}

/**
 * The remotes that the configuration names, per tunnel. They are allowed senders while the configuration
 * names them, and start as members of the tunnel's flood list, from which a user may delete them.
 */
export class ConfiguredRemotes {
  readonly #context: FdbContext;
  readonly #byTunnel = new Map<number, ReadonlySet<number>>();

  constructor(context: FdbContext) {
    this.#context = context;
  }

  has(tunnel: number, index: number): boolean {
    return this.#byTunnel.get(tunnel)?.has(index) ?? false;
  }

  list(tunnel: number): number[] {
    return [...(this.#byTunnel.get(tunnel) ?? [])];
  }

  /**
   * Makes `remotes` the tunnel's configured ones, all or none. Newly named ones join the flood list, ones no
   * longer named leave it; what a user appended stays. Throws ERR_LIMIT when a table is full.
   */
  async set(tunnel: TunnelInfo, remotes: readonly ConfiguredRemote[]): Promise<void> {
    const { tables, references, nowSeconds } = this.#context;
    const before = this.#byTunnel.get(tunnel.index) ?? new Set<number>();
    const after = this.#acquire(tunnel, remotes);
    const row = { vni: tunnel.vni, macHigh: 0, macLow: 0 };
    const entry = tables.table.read(row.vni, 0, 0);
    const members = entry === undefined ? [] : listMembers(tables.lists, entry.destination);
    const flood = new Set(members.filter((index) => !before.has(index) || after.has(index)));
    for (const index of after) if (!before.has(index)) flood.add(index);

    const transaction = new FdbTransaction(tables, references, nowSeconds());
    try {
      transaction.setList(row, [...flood], entry?.state ?? STATE_PERMANENT);
    } catch (error) {
      transaction.rollback();
      for (const index of after) references.dropSender(index);
      throw error;
    }
    this.#byTunnel.set(tunnel.index, after);
    await transaction.commit();
    for (const index of before) references.dropSender(index);
  }

  /** Gives back everything the tunnel's configuration referred to. */
  remove(tunnel: number): void {
    for (const index of this.list(tunnel)) this.#context.references.dropSender(index);
    this.#byTunnel.delete(tunnel);
  }

  #acquire(tunnel: TunnelInfo, remotes: readonly ConfiguredRemote[]): Set<number> {
    const { tables, references } = this.#context;
    const acquired = new Set<number>();
    try {
      for (const remote of remotes) {
        const index = references.acquire(keyOf(tunnel, remote));
        if (acquired.has(index)) {
          tables.remotes.release(index);
          continue;
        }
        tables.remotes.allow(index);
        acquired.add(index);
      }
    } catch (error) {
      for (const index of acquired) references.dropSender(index);
      throw error;
    }
    return acquired;
  }
}

function keyOf(tunnel: TunnelInfo, remote: ConfiguredRemote): RemoteKey {
  return {
    tunnel: tunnel.index,
    address: remote.address,
    scope: remote.scope,
    port: remote.port ?? tunnel.port,
    vni: remote.vni ?? tunnel.vni,
  };
}
