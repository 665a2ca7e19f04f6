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
import { closeTap } from '../linux/tap.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import type { TunnelInfo } from '../vtep/tunnel-directory.ts';
import type { Tunnels } from '../vtep/tunnels.ts';
import { egressOf, scopeOf, type Egress } from './egress.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';
import type { OpenTunnel } from './open-tunnel.ts';
import { macText, openTunnelDevice, type TunnelDevice } from './tunnel-device.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface TunnelSetOptions {
  readonly tables: SharedTables;
  readonly directory: Tunnels;
  readonly verbs: FdbVerbs;
  readonly endpoints: Endpoints;
  readonly workers: WorkerPool;
  readonly log: Logger;
}

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
    const { directory, endpoints, log } = this.#options;
    // Before anything is opened: it fails when all indices are taken.
    const index = directory.freeIndex();
    const egress = egressOf(config);
    const endpoint = await endpoints.acquire(config);
    const device = await this.#openDevice(config, egress, endpoint);
    const tunnel: OpenTunnel = {
      info: describe(index, config, device),
      config,
      device,
      endpoint,
      local: egress.local,
    };
    try {
      await this.#connect(tunnel);
    } catch (error) {
      await this.#disconnect(tunnel);
      throw error;
    }
    this.#open.set(tunnel.info.index, tunnel);
    log.info('tunnel opened', {
      dev: config.name,
      vni: config.vni,
      local: egress.local,
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

  async #openDevice(
    config: TunnelConfig,
    egress: Egress,
    endpoint: Endpoint,
  ): Promise<TunnelDevice> {
    const { endpoints, workers, log } = this.#options;
    try {
      return openTunnelDevice(config, egress, workers.count, log);
    } catch (error) {
      await endpoints.release(endpoint);
      throw error;
    }
  }

  async #connect(tunnel: OpenTunnel): Promise<void> {
    const { tables, directory, verbs, workers } = this.#options;
    const { info, config, device, endpoint } = tunnel;
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
      flags: flagsOf(config, endpoint),
      vni: info.vni,
      macHigh: mac.high,
      macLow: mac.low,
      mtu,
    });
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
      endpoint: endpoint.id,
    }));
  }

  async #disconnect({ info, device, endpoint }: OpenTunnel): Promise<void> {
    const { tables, directory, verbs, endpoints, workers } = this.#options;
    await workers.all(() => ({ type: 'close-tunnel', tunnel: info.index }));
    closeTap(device.tap);
    await verbs.removeTunnel(info);
    tables.neighbours.removeAll((entry) => entry.tunnel === info.index);
    directory.remove(info);
    await endpoints.release(endpoint);
  }
}

function describe(index: number, config: TunnelConfig, { link }: TunnelDevice): TunnelInfo {
  return {
    index,
    name: config.name,
    vni: config.vni,
    port: config.port,
    ifindex: link.index,
    family4: config.family === 4,
    family6: config.family === 6,
    ageingSeconds: config.ageingSeconds,
  };
}

function flagsOf(config: TunnelConfig, endpoint: Endpoint): number {
  const offload = config.offload === 'auto';
  return (
    (config.learning ? TUNNEL_LEARNING : 0) |
    (config.neighSuppress ? TUNNEL_NEIGH_SUPPRESS : 0) |
    (offload ? TUNNEL_COALESCE : 0) |
    (offload && endpoint.gso ? TUNNEL_SEGMENTS : 0)
  );
}
