/** The tunnels that run: opens and closes each with everything that belongs to it. */
import { VtepError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { TunnelConfig } from '../config/config.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { TUNNEL_COALESCE, TUNNEL_LEARNING, TUNNEL_SEGMENTS } from '../dataplane/tunnel-table.ts';
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
import { macText, openTunnelDevice, type TunnelDevice } from './tunnel-device.ts';
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

export class TunnelSet {
  readonly #options: TunnelSetOptions;
  readonly #open = new Map<number, OpenTunnel>();

  constructor(options: TunnelSetOptions) {
    this.#options = options;
  }

  list(): OpenTunnel[] {
    return [...this.#open.values()];
  }

  get(index: number): OpenTunnel | undefined {
    return this.#open.get(index);
  }

  /** Opens a tunnel; what was opened for it is closed again when a step fails. */
  async open(config: TunnelConfig): Promise<OpenTunnel> {
    const { directory, log } = this.#options;
    // Before anything is opened: it fails when all indices are taken.
    const index = directory.freeIndex();
    const egress = egressOf(config);
    const sockets = await this.#openSockets(config);
    const device = await this.#openDevice(config, egress, sockets);
    const tunnel: OpenTunnel = {
      info: describe(index, config, device),
      config,
      device,
      ...sockets,
      locals: egress.locals,
    };
    try {
      refuseCircularRoutes(config, device.link);
      await this.#connect(tunnel, egress);
    } catch (error) {
      await this.#disconnect(tunnel);
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

  async close(tunnel: OpenTunnel): Promise<void> {
    this.#open.delete(tunnel.info.index);
    await this.#disconnect(tunnel);
  }

  /** Closes every descriptor, after the workers have stopped. */
  closeDevices(): void {
    for (const { device } of this.#open.values()) closeTap(device.tap);
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

  async #openDevice(config: TunnelConfig, egress: Egress, sockets: Sockets): Promise<TunnelDevice> {
    const { workers, log } = this.#options;
    try {
      return openTunnelDevice(config, egress, workers.count, log);
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

  async #disconnect(tunnel: OpenTunnel): Promise<void> {
    const { info, device } = tunnel;
    const { directory, verbs, workers } = this.#options;
    await workers.all(() => ({ type: 'close-tunnel', tunnel: info.index }));
    closeTap(device.tap);
    await verbs.removeTunnel(info);
    directory.remove(info);
    await this.#releaseSockets(tunnel);
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
    (offload ? TUNNEL_COALESCE : 0) |
    (offload && poolsOf(pools).some(({ gso }) => gso) ? TUNNEL_SEGMENTS : 0)
  );
}
