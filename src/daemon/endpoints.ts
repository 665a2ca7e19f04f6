/** Underlay endpoints: the receive sockets of one local address and port, shared by its tunnels. */
import { VtepError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Config, TunnelConfig } from '../config/config.ts';
import {
  assertPortFree,
  closeSocket,
  openReceiveSocket,
  RECEIVE_BUFFER_BYTES,
} from '../linux/udp-socket.ts';
import { formatIp } from '../wire/ip.ts';
import { localAddress, localOf, localText, scopeOf } from './egress.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface Endpoint {
  readonly id: number;
  readonly family: 4 | 6;
  readonly address: Uint8Array;
  readonly port: number;
  /** UDP_GRO is used. */
  readonly gro: boolean;
  /** Its descriptors, in all workers; none with the portable underlay. */
  readonly fds: readonly number[];
}

interface Open extends Endpoint {
  readonly key: string;
  /** The tunnel that it was opened for, and whether that takes checksums of zero over IPv6. */
  readonly first: string;
  readonly zeroChecksum: boolean;
  tunnels: number;
  listening: boolean;
}

export class Endpoints {
  readonly #config: Config;
  readonly #portable: boolean;
  readonly #workers: WorkerPool;
  readonly #log: Logger;
  readonly #slots: (Open | undefined)[];

  constructor(
    config: Config,
    portable: boolean,
    workers: WorkerPool,
    capacity: number,
    log: Logger,
  ) {
    this.#config = config;
    this.#portable = portable;
    this.#workers = workers;
    this.#log = log;
    this.#slots = new Array<Open | undefined>(capacity).fill(undefined);
  }

  /**
   * The endpoints of a tunnel, one of each of its families, their sockets opened in every worker if no
   * tunnel had them yet; all or none.
   */
  async acquire(tunnel: TunnelConfig): Promise<Endpoint[]> {
    const acquired: Endpoint[] = [];
    try {
      for (const family of tunnel.families) acquired.push(await this.#acquire(tunnel, family));
      return acquired;
    } catch (error) {
      await this.release(acquired);
      throw error;
    }
  }

  /**
   * Begins to receive on every endpoint that does not yet. Called when its tunnels are open: before that
   * their datagrams wait in the socket, and would be dropped as of an unknown VNI.
   */
  async listen(): Promise<void> {
    for (const open of this.#slots) {
      if (open === undefined || open.listening) continue;
      open.listening = true;
      await this.#workers.all(() => ({ type: 'listen', endpoint: open.id }));
    }
  }

  async release(endpoints: readonly Endpoint[]): Promise<void> {
    for (const { id } of endpoints) {
      const open = this.#slots[id]!;
      open.tunnels -= 1;
      if (open.tunnels > 0) continue;
      await this.#forget(id);
      this.#slots[id] = undefined;
      open.fds.forEach(closeSocket);
    }
  }

  /** Closes every descriptor, after the workers have stopped. */
  closeAll(): void {
    for (const open of this.#slots) open?.fds.forEach(closeSocket);
    this.#slots.fill(undefined);
  }

  async #acquire(tunnel: TunnelConfig, family: 4 | 6): Promise<Endpoint> {
    const key = keyOf(tunnel, family);
    const known = this.#slots.find((slot) => slot?.key === key);
    if (known !== undefined) {
      checkShared(known, tunnel);
      known.tunnels += 1;
      return known;
    }
    const id = this.#slots.indexOf(undefined);
    if (id < 0) {
      throw new VtepError(
        'ERR_LIMIT',
        `Cannot use more than ${this.#slots.length} local addresses and ports`,
      );
    }
    const opened = this.#portable
      ? await this.#openPortable(id, tunnel, family)
      : await this.#openFast(id, tunnel, family);
    const { zeroChecksum6Rx } = tunnel.outer;
    const more = { key, first: tunnel.name, zeroChecksum: zeroChecksum6Rx };
    this.#slots[id] = { ...opened, ...more, tunnels: 1, listening: false };
    return this.#slots[id];
  }

  async #openFast(id: number, tunnel: TunnelConfig, family: 4 | 6): Promise<Endpoint> {
    const { port } = tunnel;
    const address = localAddress(tunnel, family);
    const { link: device, zeroChecksum6Rx: zeroChecksum } = tunnel.outer;
    const target = { family, address, port, scope: scopeOf(localOf(tunnel, family)), device };
    const options = { ...target, gro: this.#wantsOffload(tunnel, family), zeroChecksum };
    const fds: number[] = [];
    try {
      // With SO_REUSEPORT a second daemon would get half of the traffic in silence.
      assertPortFree(target);
      let gro = true;
      for (let worker = 0; worker < this.#workers.count; worker += 1) {
        const receive = openReceiveSocket({ ...options, reusePort: true });
        fds.push(receive.fd);
        gro &&= receive.gro;
        if (worker === 0) this.#adviseBuffer(receive.bufferBytes);
      }
      await this.#workers.all((worker) => {
        return { type: 'open-endpoint', endpoint: id, receiveFd: fds[worker]! };
      });
      return { id, family, address, port, gro, fds };
    } catch (error) {
      await this.#forget(id);
      fds.forEach(closeSocket);
      throw error;
    }
  }

  async #openPortable(id: number, tunnel: TunnelConfig, family: 4 | 6): Promise<Endpoint> {
    const { port } = tunnel;
    const address = localAddress(tunnel, family);
    assertPortFree({ family, address, port, scope: scopeOf(localOf(tunnel, family)) });
    const portable = { family, address: localText(tunnel, family), port };
    try {
      await this.#workers.all(() => ({ type: 'open-endpoint', endpoint: id, portable }));
    } catch (error) {
      await this.#forget(id);
      throw error;
    }
    return { id, family, address, port, gro: false, fds: [] };
  }

  /** Closes it in all workers, also when only some could open it. */
  async #forget(id: number): Promise<void> {
    await this.#workers.all(() => ({ type: 'close-endpoint', endpoint: id }));
  }

  /** True when any tunnel of this endpoint does; one that does not is held to single datagrams by its row. */
  #wantsOffload(tunnel: TunnelConfig, family: 4 | 6): boolean {
    const key = keyOf(tunnel, family);
    const others = [tunnel, ...this.#config.tunnels];
    return others.some(
      (other) =>
        other.offload === 'auto' && other.families.includes(family) && keyOf(other, family) === key,
    );
  }

  #adviseBuffer(granted: number): void {
    if (granted >= RECEIVE_BUFFER_BYTES) return;
    this.#log.warn('small receive buffer', {
      bytes: granted,
      hint: `sysctl -w net.core.rmem_max=${RECEIVE_BUFFER_BYTES}, or give the daemon CAP_NET_ADMIN`,
    });
  }
}

/** What is a property of the socket, tunnels that share it must agree on. */
function checkShared(open: Open, tunnel: TunnelConfig): void {
  if (open.family === 4 || open.zeroChecksum === tunnel.outer.zeroChecksum6Rx) return;
  throw new VtepError(
    'ERR_CONFIG',
    `Cannot open "${tunnel.name}" beside "${open.first}": they share the socket of port ${open.port} ` +
      'and disagree on zero-udp6-rx',
    { hint: 'give both the same "checksums", or different ports' },
  );
}

function keyOf(tunnel: TunnelConfig, family: 4 | 6): string {
  const address = formatIp(localAddress(tunnel, family));
  const scope = scopeOf(localOf(tunnel, family));
  return `${family} ${address} ${scope} ${tunnel.port} ${tunnel.outer.link ?? ''}`;
}
