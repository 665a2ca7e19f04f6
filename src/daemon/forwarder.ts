/**
 * One worker's data path, put together: descriptors that become readable, batches through the
 * forwarding core, batches out.
 *
 * The event loop tells when something arrives after a pause. Then the forwarder serves its descriptors by
 * itself until the next pause: while frames come, a wake-up costs one system call, no callback and
 * nothing for the garbage collector.
 */
import { monotonicSeconds } from '../base/clock.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { VniMap } from '../dataplane/vni-map.ts';
import { watchReadable, type Watch } from '../linux/poll.ts';
import { DataPath } from './data-path.ts';
import { NO_FD } from './descriptors.ts';
import { Losses } from './losses.ts';
import { TransmitLanes } from './transmit-lanes.ts';
import type { EndpointCommand, TunnelCommand, WorkerOptions } from './worker-protocol.ts';

/** Batches of one descriptor before the others get their turn. */
const ROUNDS = 4;
/**
 * What is done before commands and timers get their turn, a few milliseconds to a tenth of a second: so
 * many frames and datagrams, or rounds through the descriptors that are ready.
 */
const WORK_MAX = 4096;
const TURNS_MAX = 1024;

/** What the forwarder tells the thread around it. */
export interface ForwarderEvents {
  lost(what: 'tunnel' | 'endpoint', index: number, errno: number): void;
  fault(error: unknown): void;
}

export class Forwarder {
  /** The transmit sockets of this worker. */
  readonly lanes: TransmitLanes;
  readonly #options: WorkerOptions;
  readonly #tables: SharedTables;
  readonly #events: ForwarderEvents;
  readonly #path: DataPath;
  readonly #vnis = new Map<number, VniMap>();
  readonly #endpoints = new Map<number, EndpointCommand>();
  readonly #tunnels = new Map<number, TunnelCommand>();
  readonly #watch: Watch;
  readonly #losses: Losses;
  /** Frames and datagrams since the event loop had its turn. */
  #work = 0;
  #nowSeconds = monotonicSeconds();

