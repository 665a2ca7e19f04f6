import { isList, STATE_DYNAMIC, STATE_PERMANENT, STATE_STATIC } from '../fdb/table.ts';
import type { FdbEntry } from '../fdb/table.ts';
import { formatIp } from '../wire/ip.ts';
import type { Mac } from '../wire/mac.ts';
import { formatMac } from '../wire/mac.ts';
import { listMembers } from './fdb-references.ts';
import type { FdbTables } from './fdb-references.ts';
import type { InterfaceDirectory, TunnelDirectory, TunnelInfo } from './tunnel-directory.ts';

/**
 * One row of `fdb show`: the keys, their order and their values are those of `bridge -j fdb show`.
 *
 * A list of destinations makes one row per destination. `port` and `vni` are there only where they differ
 * from the tunnel's. `used` and `updated` are ages in seconds and `frames` counts what was sent to the
 * entry; all three are there only when statistics were asked for.
 */
export interface FdbRow {
  readonly mac: string;
  readonly ifname: string;
  readonly dst: string;
  /** Of a device whose VLANs are VNIs. */
  readonly vlan?: number;
  readonly port?: number;
  readonly vni?: number;
  readonly viaIf?: string;
  readonly used?: number;
  readonly updated?: number;
  readonly frames?: number;
  /** `frozen` is not bridge's: the MAC moved too often and stays where it is until it is released. */
  readonly flags: readonly ('self' | 'frozen')[];
  /** Empty for an entry that ages. */
  readonly state: '' | 'static' | 'permanent';
}

/** Which rows are meant; what is undefined does not matter. */
export interface FdbFilter {
  readonly tunnel?: TunnelInfo | undefined;
  /** VNIs of the VLANs of the tunnel's device that are meant too. */
  readonly vlanVnis?: ReadonlySet<number> | undefined;
  readonly mac?: Mac | undefined;
  /** 16 bytes. */
  readonly dst?: Uint8Array | undefined;
  /** The VNI that is sent to the remote. */
  readonly vni?: number | undefined;
  readonly port?: number | undefined;
  /** States that match, out of STATE_DYNAMIC, STATE_STATIC and STATE_PERMANENT. */
  readonly states?: ReadonlySet<number> | undefined;
}

/** Everything of a row that depends on its remote only. */
interface RemoteText {
  readonly generation: number;
  readonly dst: string;
  readonly port?: number;
  readonly vni?: number;
  readonly viaIf?: string;
}

/** `entry` matches the filter as far as its destination does not matter. */
export function matchesEntry(entry: FdbEntry, filter: FdbFilter): boolean {
  const { tunnel, mac, states } = filter;
  if (
    tunnel !== undefined &&
    tunnel.vni !== entry.vni &&
    filter.vlanVnis?.has(entry.vni) !== true
  ) {
    return false;
  }
  if (mac !== undefined && (mac.high !== entry.macHigh || mac.low !== entry.macLow)) return false;
  return states === undefined || states.has(entry.state);
}

/** The remote `index` matches the filter's dst, port and vni. */
export function matchesRemote(index: number, filter: FdbFilter, tables: FdbTables): boolean {
  const { remotes } = tables;
  if (filter.port !== undefined && remotes.port(index) !== filter.port) return false;
  if (filter.vni !== undefined && remotes.vni(index) !== filter.vni) return false;
  if (filter.dst === undefined) return true;
  const offset = remotes.addressOffset(index);
  for (let i = 0; i < 16; i += 1) {
    if (remotes.bytes[offset + i] !== filter.dst[i]) return false;
  }
  return true;
}

/** The remotes an entry sends to: one, or all of its list. */
export function remotesOf(entry: FdbEntry, tables: FdbTables): readonly number[] {
  return isList(entry.destination)
    ? listMembers(tables.lists, entry.destination)
    : [entry.destination];
}

