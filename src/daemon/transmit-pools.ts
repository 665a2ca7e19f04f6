/** Transmit sockets: the pools that tunnels with equal needs share. */
import { VtepError } from '../base/errors.ts';
import type { Config, TunnelConfig } from '../config/config.ts';
import type { Fragmentation, OuterSocketOptions } from '../linux/transmit-options.ts';
import {
  closeSocket,
  openTransmitSocket,
  probeSegmentation,
  shareTransmitPort,
  type TransmitSocket,
  type TransmitSocketOptions,
} from '../linux/udp-socket.ts';
import { formatIp } from '../wire/ip.ts';
import { localAddress, localOf, localText, scopeOf } from './egress.ts';
import type { WorkerPool } from './worker-pool.ts';

/** The sockets of every worker that send from one address in one way. */
export interface TransmitPool {
  readonly id: number;
  readonly family: 4 | 6;
  readonly firstLane: number;
  /** UDP_SEGMENT is used. */
  readonly gso: boolean;
  /** Its descriptors, in all workers; none with the portable underlay. */
  readonly fds: readonly number[];
}

/** Where the datagrams of a tunnel leave from; undefined where its underlay does not speak the family. */
export interface TunnelPools {
  readonly four?: TransmitPool;
  /** For frames without DF, where DF is inherited; node and kernel set it per socket only. */
  readonly fourWithoutDf?: TransmitPool;
  readonly six?: TransmitPool;
}

interface Open extends TransmitPool {
  readonly key: string;
  users: number;
}

type TransmitSource = Pick<
  TransmitSocketOptions,
  'family' | 'address' | 'scope' | 'device' | 'outer'
>;

export class TransmitPools {
  readonly #config: Config;
  readonly #portable: boolean;
  readonly #workers: WorkerPool;
  readonly #slots: (Open | undefined)[];
  #nextSourcePort: number;

  constructor(config: Config, portable: boolean, workers: WorkerPool, capacity: number) {
    this.#config = config;
    this.#portable = portable;
    this.#workers = workers;
    this.#slots = new Array<Open | undefined>(capacity).fill(undefined);
    // Two daemons on a host, in namespaces of one address, say, should not begin with the same port.
    const { low, high } = config.sourcePorts;
    this.#nextSourcePort = low + (process.pid % (high - low + 1));
  }

  /** The pools of a tunnel, opened in every worker where no other tunnel needs the same; all or none. */
  async acquire(tunnel: TunnelConfig): Promise<TunnelPools> {
    const { dontFragment, fragment } = tunnel.outer;
    const withoutDf: Fragmentation = fragment ? 'fragment' : 'unset';
    const usual = dontFragment === 'unset' ? withoutDf : 'set';
    // Over IPv6 there is no DF: what may be fragmented, is.
    const usual6 = fragment ? 'fragment' : 'set';
    const pools: { -readonly [Name in keyof TunnelPools]: TransmitPool } = {};
    try {
      if (tunnel.families.includes(4)) {
        pools.four = await this.#acquire(tunnel, 4, usual);
        if (dontFragment === 'inherit') {
          pools.fourWithoutDf = await this.#acquire(tunnel, 4, withoutDf);
        }
      }
      if (tunnel.families.includes(6)) pools.six = await this.#acquire(tunnel, 6, usual6);
      return pools;
    } catch (error) {
      await this.release(pools);
      throw error;
    }
  }

  async release(pools: TunnelPools): Promise<void> {
    for (const { id } of poolsOf(pools)) {
      const open = this.#slots[id]!;
      open.users -= 1;
      if (open.users > 0) continue;
      await this.#workers.all(() => ({ type: 'close-pool', pool: id }));
      this.#slots[id] = undefined;
      open.fds.forEach(closeSocket);
    }
  }

  /** Closes every descriptor, after the workers have stopped. */
  closeAll(): void {
    for (const open of this.#slots) open?.fds.forEach(closeSocket);
    this.#slots.fill(undefined);
  }

  async #acquire(
    tunnel: TunnelConfig,
    family: 4 | 6,
    fragmentation: Fragmentation,
  ): Promise<TransmitPool> {
    const outer = socketOptions(tunnel, family, fragmentation);
    const key = this.#keyOf(tunnel, family, outer);
    const known = this.#slots.find((slot) => slot?.key === key);
    if (known !== undefined) {
      known.users += 1;
      return known;
    }
    const id = this.#slots.indexOf(undefined);
    if (id < 0) {
      const most = this.#slots.length;
      throw new VtepError(
        'ERR_LIMIT',
        `Cannot open transmit sockets for "${tunnel.name}": there are ${most} different pools`,
        { hint: 'give tunnels the same local address and the same outer header options' },
      );
    }
    const open = this.#portable
      ? await this.#openPortable(id, key, tunnel, family)
      : await this.#openFast(id, key, tunnel, family, outer);
    this.#slots[id] = open;
    return open;
  }

