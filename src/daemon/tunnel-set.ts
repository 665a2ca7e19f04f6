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
import { mssLimits, overlayMtu } from '../vtep/mtu.ts';
import type { TunnelInfo } from '../vtep/tunnel-directory.ts';
import type { Tunnels } from '../vtep/tunnels.ts';
import { refuseCircularRoutes } from './circular-route.ts';
import { egressOf, scopeOf, widestFamily, type Egress } from './egress.ts';
import type { Endpoints } from './endpoints.ts';
import type { OpenTunnel } from './open-tunnel.ts';
import { outerRow } from './outer-row.ts';
import { poolsOf, type TransmitPools, type TunnelPools } from './transmit-pools.ts';
import { macText, openTunnelDevice, type DeviceState, type TunnelDevice } from './tunnel-device.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface TunnelSetOptions {
  readonly tables: SharedTables;
  readonly directory: Tunnels;
  readonly verbs: FdbVerbs;
  readonly endpoints: Endpoints;
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
    try {
      refuseCircularRoutes(config, device.link);
      await this.#connect(tunnel, egress);
    } catch (error) {
      await this.#disconnect([tunnel]);
      throw error;
    }
    this.#open.set(tunnel.info.index, tunnel);
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

  /** Closes tunnels with everything that belongs to them; many cost little more than one. */
  async close(...tunnels: readonly OpenTunnel[]): Promise<void> {
    for (const { info } of tunnels) this.#open.delete(info.index);
    await this.#disconnect(tunnels);
  }

  /** Closes every descriptor, after the workers have stopped. */
  closeDevices(): void {
    this.#removeDevices([...this.#open.values()]);
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
    const { tables, directory, verbs, workers } = this.#options;
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
    tables.tunnels.write(info.index, {
      flags: flagsOf(config, pools),
      vni: info.vni,
      macHigh: mac.high,
      macLow: mac.low,
      mtu,
      ...mssLimits(config.mssClamp, Math.min(mtu, overlayMtu(egress.mtu, widestFamily(config)))),
    });
    tables.tunnels.outer.write(info.index, outerRow(config.outer));
    const remotes = config.remotes.map((remote) => ({
      address: remote.bytes,
      scope: scopeOf(remote),
    }));
    await verbs.setConfiguredRemotes(info, remotes);
    const { fds } = device.tap;
    await workers.all((worker) => ({
      type: 'open-tunnel',
      tunnel: info.index,
      vni: info.vni,
      // A device without multi_queue has one queue: one worker reads it, all write through it.
      readFd: fds[worker] ?? -1,
      writeFd: fds[worker] ?? fds[0]!,
      endpoints: endpoints.map(({ id }) => id),
      lanes4: pools.four?.firstLane ?? -1,
      lanes4WithoutDf: pools.fourWithoutDf?.firstLane ?? -1,
      lanes6: pools.six?.firstLane ?? -1,
    }));
  }

  async #disconnect(tunnels: readonly OpenTunnel[]): Promise<void> {
    const { tables, directory, verbs, workers } = this.#options;
    for (const { info } of tunnels) {
      await workers.all(() => ({ type: 'close-tunnel', tunnel: info.index }));
    }
    this.#removeDevices(tunnels);
    // First, so that nobody adds an entry behind the removal of all.
    for (const { info } of tunnels) directory.remove(info);
    await verbs.removeTunnels(tunnels.map(({ info }) => info));
    const gone = new Set(tunnels.map(({ info }) => info.index));
    tables.neighbours.removeAll(({ tunnel }) => gone.has(tunnel));
    for (const tunnel of tunnels) await this.#releaseSockets(tunnel);
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
