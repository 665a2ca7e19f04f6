import { expect } from 'vitest';
import type { ErrorCode } from '../../../src/base/errors.ts';
import { DestinationLists } from '../../../src/fdb/destination-lists.ts';
import { Grace } from '../../../src/fdb/grace.ts';
import { RemoteTable } from '../../../src/fdb/remotes.ts';
import { FdbTable } from '../../../src/fdb/table.ts';
import type { ConfiguredRemote } from '../../../src/vtep/fdb-configured.ts';
import type { FdbTables } from '../../../src/vtep/fdb-references.ts';
import type { FdbRequest } from '../../../src/vtep/fdb-request.ts';
import { FdbVerbs } from '../../../src/vtep/fdb-verbs.ts';
import type {
  InterfaceDirectory,
  TunnelDirectory,
  TunnelInfo,
} from '../../../src/vtep/tunnel-directory.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { parseMac } from '../../../src/wire/mac.ts';

/** Two tunnels over IPv4 and one over IPv6. */
export const TUNNELS: readonly TunnelInfo[] = [
  tunnel(0, 'vx42', 42, 4),
  tunnel(1, 'vx43', 43, 4),
  tunnel(2, 'vx6', 66, 6),
];

/** The tunnels over IPv4. */
export const [VX42, VX43] = [TUNNELS[0]!, TUNNELS[1]!];

export const MAC = '52:54:00:3f:e6:43';
export const OTHER = '52:54:00:3f:e6:44';
export const ZERO = '00:00:00:00:00:00';
export const GROUP = '01:00:5e:00:00:09';
export const A = '192.168.120.20';
export const B = '192.168.120.30';

/** A request for vx42. */
export function entry(mac: string, dst: string, more: Partial<FdbRequest> = {}): FdbRequest {
  return { mac, dev: 'vx42', dst, ...more };
}

/** What an error of this code and entry looks like. */
export function failing(code: ErrorCode, index = 0): Error {
  return expect.objectContaining({ code, index }) as Error;
}

/** A remote as the configuration names it. */
export function configured(dst: string): ConfiguredRemote {
  return { address: parseIp(dst)!, scope: 0 };
}

/** One of 2^24 unicast MACs. */
export function macOf(number: number): string {
  const hex = number.toString(16).padStart(6, '0');
  return `02:00:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`;
}

/** Real tables of a daemon without workers, with the verbs on top of them and a clock that stands still. */
export class FdbFixture {
  readonly tables: FdbTables;
  readonly verbs: FdbVerbs;
  readonly directory: TunnelDirectory;
  readonly interfaces: InterfaceDirectory;
  tunnels: TunnelInfo[] = [...TUNNELS];
  nowSeconds = 1000;

  constructor(capacity = 1024, remotes = 256) {
    const grace = Grace.create(1);
    this.tables = {
      table: FdbTable.create(capacity),
      remotes: RemoteTable.create(remotes),
      lists: DestinationLists.create(1024, grace),
      grace,
    };
    this.directory = {
      vlansOf: () => [],
      byName: (name) => this.tunnels.find((known) => known.name === name),
      byIndex: (index) => this.tunnels.find((known) => known.index === index),
      byVni: (vni) => this.tunnels.find((known) => known.vni === vni),
      all: () => this.tunnels,
    };
    this.interfaces = {
      indexOf: (name) => (name === 'eth0' ? 2 : undefined),
      nameOf: (index) => (index === 2 ? 'eth0' : undefined),
    };
    this.verbs = new FdbVerbs({
      tables: this.tables,
      tunnels: this.directory,
      interfaces: this.interfaces,
      nowSeconds: () => this.nowSeconds,
    });
  }

  /** What a worker does with a frame from `dst`: true when the sender is allowed and the MAC was noted. */
  learn(tunnelIndex: number, mac: string, dst: string): boolean {
    const sender = this.sender(tunnelIndex, dst);
    if (sender < 0) return false;
    const { high, low } = parseMac(mac)!;
    const { vni } = this.directory.byIndex(tunnelIndex)!;
    this.tables.table.learn(vni, high, low, sender, this.nowSeconds);
    return true;
  }

  /** The row of an allowed sender, or -1 for a stranger. */
  sender(tunnelIndex: number, dst: string): number {
    return this.tables.remotes.findSender(tunnelIndex, parseIp(dst)!, 0);
  }

  /** All rows, sorted, as short texts: `vx42 52:…:43 10.0.0.1 permanent`. */
  dump(): string[] {
    const rows = [...this.verbs.rows({})].flat();
    return rows
      .map(({ ifname, mac, dst, port, vni, viaIf, state }) =>
        [ifname, mac, dst, port && `port=${port}`, vni && `vni=${vni}`, viaIf, state]
          .filter(Boolean)
          .join(' '),
      )
      .sort();
  }

  /** How many remote rows are alive in all tunnels, once all that wait to be freed are. */
  async liveRemotes(): Promise<number> {
    await this.settle();
    return this.tunnels.reduce((sum, { index }) => sum + this.tables.remotes.list(index).length, 0);
  }

  /** Lets everything that waits for the workers happen. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 1000; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      this.tables.grace.collect();
      if (turn > 2 && !this.verbs.pendingRemovals) return;
    }
    throw new Error('remotes are never freed');
  }
}

function tunnel(index: number, name: string, vni: number, family: 4 | 6): TunnelInfo {
  return {
    index,
    name,
    vni,
    port: 4789,
    ifindex: 10 + index,
    family4: family === 4,
    family6: family === 6,
    ageingSeconds: 300,
  };
}
