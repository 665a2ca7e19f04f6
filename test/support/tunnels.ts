/** Short ways to a running tunnel and to what it knows. */
import type { StatusReport, TunnelReport } from '../../src/api/protocol.ts';
import type { Host } from './host.ts';
import { startVtepd, type Vtepd } from './vtepd.ts';

export interface TunnelOptions {
  readonly local: string;
  readonly remotes: readonly string[];
  /** Default 42, and the device's name follows it. */
  readonly vni?: number;
  /** Inside the overlay, with prefix lengths. */
  readonly addresses?: readonly string[];
  /** Further ones for the daemon. */
  readonly arguments?: readonly string[];
}

/** A daemon with one tunnel, `vx42` unless the VNI is another. */
export function startTunnel(host: Host, options: TunnelOptions): Promise<Vtepd> {
  return startVtepd(host, tunnelArguments(options));
}

export function tunnelArguments(options: TunnelOptions): string[] {
  const { local, remotes, vni = 42, addresses = [] } = options;
  return [
    ...['--vni', String(vni), '--name', `vx${vni}`, '--local', local],
    ...remotes.flatMap((remote) => ['--remote', remote]),
    ...addresses.flatMap((address) => ['--address', address]),
    ...(options.arguments ?? []),
  ];
}

/** A row of `vtep -j fdb show`. */
export interface FdbJson {
  readonly mac: string;
  readonly ifname: string;
  readonly dst: string;
  readonly state: string;
}

/** The unicast rows of a daemon by MAC; with several tunnels, those of `dev`. */
export function fdbOf(daemon: Vtepd, dev?: string): Map<string, FdbJson> {
  const rows = daemon.json('fdb', 'show') as FdbJson[];
  const wanted = rows.filter(
    ({ mac, ifname }) => mac !== '00:00:00:00:00:00' && (dev === undefined || ifname === dev),
  );
  return new Map(wanted.map((row) => [row.mac, row]));
}

/** What the daemon says of its tunnel `dev`. */
export function tunnelOf(daemon: Vtepd, dev = 'vx42'): TunnelReport {
  return statusOf(daemon).tunnels.find(({ ifname }) => ifname === dev)!;
}

/** `vtep -j show`. */
export function statusOf(daemon: Vtepd): StatusReport {
  return daemon.json('show') as StatusReport;
}

/** Drops by reason, those of all tunnels and those of none added up. */
export function dropsOf(daemon: Vtepd): Record<string, number> {
  const status = statusOf(daemon);
  const sum: Record<string, number> = {};
  for (const { drops } of [status.daemon, ...status.tunnels]) {
    for (const [reason, count] of Object.entries(drops)) sum[reason] = (sum[reason] ?? 0) + count;
  }
  return sum;
}

interface LinkJson {
  readonly address: string;
  readonly mtu: number;
  readonly operstate: string;
  readonly flags: readonly string[];
}

/** A device as `ip` sees it; undefined when there is none. */
export function linkOf(host: Host, name: string): LinkJson | undefined {
  const result = host.exec('ip', '-j', 'link', 'show', 'dev', name);
  return result.status === 0 ? (JSON.parse(result.stdout) as LinkJson[])[0] : undefined;
}

/** MAC of a device. */
export function linkAddress(host: Host, name: string): string {
  return linkOf(host, name)!.address;
}