  constructor(options: WorkerOptions, tables: SharedTables, events: ForwarderEvents) {
    this.#options = options;
    this.#tables = tables;
    this.#events = events;
    const losses = new Losses(options.worker, tables);
    this.#losses = losses;
    this.#path = new DataPath(options, tables, {
      received: (endpoint) => this.#onDatagrams(endpoint),
      refused: (tunnel, remote, bytes, code) => losses.unsent(tunnel, remote, bytes, code),
    });
    const { plan, fastSender, portable, descriptors } = this.#path;
    this.lanes = new TransmitLanes(plan, fastSender, portable, options.lanesPerPool);
    const serve = (): void => this.#serve();
    this.#watch = watchReadable(descriptors.fd, serve, serve);
  }

  async openEndpoint(command: EndpointCommand): Promise<void> {
    const { endpoint, portable } = command;
    if (portable !== undefined) await this.#path.portable.open(endpoint, portable);
    this.#vnis.set(endpoint, new VniMap());
    this.#endpoints.set(endpoint, command);
    this.#losses.reset(endpoint);
  }

  /** Receives from now on: the tunnels of the endpoint are open. */
  listen(endpoint: number): void {
    const fd = this.#endpoints.get(endpoint)?.receiveFd;
    if (fd === undefined) {
      this.#path.portable.listen(endpoint);
      return;
    }
    this.#path.descriptors.addSocket(endpoint, fd);
  }

  closeEndpoint(endpoint: number): void {
    this.#path.descriptors.removeSocket(endpoint);
    const command = this.#endpoints.get(endpoint);
    if (command?.portable !== undefined) this.#path.portable.close(endpoint);
    this.#endpoints.delete(endpoint);
    this.#vnis.delete(endpoint);
  }

  openTunnel(command: TunnelCommand): void {
    const { tunnel, vni, readFd, writeFd } = command;
    this.#tunnels.set(tunnel, command);
    this.#path.transmitter.lanes4[tunnel] = command.lanes4;
    this.#path.transmitter.lanes4WithoutDf[tunnel] = command.lanes4WithoutDf;
    this.#path.transmitter.lanes6[tunnel] = command.lanes6;
    this.#path.tapWriter.set(tunnel, writeFd);
    for (const endpoint of command.endpoints) this.#vnis.get(endpoint)!.set(vni, tunnel);
    if (readFd !== NO_FD) this.#path.descriptors.addQueue(tunnel, readFd);
  }

  /** What of `vni` another endpoint than its own receives is the tunnel's too; NO_TUNNEL ends that. */
  attachVni(endpoint: number, vni: number, tunnel: number): void {
    this.#vnis.get(endpoint)?.set(vni, tunnel);
  }

  closeTunnel(tunnel: number): void {
    const command = this.#tunnels.get(tunnel);
    if (command === undefined) return;
    this.#path.descriptors.removeQueue(tunnel);
    for (const endpoint of command.endpoints) this.#vnis.get(endpoint)?.delete(command.vni);
    this.#path.tapWriter.clear(tunnel);
    this.#tunnels.delete(tunnel);
  }

  /** Several times a second: the coarse clock. */
  tick(): void {
    this.#nowSeconds = monotonicSeconds();
  }

  /** Once a second: what ICMP left behind on the transmit sockets. */
  drainErrors(): void {
    this.#path.fastSender.drainErrors();
  }

  stop(): void {
    for (const tunnel of [...this.#tunnels.keys()]) this.closeTunnel(tunnel);
    for (const endpoint of [...this.#endpoints.keys()]) this.closeEndpoint(endpoint);
    this.lanes.closeAll();
    this.#watch.close();
    this.#path.descriptors.close();
  }

  #serve(): void {
    const descriptors = this.#path.descriptors;
    // The portable underlay receives on the event loop, which must not wait for us.
    if (this.#options.portable) return this.#serveReady(descriptors.ready());
    this.#work = 0;
    for (let turn = 0; turn < TURNS_MAX && this.#work < WORK_MAX; turn += 1) {
      const count = descriptors.next();
      if (count <= 0) return;
      this.#serveReady(count);
    }
  }

  #serveReady(count: number): void {
    const descriptors = this.#path.descriptors;
    for (let index = 0; index < count; index += 1) {
      const tunnel = descriptors.tunnelOf(index);
      if (tunnel >= 0) this.#onTap(tunnel, descriptors.hasFailed(index));
      else this.#onSocket(descriptors.endpointOf(index), descriptors.hasFailed(index));
    }
  }

  #onTap(tunnel: number, failed: boolean): void {
    const fd = this.#path.descriptors.queue(tunnel);
    const { grace } = this.#tables;
    const { worker } = this.#options;
    grace.enter(worker);
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        this.#forward(tunnel, fd);
        if (this.#path.tapReader.drained) break;
      }
    } catch (error) {
      this.#fault(error);
    }
    grace.leave(worker);
    const { errno } = this.#path.tapReader;
    if (failed || errno !== 0) this.#lose('tunnel', tunnel, errno);
  }

  /** One batch from the TAP to the underlay. */
  #forward(tunnel: number, fd: number): void {
    const count = this.#path.tapReader.read(fd);
    const { refused } = this.#path.tapReader;
    this.#work += count;
    if (refused > 0) this.#losses.unread(tunnel, refused);
    if (count > 0) this.#path.transmitter.transmit(this.#path.frames, tunnel, this.#nowSeconds);
  }

  /**
   * What was delivered is often answered before writev() returns (acknowledgements, echo replies), and the
   * device queues answers where their flow came from: they are sent without waiting for the event loop.
   */
  #takeAnswers(tunnel: number): void {
    const fd = tunnel < 0 ? NO_FD : this.#path.descriptors.queue(tunnel);
    if (fd !== NO_FD) this.#forward(tunnel, fd);
  }

  #onSocket(endpoint: number, failed: boolean): void {
    const fd = this.#path.descriptors.socket(endpoint);
    const vnis = this.#vnis.get(endpoint)!;
    const { grace } = this.#tables;
    const { worker } = this.#options;
    grace.enter(worker);
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const count = this.#path.fastReceiver.receive(fd);
        if (count === 0) break;
        this.#work += count;
        const lost = this.#path.fastReceiver.overflow;
        if (lost !== 0) this.#losses.overflow(endpoint, lost);
        this.#path.receiver.receive(this.#path.datagrams, vnis, this.#nowSeconds);
        this.#takeAnswers(this.#path.receiver.newestTunnel);
        if (this.#path.fastReceiver.drained) break;
      }
    } catch (error) {
      this.#fault(error);
    }
    grace.leave(worker);
    const { errno } = this.#path.fastReceiver;
    if (failed || errno !== 0) this.#lose('endpoint', endpoint, errno);
  }

  /** The portable underlay's datagrams lie in the batch already. */
  #onDatagrams(endpoint: number): void {
    const vnis = this.#vnis.get(endpoint);
    if (vnis === undefined) return;
    const { grace } = this.#tables;
    grace.enter(this.#options.worker);
    try {
      this.#path.receiver.receive(this.#path.datagrams, vnis, this.#nowSeconds);
    } catch (error) {
      this.#fault(error);
    }
    grace.leave(this.#options.worker);
  }

  /** A descriptor that reports an error is not watched any more: it would report for ever. */
  #lose(what: 'tunnel' | 'endpoint', index: number, errno: number): void {
    if (what === 'tunnel') this.#path.descriptors.removeQueue(index);
    else this.#path.descriptors.removeSocket(index);
    this.#events.lost(what, index, errno);
  }

  /** A bug of ours must neither stop the daemon nor be silent: the batch is dropped, the next one tried. */
  #fault(error: unknown): void {
    this.#path.transmitter.discard();
    this.#path.receiver.discard();
    this.#events.fault(error);
  }
}
