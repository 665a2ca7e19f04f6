/** The tunnels that run: opens and closes each with everything that belongs to it. */
import { VtepError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { TunnelConfig } from '../config/config.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import {
  TUNNEL_COALESCE,
  TUNNEL_LEARNING,
  TUNNEL_NEIGH_SUPPRESS,
  TUNNEL_SEGMENTS,
} from '../dataplane/tunnel-table.ts';
import { deleteLinks } from '../linux/netlink-link-delete.ts';
import { closeTap } from '../linux/tap.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import type { Newcomers } from '../vtep/newcomers.ts';
import { mssLimits, overlayMtu } from '../vtep/mtu.ts';
import type { TunnelInfo } from '../vtep/tunnel-directory.ts';
import type { Tunnels } from '../vtep/tunnels.ts';
import { refuseCircularRoutes } from './circular-route.ts';
import { egressOf, localOf, scopeOf, widestFamily, type Egress } from './egress.ts';
import type { Endpoints } from './endpoints.ts';
import type { OpenTunnel } from './open-tunnel.ts';
import type { TunnelGroups } from './tunnel-groups.ts';
import type { TunnelRemotes } from './tunnel-remotes.ts';
import { applySafety, safetyFlags } from './tunnel-safety.ts';
import { outerRow } from './outer-row.ts';
import { poolsOf, type TransmitPools, type TunnelPools } from './transmit-pools.ts';
import { macText, openTunnelDevice, type DeviceState, type TunnelDevice } from './tunnel-device.ts';
import { setTagging, setTrunk, vlanTunnel } from './vlan-tunnels.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface TunnelSetOptions {
  readonly tables: SharedTables;
  readonly directory: Tunnels;
  readonly verbs: FdbVerbs;
  readonly newcomers: Newcomers;
  readonly endpoints: Endpoints;
  readonly remotes: TunnelRemotes;
  readonly groups: TunnelGroups;
  readonly pools: TransmitPools;
  readonly workers: WorkerPool;
  readonly log: Logger;
}

type Sockets = Pick<OpenTunnel, 'endpoints' | 'pools'>;
/** How a tunnel is opened beside what its configuration says. */
export interface OpenOptions extends DeviceState {
  readonly configured: boolean;
}

const AS_CONFIGURED: OpenOptions = { configured: true, up: true };

