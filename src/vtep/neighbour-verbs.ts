import { VtepError } from '../base/errors.ts';
import { NEIGHBOUR_LOCAL, NEIGHBOUR_ROUTER, NEIGHBOUR_STATIC } from '../fdb/neighbour-rows.ts';
import type { NeighbourEntry, NeighbourTable } from '../fdb/neighbours.ts';
import { formatIp } from '../wire/ip.ts';
import { formatMac } from '../wire/mac.ts';
import type { Mac } from '../wire/mac.ts';
import { withIndex } from './fdb-batch.ts';
import type {
  NeighbourChange,
  NeighbourRequest,
  NeighbourStateWord,
  NeighbourVerb,
} from './neighbour-request.ts';
import { readNeighbour } from './neighbour-request.ts';
import type { TunnelDirectory, TunnelInfo } from './tunnel-directory.ts';

/** A neighbour in the keys of `ip -j neigh show`. */
export interface NeighbourRow {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr: string;
  /** Seconds since it answered and since it was confirmed; with statistics only. */
  readonly used?: number;
  readonly confirmed?: number;
  readonly updated?: number;
  readonly router?: null;
  /** On this side of the tunnel: it answers for itself. Not a key of iproute2's. */
  readonly local?: null;
  readonly state: readonly ('PERMANENT' | 'REACHABLE')[];
}

/** Which neighbours; what is undefined does not matter. */
export interface NeighbourFilter {
  readonly tunnel?: TunnelInfo | undefined;
  readonly address?: Uint8Array | undefined;
  readonly mac?: Mac | undefined;
  readonly states?: ReadonlySet<NeighbourStateWord> | undefined;
}

export interface NeighbourVerbsOptions {
  readonly table: NeighbourTable;
  readonly tunnels: TunnelDirectory;
  /** Seconds of the table's clock, at least 1. */
  readonly nowSeconds: () => number;
}

const SLOTS_PER_PART = 8192;

/** All that users do to the table of neighbours, with the semantics of `ip neigh`. Main thread only. */
export class NeighbourVerbs {
  readonly #options: NeighbourVerbsOptions;

  constructor(options: NeighbourVerbsOptions) {
    this.#options = options;
  }

  /**
   * Applies requests all or none; throws the error of the first that does not fit, with its index. A
   * permanent neighbour takes the place of a learned one; `add` of one that is permanent already is
   * ERR_EXISTS.
   */
  change(verb: NeighbourVerb, requests: readonly NeighbourRequest[]): void {
    const { tunnels } = this.#options;
    const changes = requests.map((request, index) => {
      try {
        return readNeighbour(verb, request, tunnels);
      } catch (error) {
        throw withIndex(error, index);
      }
    });
    const undo: (() => void)[] = [];
    for (const [index, change] of changes.entries()) {
      try {
        undo.push(this.#apply(verb, change));
      } catch (error) {
        for (const step of undo.reverse()) step();
        throw withIndex(error, index);
      }
    }
  }

  /** Removes the matching neighbours and returns their number. */
  flush(filter: NeighbourFilter): number {
    return this.#options.table.removeAll((entry) => matches(entry, filter));
  }

  /** The matching neighbours in no particular order, in parts. */
  *rows(filter: NeighbourFilter, statistics = false): Generator<NeighbourRow[], void, undefined> {
    const { table } = this.#options;
    for (let first = 0; first < table.slots; first += SLOTS_PER_PART) {
      const rows: NeighbourRow[] = [];
      const end = Math.min(table.slots, first + SLOTS_PER_PART);
      for (let slot = first; slot < end; slot += 1) {
        const entry = table.entryAt(slot);
        if (entry === undefined || !matches(entry, filter)) continue;
        const row = this.#row(entry, statistics);
        if (row !== undefined) rows.push(row);
      }
      yield rows;
    }
  }

  /** Carries out one change and returns how to take it back. */
  #apply(verb: NeighbourVerb, { tunnel, address, mac, flags }: NeighbourChange): () => void {
    const { table, nowSeconds } = this.#options;
    const before = table.read(tunnel.index, address);
    const name = `"${formatIp(address)}" on "${tunnel.name}"`;
    if (verb === 'del') {
      if (before === undefined || (mac !== undefined && !hasMac(before, mac))) {
        throw new VtepError('ERR_NOT_FOUND', `Cannot find the neighbour ${name}`, {
          hint: 'list the neighbours with: vtep neigh show',
        });
      }
      table.remove(tunnel.index, address);
      return () => table.set(before);
    }
    if (verb === 'add' && before !== undefined && (before.flags & NEIGHBOUR_STATIC) !== 0) {
      throw new VtepError('ERR_EXISTS', `Cannot add the neighbour ${name}: it exists already`, {
        hint: 'change it with: vtep neigh replace',
      });
    }
    const key = { tunnel: tunnel.index, address };
    const { high: macHigh, low: macLow } = mac!;
    table.set({ ...key, macHigh, macLow, flags, confirmedSeconds: nowSeconds() });
    return () => {
      if (before === undefined) table.remove(tunnel.index, address);
      else table.set(before);
    };
  }

  #row(entry: NeighbourEntry, statistics: boolean): NeighbourRow | undefined {
    const { tunnels, nowSeconds } = this.#options;
    const tunnel = tunnels.byIndex(entry.tunnel);
    if (tunnel === undefined) return undefined;
    const { flags, usedSeconds, confirmedSeconds } = entry;
    const confirmed = Math.max(0, nowSeconds() - confirmedSeconds);
    const used = Math.max(0, nowSeconds() - usedSeconds);
    return {
      dst: formatIp(entry.address),
      dev: tunnel.name,
      lladdr: formatMac(entry.macHigh, entry.macLow),
      ...(statistics ? { used, confirmed, updated: confirmed } : {}),
      ...((flags & NEIGHBOUR_ROUTER) !== 0 ? { router: null } : {}),
      ...((flags & NEIGHBOUR_LOCAL) !== 0 ? { local: null } : {}),
      state: [stateOf(entry) === 'permanent' ? 'PERMANENT' : 'REACHABLE'],
    };
  }
}

function matches(entry: NeighbourEntry, filter: NeighbourFilter): boolean {
  const { tunnel, address, mac, states } = filter;
  if (tunnel !== undefined && entry.tunnel !== tunnel.index) return false;
  if (address !== undefined && Buffer.compare(entry.address, address) !== 0) return false;
  if (mac !== undefined && !hasMac(entry, mac)) return false;
  return states === undefined || states.has(stateOf(entry));
}

function hasMac(entry: NeighbourEntry, mac: Mac): boolean {
  return entry.macHigh === mac.high && entry.macLow === mac.low;
}

function stateOf({ flags }: NeighbourEntry): NeighbourStateWord {
  return (flags & NEIGHBOUR_STATIC) !== 0 ? 'permanent' : 'reachable';
}
