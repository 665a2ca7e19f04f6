/**
 * The underlay over node:dgram: one send per datagram, no segmentation, no merging.
 *
 * It is the reference implementation: what runs where the fast calls are missing, and what the fast
 * one is compared with. node:dgram knows neither TOS nor DF: ECN is not carried, and the kernel may
 * fragment a datagram that is larger than the path (IP_PMTUDISC_WANT), against RFC 7348 section 4.3.
 * Where that matters use the fast one.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { Arena } from '../packet/arena.ts';
import { ADDRESS_BYTES, type DatagramBatch } from '../packet/datagram-batch.ts';
import { IOVEC_BYTES, iovecAddress, iovecLength } from '../packet/iovec.ts';
import { NO_MESSAGE, SEND_UNREACHABLE, SENT, type TransmitPlan } from '../packet/transmit-plan.ts';
import { formatIp, parseIp } from '../wire/ip.ts';
import type { RemoteAddresses } from './message-stage.ts';
import { segmentIovecs } from './segment-iovecs.ts';

/** An address to bind to. */
interface PortableAddress {
  readonly family: 4 | 6;
  /** Text form, with `%interface` when link-local; the unspecified address for all. */
  readonly address: string;
}

export interface PortableEndpoint extends PortableAddress {
  readonly port: number;
}

export interface PortablePool extends PortableAddress {
  readonly sourcePorts: readonly [number, number];
  readonly firstLane: number;
  readonly lanes: number;
  /** TTL or hop limit of all datagrams, 0 for the system's. */
  readonly ttl: number;
}

export interface PortableEvents {
  /** The batch holds datagrams of `endpoint`; it is given back on return. */
  received(endpoint: number): void;
  /** The kernel refused a datagram that send() had handed over as sent; `code` is one like ENETUNREACH. */
  refused(tunnel: number, remote: number, bytes: number, code: string): void;
}

/** What the kernel is asked for; it grants no more than net.core.rmem_max and wmem_max. */
const BUFFER_BYTES = 8 << 20;

export class PortableUnderlay {
  readonly #arena: Arena;
  readonly #batch: DatagramBatch;
  readonly #addresses: RemoteAddresses;
  readonly #events: PortableEvents;
  readonly #lanes: (Socket | undefined)[];
  readonly #pools = new Map<number, Socket[]>();
  readonly #receivers = new Map<number, Socket>();
  #pending = -1;
  #scheduled = false;

  constructor(
    batch: DatagramBatch,
    addresses: RemoteAddresses,
    lanes: number,
    events: PortableEvents,
  ) {
    this.#arena = batch.arena;
    this.#batch = batch;
    this.#addresses = addresses;
    this.#events = events;
    this.#lanes = new Array<Socket | undefined>(lanes).fill(undefined);
  }

  /** Binds a receive socket; rejects with the socket's own error. */
  async open(id: number, endpoint: PortableEndpoint): Promise<void> {
    this.#receivers.set(id, await bound(endpoint, endpoint.port));
  }

  /** Binds a pool of transmit sockets; rejects with the socket's own error. */
  async openPool(id: number, pool: PortablePool): Promise<void> {
    const sockets: Socket[] = [];
    this.#pools.set(id, sockets);
    let port = pool.sourcePorts[0];
    for (let lane = 0; lane < pool.lanes; lane += 1) {
      const socket = await nextFree(pool, port);
      sockets.push(socket);
      if (pool.ttl > 0) socket.setTTL(pool.ttl);
      port = socket.address().port + 1;
      this.#lanes[pool.firstLane + lane] = socket;
    }
  }

  /** Receives from now on; what came before is lost. */
  listen(id: number): void {
    this.#receivers.get(id)?.on('message', (payload, from) => this.#take(id, payload, from));
  }

  close(id: number): void {
    this.#receivers.get(id)?.close();
    this.#receivers.delete(id);
  }

  closePool(id: number): void {
    for (const socket of this.#pools.get(id) ?? []) {
      const lane = this.#lanes.indexOf(socket);
      if (lane >= 0) this.#lanes[lane] = undefined;
      socket.close();
    }
    this.#pools.delete(id);
  }

  send(plan: TransmitPlan): void {
    for (let index = 0; index < plan.activeLaneCount; index += 1) {
      const lane = plan.activeLanes[index]!;
      for (let message = plan.head[lane]!; message !== NO_MESSAGE; message = plan.next[message]!) {
        plan.result[message] = this.#sendMessage(plan, message, this.#lanes[lane]);
      }
    }
  }

  #sendMessage(plan: TransmitPlan, message: number, socket: Socket | undefined): number {
    if (socket === undefined) return SEND_UNREACHABLE;
    const { view, bytes, base } = this.#arena;
    const tunnel = plan.tunnel[message]!;
    const remote = plan.remote[message]!;
    const address = this.#addressText(remote);
    let iovec = plan.iovecOffset[message]!;
    let left = plan.iovecs[message]!;
    for (let segment = 0; segment < plan.segments[message]!; segment += 1) {
      const iovecs = segmentIovecs(view, iovec, plan.segmentBytes[message]!, left);
      const parts: Uint8Array[] = [];
      for (let index = 0; index < iovecs; index += 1) {
        const at = iovec + index * IOVEC_BYTES;
        const start = iovecAddress(view, at) - base;
        parts.push(bytes.subarray(start, start + iovecLength(view, at)));
      }
      // The socket sends later, when the slots hold other frames: it gets a copy.
      const datagram = Buffer.concat(parts);
      socket.send(datagram, this.#addresses.port(remote), address, (error) => {
        if (error === null) return;
        const code = (error as NodeJS.ErrnoException).code ?? '';
        this.#events.refused(tunnel, remote, datagram.length, code);
      });
      iovec += iovecs * IOVEC_BYTES;
      left -= iovecs;
    }
    return SENT;
  }

  #addressText(remote: number): string {
    const text = formatIp(this.#addresses.bytes, this.#addresses.addressOffset(remote));
    const scope = this.#addresses.scope(remote);
    return scope === 0 ? text : `${text}%${scope}`;
  }

  #take(id: number, payload: Buffer, from: RemoteInfo): void {
    const batch = this.#batch;
    if (batch.count > 0 && (this.#pending !== id || batch.count === batch.capacity)) this.#hand();
    const address = parseIp(from.address.replace(/%.*$/, ''));
    if (address === undefined) return;
    const index = batch.count;
    this.#arena.bytes.set(payload, batch.offsets[index]);
    batch.lengths[index] = payload.length;
    batch.strides[index] = 0;
    batch.tos[index] = 0;
    batch.sources.set(address, index * ADDRESS_BYTES);
    batch.count = index + 1;
    this.#pending = id;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#hand();
    });
  }

  #hand(): void {
    if (this.#batch.count > 0) this.#events.received(this.#pending);
    this.#batch.count = 0;
  }
}

async function nextFree(pool: PortablePool, first: number): Promise<Socket> {
  for (let port = first; port < pool.sourcePorts[1]; port += 1) {
    try {
      return await bound(pool, port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  return bound(pool, pool.sourcePorts[1]);
}

function bound(endpoint: PortableAddress, port: number): Promise<Socket> {
  const socket = createSocket({
    type: endpoint.family === 4 ? 'udp4' : 'udp6',
    ipv6Only: endpoint.family === 6,
    recvBufferSize: BUFFER_BYTES,
    sendBufferSize: BUFFER_BYTES,
  });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: endpoint.address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      // An ICMP error of one remote must not end the socket.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