export class TunnelSet {
  readonly #options: TunnelSetOptions;
  readonly #open = new Map<number, OpenTunnel>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: TunnelSetOptions) {
    this.#options = options;
  }

  list(): OpenTunnel[] {
    return [...this.#open.values()];
  }

  get(index: number): OpenTunnel | undefined {
    return this.#open.get(index);
  }

  byName(name: string): OpenTunnel | undefined {
    const index = this.#options.directory.byName(name)?.index;
    return index === undefined ? undefined : this.#open.get(index);
  }

  /** Runs `change` when all changes before it are done: whoever opens and closes tunnels takes turns. */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change, change);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Opens a tunnel; what was opened for it is closed again when a step fails. Not yet received from. */
  async open(config: TunnelConfig, options: OpenOptions = AS_CONFIGURED): Promise<OpenTunnel> {
    const { directory, log } = this.#options;
    // Before anything is opened: it fails when all indices are taken.
    const index = directory.freeIndex();
    const egress = egressOf(config);
    const sockets = await this.#openSockets(config);
    const device = await this.#openDevice(config, egress, sockets, options);
    const tunnel: OpenTunnel = {
      info: describe(index, config, device),
      config,
      configured: options.configured,
      device,
      ...sockets,
      locals: egress.locals,
    };
    const vlans: OpenTunnel[] = [];
    try {
      refuseCircularRoutes(config, device.link);
      await this.#connect(tunnel, egress);
      for (const mapping of config.vlans) {
        const child = vlanTunnel(tunnel, mapping, directory.freeIndex());
        vlans.push(child);
        await this.#connect(child, egress);
      }
      if (vlans.length > 0) setTrunk(this.#options.tables.vlans, tunnel, vlans);
    } catch (error) {
      await this.#disconnect([tunnel, ...vlans]);
      throw error;
    }
    for (const each of [tunnel, ...vlans]) this.#open.set(each.info.index, each);
    log.info('tunnel opened', {
      dev: config.name,
      vni: config.vni,
      local: egress.locals,
      remotes: config.remotes.map(({ text }) => text),
      mtu: device.link.mtu,
      mac: macText(device.link),
    });
    return tunnel;
  }

  /** Has all who ask see `tunnel`, a changed copy, in the place of the one with its index. */
  replace(tunnel: OpenTunnel): void {
    this.#options.directory.replace(tunnel.info);
    this.#open.set(tunnel.info.index, tunnel);
  }

  /** The tunnels of the VLANs of a tunnel's device. */
  vlansOf({ info }: OpenTunnel): OpenTunnel[] {
    return this.#options.directory
      .vlansOf(info.name)
      .map(({ index }) => this.#open.get(index))
      .filter((tunnel) => tunnel !== undefined);
  }

  /** Closes tunnels with everything that belongs to them; many cost little more than one. */
  async close(...tunnels: readonly OpenTunnel[]): Promise<void> {
    const all = tunnels.flatMap((tunnel) => [tunnel, ...this.vlansOf(tunnel)]);
    for (const { info } of all) this.#open.delete(info.index);
    await this.#disconnect(all);
  }

  /** Closes every descriptor, after the workers have stopped. */
  closeDevices(): void {
    this.#removeDevices(this.list().filter(({ info }) => info.vlan === undefined));
    this.#open.clear();
  }

  async #openSockets(config: TunnelConfig): Promise<Sockets> {
    const endpoints = await this.#options.endpoints.acquire(config);
    try {
      return { endpoints, pools: await this.#options.pools.acquire(config) };
    } catch (error) {
      await this.#options.endpoints.release(endpoints);
      throw error;
    }
  }

  async #openDevice(
    config: TunnelConfig,
    egress: Egress,
    sockets: Sockets,
    state: DeviceState,
  ): Promise<TunnelDevice> {
    const { workers, log } = this.#options;
    try {
      return openTunnelDevice(config, egress, workers.count, state, log);
    } catch (error) {
      await this.#releaseSockets(sockets);
      throw error;
    }
  }

  async #releaseSockets({ endpoints, pools }: Sockets): Promise<void> {
    await this.#options.endpoints.release(endpoints);
    await this.#options.pools.release(pools);
  }

  async #connect(tunnel: OpenTunnel, egress: Egress): Promise<void> {
    const { tables, directory, newcomers, remotes, groups, workers } = this.#options;
    const { info, config, device, endpoints, pools } = tunnel;
    const { mac, mtu } = device.link;
    if (mac === undefined) {
      throw new VtepError(
        'ERR_TUN_DEVICE',
        `Cannot use "${config.name}": it has no Ethernet address`,
      );
    }
    directory.add(info);
    tables.counters.clearTunnel(info.index);
    applySafety(tables, info.index, config.safety);
    tables.tunnels.write(info.index, {
      flags: flagsOf(config, pools) | safetyFlags(config.safety),
      vni: info.vni,
      macHigh: mac.high,
      macLow: mac.low,
      mtu,
      ...mssLimits(config.mssClamp, Math.min(mtu, overlayMtu(egress.mtu, widestFamily(config)))),
    });
    tables.tunnels.outer.write(info.index, outerRow(config.outer));
    setTagging(tables.vlans, tunnel);
    await remotes.open(info, config);
    if (config.safety.anyRemote) newcomers.open(info, scopeOf(localOf(config, 6)));
    const { fds } = device.tap;
    await workers.all((worker) => ({
      type: 'open-tunnel',
      tunnel: info.index,
      vni: info.vni,
      // A device without multi_queue has one queue: one worker reads it, all write through it.
      readFd: info.vlan === undefined ? (fds[worker] ?? -1) : -1,
      writeFd: fds[worker] ?? fds[0]!,
      endpoints: endpoints.map(({ id }) => id),
      lanes4: pools.four?.firstLane ?? -1,
      lanes4WithoutDf: pools.fourWithoutDf?.firstLane ?? -1,
      lanes6: pools.six?.firstLane ?? -1,
    }));
    await groups.open(tunnel);
  }

  async #disconnect(tunnels: readonly OpenTunnel[]): Promise<void> {
    const { tables, directory, verbs, newcomers, remotes, groups, workers } = this.#options;
    for (const tunnel of tunnels) {
      const { info } = tunnel;
      await groups.close(tunnel);
      remotes.close(info.index);
      await workers.all(() => ({ type: 'close-tunnel', tunnel: info.index }));
      tables.vlans.clear(info.index);
      newcomers.close(info.index);
    }
    const owners = tunnels.filter(({ info }) => info.vlan === undefined);
    this.#removeDevices(owners);
    // First, so that nobody adds an entry behind the removal of all.
    for (const { info } of tunnels) directory.remove(info);
    await verbs.removeTunnels(tunnels.map(({ info }) => info));
    const gone = new Set(tunnels.map(({ info }) => info.index));
    tables.neighbours.removeAll(({ tunnel }) => gone.has(tunnel));
    for (const tunnel of owners) await this.#releaseSockets(tunnel);
  }

  /** A device goes with its last descriptor, but slowly: several are deleted at once first. */
  #removeDevices(tunnels: readonly OpenTunnel[]): void {
    const made = tunnels.filter(({ device }) => device.tap.created);
    try {
      if (made.length > 1) deleteLinks(made.map(({ info }) => info.ifindex));
    } catch (error) {
      this.#options.log.debug('devices not deleted at once', { error: String(error) });
    }
    for (const { device } of tunnels) closeTap(device.tap);
  }
}

function describe(index: number, config: TunnelConfig, { link }: TunnelDevice): TunnelInfo {
  return {
    index,
    name: config.name,
    vni: config.vni,
    port: config.port,
    ifindex: link.index,
    family4: config.families.includes(4),
    family6: config.families.includes(6),
    ageingSeconds: config.ageingSeconds,
  };
}

function flagsOf(config: TunnelConfig, pools: TunnelPools): number {
  const offload = config.offload === 'auto';
  return (
    (config.learning ? TUNNEL_LEARNING : 0) |
    (config.neighSuppress ? TUNNEL_NEIGH_SUPPRESS : 0) |
    (offload ? TUNNEL_COALESCE : 0) |
    (offload && poolsOf(pools).some(({ gso }) => gso) ? TUNNEL_SEGMENTS : 0)
  );
}