/** Turns FDB entries into rows; texts of remotes are kept, so use one formatter per dump. */
export class FdbRowFormatter {
  readonly #tables: FdbTables;
  readonly #tunnels: TunnelDirectory;
  readonly #interfaces: InterfaceDirectory;
  readonly #texts = new Map<number, RemoteText>();

  constructor(tables: FdbTables, tunnels: TunnelDirectory, interfaces: InterfaceDirectory) {
    this.#tables = tables;
    this.#tunnels = tunnels;
    this.#interfaces = interfaces;
  }

  /** Appends the rows of `entry` that match to `rows`; `nowSeconds` asks for statistics. */
  append(rows: FdbRow[], entry: FdbEntry, filter: FdbFilter, nowSeconds?: number): void {
    const named = filter.vlanVnis === undefined ? filter.tunnel : undefined;
    const tunnel = named ?? this.#tunnels.byVni(entry.vni);
    if (tunnel === undefined) return;
    if (!isList(entry.destination)) {
      this.#append(rows, entry, entry.destination, filter, tunnel, nowSeconds);
      return;
    }
    for (const index of listMembers(this.#tables.lists, entry.destination)) {
      this.#append(rows, entry, index, filter, tunnel, nowSeconds);
    }
  }

  #append(
    rows: FdbRow[],
    entry: FdbEntry,
    index: number,
    filter: FdbFilter,
    tunnel: TunnelInfo,
    nowSeconds: number | undefined,
  ): void {
    if (!matchesRemote(index, filter, this.#tables)) return;
    const { dst, port, vni, viaIf } = this.#textOf(index, tunnel);
    rows.push({
      mac: formatMac(entry.macHigh, entry.macLow),
      ifname: tunnel.name,
      dst,
      ...(tunnel.vlan !== undefined && { vlan: tunnel.vlan }),
      ...(port !== undefined && { port }),
      ...(vni !== undefined && { vni }),
      ...(viaIf !== undefined && { viaIf }),
      ...(nowSeconds !== undefined && statisticsOf(entry, nowSeconds)),
      flags: entry.frozen ? ['self', 'frozen'] : ['self'],
      state: stateText(entry.state),
    });
  }

  #textOf(index: number, tunnel: TunnelInfo): RemoteText {
    const { remotes } = this.#tables;
    const generation = remotes.generation(index);
    const known = this.#texts.get(index);
    if (known !== undefined && known.generation === generation) return known;
    const port = remotes.port(index);
    const vni = remotes.vni(index);
    const viaIf = this.#interfaceName(remotes.scope(index));
    const text: RemoteText = {
      generation,
      dst: formatIp(remotes.bytes, remotes.addressOffset(index)),
      ...(port !== tunnel.port && { port }),
      ...(vni !== tunnel.vni && { vni }),
      ...(viaIf !== undefined && { viaIf }),
    };
    this.#texts.set(index, text);
    return text;
  }

  /** Falls back to the number of an interface that has gone, as iproute2 does. */
  #interfaceName(scope: number): string | undefined {
    return scope === 0 ? undefined : (this.#interfaces.nameOf(scope) ?? `if${scope}`);
  }
}

function statisticsOf(
  entry: FdbEntry,
  nowSeconds: number,
): { used: number; updated: number; frames: number } {
  const updated = Math.max(0, nowSeconds - entry.updatedSeconds);
  // An entry that no frame was sent to is as old as its last update.
  const used = entry.usedSeconds === 0 ? updated : Math.max(0, nowSeconds - entry.usedSeconds);
  return { used, updated, frames: entry.frames };
}

const STATE_TEXTS = new Map<number, FdbRow['state']>([
  [STATE_DYNAMIC, ''],
  [STATE_STATIC, 'static'],
  [STATE_PERMANENT, 'permanent'],
]);

function stateText(state: number): FdbRow['state'] {
  return STATE_TEXTS.get(state) ?? '';
}
