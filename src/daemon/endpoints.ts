/** Underlay endpoints: the sockets of one local address and port, shared by all tunnels that use it. */
import { VtepError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Config, TunnelConfig } from '../config/config.ts';
import {
  assertPortFree,
  closeSocket,
  openReceiveSocket,
  openTransmitSocket,
  probeSegmentation,
  RECEIVE_BUFFER_BYTES,
  type ReceiveSocket,
  shareTransmitPort,
  type TransmitSocket,
  type TransmitSocketOptions,
} from '../linux/udp-socket.ts';
import { formatIp, parseIp } from '../wire/ip.ts';
import { anyAddress, scopeOf } from './egress.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface Endpoint {
  readonly id: number;
  readonly family: 4 | 6;
  readonly address: Uint8Array;
  readonly port: number;
  /** UDP_SEGMENT is used. */
  readonly gso: boolean;
  /** UDP_GRO is used. */
  readonly gro: boolean;
}

interface Open extends Endpoint {
  readonly key: string;
  readonly fds: readonly number[];
  tunnels: number;
  listening: boolean;
}

export class Endpoints {
  readonly #config: Config;
  readonly #portable: boolean;
  readonly #workers: WorkerPool;
  readonly #log: Logger;
  readonly #slots: (Open | undefined)[];
  #nextSourcePort: number;

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
    // Two daemons on a host, in namespaces of one address, say, should not begin with the same port.
    const { low, high } = config.sourcePorts;
    this.#nextSourcePort = low + (process.pid % (high - low + 1));
  }

  /** The endpoint of a tunnel, its sockets opened in every worker if no tunnel had it yet. */
  async acquire(tunnel: TunnelConfig): Promise<Endpoint> {
    const address = addressOf(tunnel);
    const key = keyOf(tunnel);
    const known = this.#slots.find((slot) => slot?.key === key);
    if (known !== undefined) {
      known.tunnels += 1;
      return known;
    }
    const id = this.#slots.indexOf(undefined);
    if (id < 0)
      throw new VtepError(
        'ERR_LIMIT',
        `Cannot use more than ${this.#slots.length} local addresses and ports`,
      );
    const opened = this.#portable
      ? await this.#openPortable(id, tunnel, address)
      : await this.#openFast(id, tunnel, address);
    this.#slots[id] = { ...opened, key, tunnels: 1, listening: false };
    return opened;
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

  async release(endpoint: Endpoint): Promise<void> {
    const open = this.#slots[endpoint.id]!;
    open.tunnels -= 1;
    if (open.tunnels > 0) return;
    await this.#workers.all(() => ({ type: 'close-endpoint', endpoint: open.id }));
    this.#slots[open.id] = undefined;
    open.fds.forEach(closeSocket);
  }

  /** Takes an endpoint that not all could open from those workers that did. */
  async #forget(id: number): Promise<void> {
    await this.#workers.all(() => ({ type: 'close-endpoint', endpoint: id }));
  }

  /** Closes every descriptor, after the workers have stopped. */
  closeAll(): void {
    for (const open of this.#slots) open?.fds.forEach(closeSocket);
    this.#slots.fill(undefined);
  }

  async #openFast(
    id: number,
    tunnel: TunnelConfig,
    address: Uint8Array,
  ): Promise<Omit<Open, 'key' | 'tunnels' | 'listening'>> {
    const { family, port } = tunnel;
    const source = { family, address, scope: scopeOf(tunnel.local) };
    const offload = this.#wantsOffload(tunnel);
    const firstLane = this.#firstLane(id);
    const fds: number[] = [];
    try {
      // With SO_REUSEPORT a second daemon would get half of the traffic in silence.
      assertPortFree({ ...source, port });
      const sockets: { receive: ReceiveSocket; transmitFds: number[] }[] = [];
      let sourcePorts: readonly number[] | undefined;
      for (let worker = 0; worker < this.#workers.count; worker += 1) {
        const receive = openReceiveSocket({ ...source, port, gro: offload, reusePort: true });
        fds.push(receive.fd);
        if (worker === 0) this.#adviseBuffer(receive.bufferBytes);
        const pool = this.#openPool(source, sourcePorts);
        fds.push(...pool.map(({ fd }) => fd));
        sourcePorts ??= pool.map((socket) => socket.port);
        sockets.push({ receive, transmitFds: pool.map(({ fd }) => fd) });
      }
      const gro = sockets.every(({ receive }) => receive.gro);
      const gso = offload && sockets.every(({ transmitFds }) => probeSegmentation(transmitFds[0]!));
      await this.#workers.all((worker) => {
        const { receive, transmitFds } = sockets[worker]!;
        const fast = { receiveFd: receive.fd, transmitFds, segmentation: gso };
        return { type: 'open-endpoint', endpoint: id, family, firstLane, fast };
      });
      return { id, family, address, port, gso, gro, fds };
    } catch (error) {
      await this.#forget(id);
      fds.forEach(closeSocket);
      throw error;
    }
  }

  async #openPortable(
    id: number,
    tunnel: TunnelConfig,
    address: Uint8Array,
  ): Promise<Omit<Open, 'key' | 'tunnels' | 'listening'>> {
    const { family, port } = tunnel;
    assertPortFree({ family, address, port, scope: scopeOf(tunnel.local) });
    const portable = {
      address: tunnel.local?.text ?? anyAddress(family),
      port,
      sourcePorts: [this.#config.sourcePorts.low, this.#config.sourcePorts.high] as const,
    };
    const firstLane = this.#firstLane(id);
    try {
      await this.#workers.all(() => ({
        type: 'open-endpoint',
        endpoint: id,
        family,
        firstLane,
        portable,
      }));
    } catch (error) {
      await this.#forget(id);
      throw error;
    }
    return { id, family, address, port, gso: false, gro: false, fds: [] };
  }

  /**
   * The transmit sockets of one worker. Every worker has the same ports, `ports` once the first has found
   * them: the kernel may move a flow to another worker, and its source port must stay what it is.
   */
  #openPool(source: TransmitSource, ports: readonly number[] | undefined): TransmitSocket[] {
    const pool: TransmitSocket[] = [];
    try {
      while (pool.length < this.#config.transmitSockets) {
        const known = ports?.[pool.length];
        pool.push(known === undefined ? this.#openFirst(source) : openSharing(source, known));
      }
      return pool;
    } catch (error) {
      for (const { fd } of pool) closeSocket(fd);
      throw error;
    }
  }

  #openFirst(source: TransmitSource): TransmitSocket {
    const { low, high } = this.#config.sourcePorts;
    const start = this.#nextSourcePort;
    const socket = openTransmitSocket({ ...source, ports: [low, high], start });
    shareTransmitPort(socket.fd);
    this.#nextSourcePort = socket.port === high ? low : socket.port + 1;
    return socket;
  }

  /** True when any tunnel of this endpoint does; one that does not is held to single datagrams by its row. */
  #wantsOffload(tunnel: TunnelConfig): boolean {
    // One that is added at run time is not in the configuration.
    if (tunnel.offload === 'auto') return true;
    const key = keyOf(tunnel);
    return this.#config.tunnels.some((other) => other.offload === 'auto' && keyOf(other) === key);
  }

  #firstLane(id: number): number {
    return id * this.#config.transmitSockets;
  }

  #adviseBuffer(granted: number): void {
    if (granted >= RECEIVE_BUFFER_BYTES) return;
    this.#log.warn('small receive buffer', {
      bytes: granted,
      hint: `sysctl -w net.core.rmem_max=${RECEIVE_BUFFER_BYTES}, or give the daemon CAP_NET_ADMIN`,
    });
  }
}

type TransmitSource = Pick<TransmitSocketOptions, 'family' | 'address' | 'scope'>;

function openSharing(source: TransmitSource, port: number): TransmitSocket {
  return openTransmitSocket({ ...source, ports: [port, port], reusePort: true });
}

function addressOf(tunnel: TunnelConfig): Uint8Array {
  return tunnel.local?.bytes ?? parseIp(anyAddress(tunnel.family))!;
}

function keyOf(tunnel: TunnelConfig): string {
  return `${formatIp(addressOf(tunnel))} ${scopeOf(tunnel.local)} ${tunnel.port}`;
}