  async #openFast(
    id: number,
    key: string,
    tunnel: TunnelConfig,
    family: 4 | 6,
    outer: OuterSocketOptions,
  ): Promise<Open> {
    const local = localOf(tunnel, family);
    const address = localAddress(tunnel, family);
    const device = tunnel.outer.link;
    const source = { family, address, scope: scopeOf(local), device, outer };
    const firstLane = id * this.#config.transmitSockets;
    const fds: number[] = [];
    try {
      const pools: number[][] = [];
      let sourcePorts: readonly number[] | undefined;
      for (let worker = 0; worker < this.#workers.count; worker += 1) {
        const pool = this.#openPool(source, sourcePorts);
        sourcePorts ??= pool.map(({ port }) => port);
        pools.push(pool.map(({ fd }) => fd));
        fds.push(...pools[worker]!);
      }
      // UDP_SEGMENT refuses sockets without checksum, and segments larger than the path.
      const canSegment = outer.checksum && outer.fragmentation !== 'fragment';
      const gso = canSegment && pools.every(([fd]) => probeSegmentation(fd!));
      const fourBytes = new DataView(address.buffer, address.byteOffset).getInt32(12);
      await this.#workers.all((worker) => ({
        type: 'open-pool',
        pool: id,
        family,
        firstLane,
        fast: {
          fds: pools[worker]!,
          segmentation: gso,
          source: family === 4 ? fourBytes : 0,
        },
      }));
      return { id, family, key, firstLane, gso, fds, users: 1 };
    } catch (error) {
      await this.#forget(id);
      fds.forEach(closeSocket);
      throw error;
    }
  }

  async #openPortable(id: number, key: string, tunnel: TunnelConfig, family: 4 | 6): Promise<Open> {
    const { low, high } = this.#config.sourcePorts;
    const { ttl } = tunnel.outer;
    const firstLane = id * this.#config.transmitSockets;
    const portable = {
      address: localText(tunnel, family),
      sourcePorts: [low, high] as const,
      ttl: typeof ttl === 'number' ? ttl : 0,
    };
    try {
      await this.#workers.all(() => ({ type: 'open-pool', pool: id, family, firstLane, portable }));
    } catch (error) {
      await this.#forget(id);
      throw error;
    }
    return { id, family, key, firstLane, gso: false, fds: [], users: 1 };
  }

  /** Takes a pool that not all could open from those workers that did. */
  async #forget(id: number): Promise<void> {
    await this.#workers.all(() => ({ type: 'close-pool', pool: id }));
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

  /** The TTL of multicast is a property of the socket, and where the portable underlay sends, every TTL. */
  #keyOf(tunnel: TunnelConfig, family: 4 | 6, outer: OuterSocketOptions): string {
    const address = formatIp(localAddress(tunnel, family));
    const { fragmentation, checksum, autoFlowLabel } = outer;
    const { link = '', ttl } = tunnel.outer;
    const parts = [address, scopeOf(localOf(tunnel, family)), link, fragmentation, checksum];
    const hops = tunnel.group?.family === family ? tunnel.multicastTtl : '';
    return [...parts, autoFlowLabel, this.#portable ? ttl : '', hops].join(' ');
  }
}

/** Every pool there is. */
export function poolsOf({ four, fourWithoutDf, six }: TunnelPools): TransmitPool[] {
  return [four, fourWithoutDf, six].filter((pool) => pool !== undefined);
}

function socketOptions(
  { outer }: TunnelConfig,
  family: 4 | 6,
  fragmentation: Fragmentation,
): OuterSocketOptions {
  return {
    fragmentation,
    checksum: family === 4 ? outer.udpChecksum : !outer.zeroChecksum6Tx,
    autoFlowLabel: family === 4 || outer.flowLabel === 'auto',
  };
}

function openSharing(source: TransmitSource, port: number): TransmitSocket {
  return openTransmitSocket({ ...source, ports: [port, port], reusePort: true });
}
