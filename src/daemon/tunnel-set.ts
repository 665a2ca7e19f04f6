/** The tunnels that run: opens and closes each with everything that belongs to it. */
import { VtepError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { TunnelConfig } from '../config/config.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { TUNNEL_COALESCE, TUNNEL_LEARNING, TUNNEL_SEGMENTS } from '../dataplane/tunnel-table.ts';
import { deleteLinks } from '../linux/netlink-link-delete.ts';
import { closeTap } from '../linux/tap.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import type { TunnelInfo } from '../vtep/tunnel-directory.ts';
import type { Tunnels } from '../vtep/tunnels.ts';
import { egressOf, scopeOf, type Egress } from './egress.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';
import type { OpenTunnel } from './open-tunnel.ts';
import { macText, openTunnelDevice, type DeviceState, type TunnelDevice } from './tunnel-device.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface TunnelSetOptions {
  readonly tables: SharedTables;
  readonly directory: Tunnels;
  readonly verbs: FdbVerbs;
  readonly endpoints: Endpoints;
  readonly workers: WorkerPool;
  readonly log: Logger;
}

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
    const { directory, endpoints, log } = this.#options;
    // Before anything is opened: it fails when all indices are taken.
    const index = directory.freeIndex();
    const egress = egressOf(config);
    const endpoint = await endpoints.acquire(config);
    const device = await this.#openDevice(config, egress, endpoint, options);
    const tunnel: OpenTunnel = {
      info: describe(index, config, device),
      config,
      configured: options.configured,
      device,
      endpoint,
      local: egress.local,
    };
    try {
      await this.#connect(tunnel);
    } catch (error) {
      await this.#disconnect([tunnel]);
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

  async #openDevice(
    config: TunnelConfig,
    egress: Egress,
    endpoint: Endpoint,
    state: DeviceState,
  ): Promise<TunnelDevice> {
    const { endpoints, workers, log } = this.#options;
    try {
      return openTunnelDevice(config, egress, workers.count, state, log);
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

  async #disconnect(tunnels: readonly OpenTunnel[]): Promise<void> {
    const { directory, verbs, endpoints, workers } = this.#options;
    for (const { info } of tunnels) {
      await workers.all(() => ({ type: 'close-tunnel', tunnel: info.index }));
    }
    this.#removeDevices(tunnels);
    // First, so that nobody adds an entry behind the removal of all.
    for (const { info } of tunnels) directory.remove(info);
    await verbs.removeTunnels(tunnels.map(({ info }) => info));
    for (const { endpoint } of tunnels) await endpoints.release(endpoint);
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
    family4: config.family === 4,
    family6: config.family === 6,
    ageingSeconds: config.ageingSeconds,
  };
}

function flagsOf(config: TunnelConfig, endpoint: Endpoint): number {
  const offload = config.offload === 'auto';
  return (
    (config.learning ? TUNNEL_LEARNING : 0) |
    (offload ? TUNNEL_COALESCE : 0) |
    (offload && endpoint.gso ? TUNNEL_SEGMENTS : 0)
  );
}
