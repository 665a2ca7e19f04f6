/** A cache line for each worker's word, so that they do not slow each other down. */
const WORKER_WORDS = 16;

interface Retirement {
  /** The workers' words at the time; equal ones are shared. */
  readonly seen: readonly number[];
  readonly callback: () => void;
}

/**
 * When may storage that workers read without a lock be used for something else? Once every worker
 * has left the batch that it was in when the storage became unreachable.
 *
 * Workers say when they enter and leave a batch, in a word of their own: odd inside. The main
 * thread makes something unreachable for lookups, then retires it here.
 */
export class Grace {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #workers: number;
  #retired: Retirement[] = [];

  /** For workers 0..workers-1. */
  static create(workers: number): Grace {
    return new Grace(new SharedArrayBuffer(workers * WORKER_WORDS * 4));
  }

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
    this.#workers = this.#words.length / WORKER_WORDS;
  }

  /** Callbacks that wait. */
  get pending(): number {
    return this.#retired.length;
  }

  /**
   * Worker `worker` begins a batch: what it finds in shared tables stays what it is until it
   * leaves.
   */
  enter(worker: number): void {
    const at = worker * WORKER_WORDS;
    Atomics.store(this.#words, at, this.#words[at]! | 1);
    // Keeps the batch's plain loads behind the store, also on ARM.
    Atomics.load(this.#words, at);
  }

  /** The batch is done; nothing that was found during it may be used any more. */
  leave(worker: number): void {
    const at = worker * WORKER_WORDS;
    Atomics.store(this.#words, at, ((this.#words[at]! | 1) + 1) | 0);
  }

  /**
   * Main thread: has a later {@link collect} run `callback`, once no worker can hold what lookups
   * no longer find. Never runs it at once.
   */
  retire(callback: () => void): void {
    const now = this.#snapshot();
    const last = this.#retired.at(-1)?.seen;
    const seen = last !== undefined && now.every((word, i) => word === last[i]) ? last : now;
    this.#retired.push({ seen, callback });
  }

  /**
   * Main thread: runs the callbacks whose time has come, in the order of retirement; returns how
   * many. When some throw, all are run nevertheless and the first error is thrown.
   */
  collect(): number {
    const now = this.#snapshot();
    let ready = 0;
    while (ready < this.#retired.length && hasPassed(this.#retired[ready]!.seen, now)) ready += 1;
    const due = this.#retired.slice(0, ready);
    this.#retired = this.#retired.slice(ready);
    const errors: unknown[] = [];
    for (const { callback } of due) {
      try {
        callback();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
    return ready;
  }

  #snapshot(): number[] {
    const words: number[] = [];
    for (let worker = 0; worker < this.#workers; worker += 1) {
      words.push(Atomics.load(this.#words, worker * WORKER_WORDS));
    }
    return words;
  }
}

/** True when every worker that was inside a batch in `seen` has left that one in `now`. */
function hasPassed(seen: readonly number[], now: readonly number[]): boolean {
  return seen.every((word, worker) => (word & 1) === 0 || now[worker] !== word);
}
