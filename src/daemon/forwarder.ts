/**
 * One worker's data path, put together: descriptors that become readable, batches through the
 * forwarding core, batches out. Everything is allocated here, once.
 */
import { monotonicSeconds } from '../base/clock.ts';
import { Answers } from '../dataplane/answers.ts';
import type { UnderlaySender } from '../dataplane/devices.ts';
import { Receiver } from '../dataplane/receive.ts';
import { SEGMENT_HEADER_AREA_BYTES, Segmenter } from '../dataplane/segment.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { Transmitter } from '../dataplane/transmit.ts';
import { VniMap } from '../dataplane/vni-map.ts';
import { FastReceiver } from '../linux/fast-receiver.ts';
import { FastSender } from '../linux/fast-sender.ts';
import { mapArena } from '../linux/memory.ts';
import { watchReadable, type Watch } from '../linux/poll.ts';
import { PortableUnderlay } from '../linux/portable-underlay.ts';
import { TapReader, TapWriter } from '../linux/tap-queue.ts';
import { ArenaAllocator } from '../packet/arena.ts';
import { DatagramBatch } from '../packet/datagram-batch.ts';
import { DeliveryPlan } from '../packet/delivery-plan.ts';
import { FrameBatch } from '../packet/frame-batch.ts';
import { SEGMENTS_MAX, TransmitPlan } from '../packet/transmit-plan.ts';
import { Losses } from './losses.ts';
import type { EndpointCommand, TunnelCommand, WorkerOptions } from './worker-protocol.ts';

const FRAMES = 64;
const DATAGRAMS = 64;
const MESSAGES = 256;
const DELIVERIES = 256;
const DELIVERY_IOVECS = 4096;
/** Batches of one descriptor before the others get their turn. */
const ROUNDS = 4;
const NO_LANES = -1;
const NO_FD = -1;

/** What the forwarder tells the thread around it. */
export interface ForwarderEvents {
  lost(what: 'tunnel' | 'endpoint', index: number, errno: number): void;
  fault(error: unknown): void;
}

export class Forwarder {
  readonly #options: WorkerOptions;
  readonly #tables: SharedTables;
  readonly #events: ForwarderEvents;
  readonly #frames: FrameBatch;
  readonly #datagrams: DatagramBatch;
  readonly #plan: TransmitPlan;
  readonly #transmitter: Transmitter;
  readonly #receiver: Receiver;
  readonly #tapReader: TapReader;
  readonly #tapWriter: TapWriter;
  readonly #fastReceiver: FastReceiver;
  readonly #fastSender: FastSender;
  readonly #portable: PortableUnderlay;
  readonly #vnis = new Map<number, VniMap>();
  readonly #endpoints = new Map<number, EndpointCommand>();
  readonly #tunnels = new Map<number, TunnelCommand>();
  /** The queue that this worker reads, by tunnel. */
  readonly #readFds: Int32Array;
  readonly #losses: Losses;
  readonly #tapWatches = new Map<number, Watch>();
  readonly #socketWatches = new Map<number, Watch>();
  #nowSeconds = monotonicSeconds();

