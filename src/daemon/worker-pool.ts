/** The forwarding workers as the main thread sees them. */
import { Worker } from 'node:worker_threads';
import { monotonicSeconds } from '../base/clock.ts';
import { VtepError } from '../base/errors.ts';
import type {
  WorkerCommand,
  WorkerMessage,
  WorkerOptions,
  WorkerRequest,
} from './worker-protocol.ts';

export interface WorkerEvents {
  /** A worker ended by itself: its sockets and queues would swallow their share of the traffic. */
  died(worker: number, reason: string): void;
  lost(what: 'tunnel' | 'endpoint', index: number, errno: number): void;
  fault(worker: number, message: string): void;
}

interface Pending {
  resolve(): void;
  reject(error: Error): void;
}

export class WorkerPool {
  readonly count: number;
  readonly #workers: Worker[] = [];
  readonly #pending = new Map<number, Pending>();
  readonly #heartbeat: Int32Array;
  readonly #events: WorkerEvents;
  #nextId = 1;
  #stopping = false;

  /** Starts `count` threads; `options` is what they all share. */
  constructor(
    count: number,
    options: Omit<WorkerOptions, 'worker' | 'heartbeat'>,
    events: WorkerEvents,
  ) {
    this.count = count;
    this.#events = events;
    const heartbeat = new SharedArrayBuffer(count * 4);
    this.#heartbeat = new Int32Array(heartbeat).fill(monotonicSeconds());
    for (let worker = 0; worker < count; worker += 1)
      this.#start({ ...options, worker, heartbeat });
  }

  /** Gives `command(worker)` to every worker and waits until all have carried it out. */
  async all(command: (worker: number) => WorkerCommand): Promise<void> {
    const orders = this.#workers.map((_, worker) => this.#order(worker, command(worker)));
    const outcomes = await Promise.allSettled(orders);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** Gives a command to one worker and waits until it has carried it out. */
  async one(worker: number, command: WorkerCommand): Promise<void> {
    await this.#order(worker, command);
  }

  /** Seconds since the worker that has been silent longest gave its last sign of life. */
  silentSeconds(): number {
    let oldest = Infinity;
    for (let worker = 0; worker < this.count; worker += 1) {
      oldest = Math.min(oldest, Atomics.load(this.#heartbeat, worker));
    }
    return monotonicSeconds() - oldest;
  }

  /** Ends all threads; their descriptors are the caller's to close afterwards. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const ended = this.#workers.map(
      (worker) => new Promise((resolve) => worker.once('exit', resolve)),
    );
    await this.all(() => ({ type: 'stop' }));
    await Promise.all(ended);
  }

  #start(options: WorkerOptions): void {
    // This file runs compiled, beside the worker's own.
    const worker = new Worker(new URL('./forwarding-worker.js', import.meta.url), {
      workerData: options,
      name: `forwarding-${options.worker}`,
    });
    worker.on('message', (message: WorkerMessage) => this.#onMessage(options.worker, message));
    worker.on('error', (error) => this.#onEnd(options.worker, error.stack ?? error.message));
    worker.on('exit', (code) => this.#onEnd(options.worker, `exit code ${code}`));
    this.#workers.push(worker);
  }

  #order(worker: number, command: WorkerCommand): Promise<void> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      const request: WorkerRequest = { id, command };
      this.#workers[worker]!.postMessage(request);
    });
  }

  #onMessage(worker: number, message: WorkerMessage): void {
    if (message.type === 'lost')
      return this.#events.lost(message.what, message.index, message.errno);
    if (message.type === 'fault') return this.#events.fault(worker, message.message);
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.error === undefined) pending?.resolve();
    else
      pending?.reject(
        new VtepError('ERR_INTERNAL', `Command forwarding worker ${worker}: ${message.error}`),
      );
  }

  #onEnd(worker: number, reason: string): void {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const pending of this.#pending.values()) {
      pending.reject(new VtepError('ERR_INTERNAL', `Forwarding worker ${worker} ended: ${reason}`));
    }
    this.#events.died(worker, reason);
  }
}
