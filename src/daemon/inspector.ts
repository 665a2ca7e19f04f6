/** What `vtep show` prints, gathered from the tables. */
import { packageVersion } from '../api/package-version.ts';
import type {
  DaemonReport,
  Inspector,
  OffloadState,
  RemoteReport,
  TunnelReport,
} from '../api/protocol.ts';
import { monotonicSeconds } from '../base/clock.ts';
import {
  COUNTER_NEIGH_ANSWERED,
  COUNTER_DROPS,
  COUNTER_RX_PACKETS,
  COUNTER_NEIGH_LEARNED,
  COUNTER_TX_PACKETS,
  REMOTE_RX_PACKETS,
  REMOTE_TX_PACKETS,
} from '../dataplane/counters.ts';
import { DROP_REASON_COUNT, DROP_REASONS } from '../dataplane/drop-reasons.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import {
  TUNNEL_COALESCE,
  TUNNEL_COALESCE_FAILED,
  TUNNEL_SEGMENTATION_FAILED,
  TUNNEL_SEGMENTS,
} from '../dataplane/tunnel-table.ts';
import { linkByIndex, listLinks, type Link } from '../linux/netlink-link.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import type { Newcomers } from '../vtep/newcomers.ts';
import { formatIp } from '../wire/ip.ts';
import type { OpenTunnel } from './open-tunnel.ts';
import { outerReport } from './outer-report.ts';
import { RemoteRoutes } from './remote-routes.ts';
import { safetyReport } from './safety-report.ts';
import { poolsOf } from './transmit-pools.ts';
import { macText } from './tunnel-device.ts';
import type { UnderlayRemotes } from './underlay-remotes.ts';

export interface InspectorOptions {
  readonly tables: SharedTables;
  readonly verbs: FdbVerbs;
  readonly newcomers: Newcomers;
  readonly tunnels: () => readonly OpenTunnel[];
  readonly workers: number;
  readonly portable: boolean;
  readonly underlayRemotes: UnderlayRemotes;
}

export class DaemonInspector implements Inspector {
  readonly #options: InspectorOptions;
  readonly #started = process.hrtime.bigint();

  constructor(options: InspectorOptions) {
    this.#options = options;
  }

  daemon(): DaemonReport {
    const { counters } = this.#options.tables;
    return {
      version: packageVersion(),
      pid: process.pid,
      node: process.version,
      uptimeSeconds: Number((process.hrtime.bigint() - this.#started) / 1_000_000_000n),
      workers: this.#options.workers,
      drops: this.#drops(counters.shape.tunnels),
    };
  }

  async tunnels(): Promise<TunnelReport[]> {
    const counts = await this.#options.verbs.countEntries();
    const routes = new RemoteRoutes(this.#options.tables);
    // MTU and MAC may have been changed with `ip link` since.
    const links = new Map(listLinks().map((link) => [link.index, link]));
    return this.#options.tunnels().map((tunnel) => {
      const fdb = counts.get(tunnel.info.vni) ?? { learned: 0, static: 0, frozen: 0 };
      const link = links.get(tunnel.info.ifindex) ?? tunnel.device.link;
      return this.#report(tunnel, fdb, link, routes);
    });
  }

  #report(
    tunnel: OpenTunnel,
    fdb: TunnelReport['fdb'],
    link: Link,
    routes: RemoteRoutes,
  ): TunnelReport {
    const { info, config } = tunnel;
    const { counters } = this.#options.tables;
    const total = (column: number): number => counters.tunnelTotal(info.index, column);
    return {
      ifname: info.name,
      ifindex: info.ifindex,
      configured: tunnel.configured,
      vni: info.vni,
      ...(info.vlan !== undefined && { vlan: info.vlan }),
      ...(config.vlan !== 'pass' && { vlanPolicy: config.vlan }),
      local: tunnel.locals[0]!,
      ...(tunnel.locals[1] === undefined ? {} : { local6: tunnel.locals[1] }),
      port: info.port,
      mtu: link.mtu,
      ...this.#mssClamp(info.index),
      mac: macText(link),
      learning: config.learning,
      ageing: config.ageingSeconds,
      offload: this.#offload(tunnel),
      outer: outerReport(config.outer),
      underlay: this.#options.portable ? 'portable' : 'fast',
      remotes: this.#remotes(tunnel, routes),
      ...this.#underlayRemotes(tunnel),
      fdb,
      safety: safetyReport(this.#options.tables, tunnel),
      neigh: {
        suppress: config.neighSuppress,
        answered: total(COUNTER_NEIGH_ANSWERED),
        learned: total(COUNTER_NEIGH_LEARNED),
        dynamic: this.#options.tables.neighbours.learned(info.index),
      },
      tx: { packets: total(COUNTER_TX_PACKETS), bytes: total(COUNTER_TX_PACKETS + 1) },
      rx: { packets: total(COUNTER_RX_PACKETS), bytes: total(COUNTER_RX_PACKETS + 1) },
      drops: this.#drops(info.index),
    };
  }

  #offload({ config, device, endpoints, pools, info }: OpenTunnel): TunnelReport['offload'] {
    const flags = this.#options.tables.tunnels.flags(info.index);
    const { checksum, tso4, tso6, uso } = device.tap.offloads;
    return {
      configured: config.offload,
      checksum: state(checksum),
      tso: state(tso4 && tso6),
      uso: state(uso),
      gso: state(
        poolsOf(pools).every(({ gso }) => gso) && (flags & TUNNEL_SEGMENTS) !== 0,
        (flags & TUNNEL_SEGMENTATION_FAILED) !== 0,
      ),
      gro: state(
        (endpoints.every(({ gro }) => gro) || this.#options.portable) &&
          (flags & TUNNEL_COALESCE) !== 0,
        (flags & TUNNEL_COALESCE_FAILED) !== 0,
      ),
    };
  }

  #mssClamp(tunnel: number): Pick<TunnelReport, 'mssClamp'> {
    const { tunnels } = this.#options.tables;
    const ipv4 = tunnels.mssLimit(tunnel, 4);
    return ipv4 === 0 ? {} : { mssClamp: { ipv4, ipv6: tunnels.mssLimit(tunnel, 6) } };
  }