  constructor(options: WorkerOptions, tables: SharedTables, events: ForwarderEvents) {
    const { worker, lanesPerEndpoint } = options;
    const lanes = lanesPerEndpoint * options.endpointsMax;
    this.#options = options;
    this.#tables = tables;
    this.#events = events;
    const memory = new ArenaAllocator(mapArena(arenaBytes(tables.remotes.capacity)));
    const { arena } = memory;
    this.#frames = new FrameBatch(arena, memory.take(FrameBatch.bytesFor(FRAMES)), FRAMES);
    this.#datagrams = new DatagramBatch(
      arena,
      memory.take(DatagramBatch.bytesFor(DATAGRAMS)),
      DATAGRAMS,
    );
    this.#plan = new TransmitPlan(
      arena,
      memory.take(TransmitPlan.bytesFor(MESSAGES)),
      MESSAGES,
      lanes,
    );
    const deliveries = new DeliveryPlan(
      arena,
      memory.take(DeliveryPlan.bytesFor(DELIVERIES, DELIVERY_IOVECS)),
      DELIVERIES,
      DELIVERY_IOVECS,
    );
    const segmenter = new Segmenter(arena, memory.take(SEGMENT_HEADER_AREA_BYTES));
    this.#readFds = new Int32Array(tables.tunnels.capacity).fill(NO_FD);
    this.#tapReader = new TapReader(this.#frames);
    this.#tapWriter = new TapWriter(tables.tunnels.capacity);
    this.#fastReceiver = new FastReceiver(memory, this.#datagrams);
    this.#fastSender = new FastSender(memory, tables.remotes, lanes);
    const losses = new Losses(worker, tables, options.endpointsMax);
    this.#losses = losses;
    this.#portable = new PortableUnderlay(this.#datagrams, tables.remotes, lanes, {
      received: (endpoint) => this.#onDatagrams(endpoint),
      refused: (tunnel, remote, bytes, code) => losses.unsent(tunnel, remote, bytes, code),
    });
    const sender: UnderlaySender = options.portable ? this.#portable : this.#fastSender;
    this.#transmitter = new Transmitter(
      worker,
      tables,
      this.#plan,
      segmenter,
      sender,
      lanesPerEndpoint,
      new Answers(worker, tables.counters, arena, memory.take(Answers.bytes), this.#tapWriter),
    );
    this.#receiver = new Receiver(worker, tables, deliveries, this.#tapWriter);
  }

  async openEndpoint(command: EndpointCommand): Promise<void> {
    const { endpoint, family, firstLane, fast, portable } = command;
    if (fast !== undefined) {
      fast.transmitFds.forEach((fd, index) => {
        this.#fastSender.setLane(firstLane + index, fd, family);
        this.#plan.laneSegments[firstLane + index] = fast.segmentation ? SEGMENTS_MAX : 1;
      });
    } else {
      const lanes = this.#options.lanesPerEndpoint;
      await this.#portable.open(endpoint, { family, firstLane, lanes, ...portable! });
    }
    this.#vnis.set(endpoint, new VniMap());
    this.#endpoints.set(endpoint, command);
    this.#losses.reset(endpoint);
  }

  /** Receives from now on: the tunnels of the endpoint are open. */
  listen(endpoint: number): void {
    const fd = this.#endpoints.get(endpoint)?.fast?.receiveFd;
    if (fd === undefined) {
      this.#portable.listen(endpoint);
      return;
    }
    const vnis = this.#vnis.get(endpoint)!;
    const onError = (): void => this.#lose('endpoint', endpoint, 0);
    const watch = watchReadable(fd, () => this.#onSocket(endpoint, fd, vnis), onError);
    this.#socketWatches.set(endpoint, watch);
  }

  closeEndpoint(endpoint: number): void {
    this.#socketWatches.get(endpoint)?.close();
    this.#socketWatches.delete(endpoint);
    const command = this.#endpoints.get(endpoint);
    command?.fast?.transmitFds.forEach((_, index) =>
      this.#fastSender.clearLane(command.firstLane + index),
    );
    if (command?.portable !== undefined) this.#portable.close(endpoint);
    this.#endpoints.delete(endpoint);
    this.#vnis.delete(endpoint);
  }

  openTunnel(command: TunnelCommand): void {
    const { tunnel, vni, readFd, writeFd, endpoint } = command;
    const { family, firstLane } = this.#endpoints.get(endpoint)!;
    this.#tunnels.set(tunnel, command);
    this.#transmitter.lanes4[tunnel] = family === 4 ? firstLane : NO_LANES;
    this.#transmitter.lanes6[tunnel] = family === 6 ? firstLane : NO_LANES;
    this.#tapWriter.set(tunnel, writeFd);
    this.#vnis.get(endpoint)!.set(vni, tunnel);
    if (readFd === NO_FD) return;
    this.#readFds[tunnel] = readFd;
    const onError = (): void => this.#lose('tunnel', tunnel, 0);
    this.#tapWatches.set(
      tunnel,
      watchReadable(readFd, () => this.#onTap(tunnel, readFd), onError),
    );
  }

  closeTunnel(tunnel: number): void {
    const command = this.#tunnels.get(tunnel);
    if (command === undefined) return;
    this.#tapWatches.get(tunnel)?.close();
    this.#tapWatches.delete(tunnel);
    this.#readFds[tunnel] = NO_FD;
    this.#vnis.get(command.endpoint)?.delete(command.vni);
    this.#tapWriter.clear(tunnel);
    this.#tunnels.delete(tunnel);
  }

  /** Several times a second: the coarse clock. */
  tick(): void {
    this.#nowSeconds = monotonicSeconds();
  }

  /** Once a second: what ICMP left behind on the transmit sockets. */
  drainErrors(): void {
    this.#fastSender.drainErrors();
  }

  stop(): void {
    for (const tunnel of [...this.#tunnels.keys()]) this.closeTunnel(tunnel);
    for (const endpoint of [...this.#endpoints.keys()]) this.closeEndpoint(endpoint);
  }

  #onTap(tunnel: number, fd: number): void {
    const { grace } = this.#tables;
    const { worker } = this.#options;
    grace.enter(worker);
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        this.#forward(tunnel, fd);
        if (this.#tapReader.drained) break;
      }
    } catch (error) {
      this.#fault(error);
    }
    grace.leave(worker);
    if (this.#tapReader.errno !== 0) this.#lose('tunnel', tunnel, this.#tapReader.errno);
  }

  /** One batch from the TAP to the underlay. */
  #forward(tunnel: number, fd: number): void {
    const count = this.#tapReader.read(fd);
    const { refused } = this.#tapReader;
    if (refused > 0) this.#losses.unread(tunnel, refused);
    if (count > 0) this.#transmitter.transmit(this.#frames, tunnel, this.#nowSeconds);
  }

  /**
   * What was delivered is often answered before writev() returns (acknowledgements, echo replies), and the
   * device queues answers where their flow came from: they are sent without waiting for the event loop.
   */
  #takeAnswers(tunnel: number): void {
    const fd = tunnel < 0 ? NO_FD : this.#readFds[tunnel]!;
    if (fd !== NO_FD) this.#forward(tunnel, fd);
  }

  #onSocket(endpoint: number, fd: number, vnis: VniMap): void {
    const { grace } = this.#tables;
    const { worker } = this.#options;
    grace.enter(worker);
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        if (this.#fastReceiver.receive(fd) === 0) break;
        const lost = this.#fastReceiver.overflow;
        if (lost !== 0) this.#losses.overflow(endpoint, lost);
        this.#receiver.receive(this.#datagrams, vnis, this.#nowSeconds);
        this.#takeAnswers(this.#receiver.newestTunnel);
        if (this.#fastReceiver.drained) break;
      }
    } catch (error) {
      this.#fault(error);
    }
    grace.leave(worker);
    const { errno } = this.#fastReceiver;
    if (errno !== 0) this.#lose('endpoint', endpoint, errno);
  }

  /** The portable underlay's datagrams lie in the batch already. */
  #onDatagrams(endpoint: number): void {
    const vnis = this.#vnis.get(endpoint);
    if (vnis === undefined) return;
    const { grace } = this.#tables;
    grace.enter(this.#options.worker);
    try {
      this.#receiver.receive(this.#datagrams, vnis, this.#nowSeconds);
    } catch (error) {
      this.#fault(error);
    }
    grace.leave(this.#options.worker);
  }

  /** A descriptor that reports an error is not watched any more: it would report for ever. */
  #lose(what: 'tunnel' | 'endpoint', index: number, errno: number): void {
    const watches = what === 'tunnel' ? this.#tapWatches : this.#socketWatches;
    watches.get(index)?.close();
    watches.delete(index);
    if (what === 'tunnel') this.#readFds[index] = NO_FD;
    this.#events.lost(what, index, errno);
  }

  /** A bug of ours must neither stop the daemon nor be silent: the batch is dropped, the next one tried. */
  #fault(error: unknown): void {
    this.#transmitter.discard();
    this.#receiver.discard();
    this.#events.fault(error);
  }
}

function arenaBytes(remotes: number): number {
  return (
    FrameBatch.bytesFor(FRAMES) +
    DatagramBatch.bytesFor(DATAGRAMS) +
    TransmitPlan.bytesFor(MESSAGES) +
    DeliveryPlan.bytesFor(DELIVERIES, DELIVERY_IOVECS) +
    SEGMENT_HEADER_AREA_BYTES +
    Answers.bytes +
    FastReceiver.bytesFor(DATAGRAMS) +
    FastSender.bytesFor(remotes) +
    4096
  );
}