  /** Names and group, where the tunnel has them. */
  #underlayRemotes({ info, config }: OpenTunnel): Pick<TunnelReport, 'names' | 'group'> {
    const { remotes, names, groups } = this.#options.underlayRemotes;
    const { group, outer, multicastTtl: ttl } = config;
    const { link = '' } = outer;
    const named = remotes.named(info.index).map(({ name, addresses }) => {
      const failure = names.failureOf(name);
      return { name, addresses, ...(failure === undefined ? {} : { failure }) };
    });
    const joined = groups.isJoined({ config });
    return {
      ...(named.length === 0 ? {} : { names: named }),
      ...(group === undefined ? {} : { group: { address: group.text, link, ttl, joined } }),
    };
  }

  /** What a worker has learned counts until it expires, else what the kernel knows. */
  #pathMtu(
    tunnel: OpenTunnel,
    remote: number,
    routes: RemoteRoutes,
  ): Pick<RemoteReport, 'pathMtu' | 'pathMtuExpires'> {
    const { pathMtus } = this.#options.tables;
    const learned = pathMtus.mtu(remote);
    const left = pathMtus.expires(remote) - monotonicSeconds();
    const known = routes.pathMtu(tunnel, remote);
    if (learned > 0 && left > 0 && learned <= (known ?? Infinity)) {
      return { pathMtu: learned, pathMtuExpires: left };
    }
    return known === undefined ? {} : { pathMtu: known };
  }

  #remotes(tunnel: OpenTunnel, routes: RemoteRoutes): RemoteReport[] {
    const { info } = tunnel;
    const { tables, verbs, newcomers } = this.#options;
    const { remotes, counters, limits } = tables;
    const flood = new Set(verbs.floodRemotes(info));
    const heard = new Set(verbs.admittedRemotes(info));
    return remotes.list(info.index).map((index) => {
      const port = remotes.port(index);
      const vni = remotes.vni(index);
      const scope = remotes.scope(index);
      const total = (column: number): number => counters.remoteTotal(index, column);
      return {
        dst: newcomers.isEverybody(info.index, index)
          ? 'any'
          : formatIp(remotes.bytes, remotes.addressOffset(index)),
        ...(port === info.port ? {} : { port }),
        ...(vni === info.vni ? {} : { vni }),
        ...(scope === 0 ? {} : { via: linkByIndex(scope)?.name ?? String(scope) }),
        configured: verbs.isConfigured(info, index),
        flood: flood.has(index),
        ...(heard.has(index) && { heard: true as const }),
        learned: limits.learnedOf(index),
        ...this.#pathMtu(tunnel, index, routes),
        tx: { packets: total(REMOTE_TX_PACKETS), bytes: total(REMOTE_TX_PACKETS + 1) },
        rx: { packets: total(REMOTE_RX_PACKETS), bytes: total(REMOTE_RX_PACKETS + 1) },
      };
    });
  }

  #drops(tunnel: number): Record<string, number> {
    const drops: Record<string, number> = {};
    for (let reason = 1; reason < DROP_REASON_COUNT; reason += 1) {
      const count = this.#options.tables.counters.tunnelTotal(tunnel, COUNTER_DROPS + reason);
      if (count > 0) drops[DROP_REASONS[reason]!] = count;
    }
    return drops;
  }
}

function state(on: boolean, failed = false): OffloadState {
  if (failed) return 'off after a failure';
  return on ? 'on' : 'off';
}
