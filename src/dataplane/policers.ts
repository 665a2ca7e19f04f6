// Hot path: no allocation, no throw, no await.

/**
 * Token buckets in shared memory: how many frames or bits of a kind a tunnel may pass, all workers together.
 *
 * A bucket fills by `perMillisecond` tokens up to `burst`, from the time that has passed: whichever worker
 * moves the stamp on earns the tokens of that span, the others nothing, so none is earned twice. Tokens are
 * taken by an atomic subtraction after a look at the level. Two workers may look before either takes; then
 * the level falls below zero by less than one frame a worker, and what follows waits until that is earned
 * back. So the mean rate is exact, and only the burst is off by that much.
 *
 * Tokens are whole numbers: thousandths of a frame, or bits. A rate of n frames a second (n kilobits a
 * second) then earns exactly n of them each millisecond, and nothing is lost to rounding.
 */

export const POLICE_BROADCAST = 0;
export const POLICE_MULTICAST = 1;
export const POLICE_UNKNOWN = 2;
export const POLICE_TRANSMIT = 3;
export const POLICE_RECEIVE = 4;
const BUCKETS = 5;

/** Tokens that one frame costs. */
export const FRAME_TOKENS = 1000;

const WORDS = 4;
const PER_MS = 0;
const BURST = 1;
const LEVEL = 2;
/** When tokens were earned last, ms modulo 2^32. */
const STAMP = 3;

export class Policers {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #clockMs: () => number;

  /**
   * For tunnels 0..tunnels-1; over `memory` of another thread's, if given. `clockMs` is whole
   * milliseconds modulo 2^32, signed, the same in all threads.
   */
  constructor(tunnels: number, clockMs: () => number, memory?: SharedArrayBuffer) {
    this.#clockMs = clockMs;
    this.memory = memory ?? new SharedArrayBuffer(tunnels * BUCKETS * WORDS * 4);
    this.#words = new Int32Array(this.memory);
  }

  /**
   * Main thread: sets a bucket, full. `perMillisecond` of 0 lets everything pass; `burst` is in tokens,
   * 1..2^31-1.
   */
  configure(tunnel: number, kind: number, perMillisecond: number, burst: number): void {
    const at = bucketAt(tunnel, kind);
    Atomics.store(this.#words, at + PER_MS, 0);
    Atomics.store(this.#words, at + BURST, burst);
    Atomics.store(this.#words, at + LEVEL, burst);
    Atomics.store(this.#words, at + STAMP, this.#clockMs());
    Atomics.store(this.#words, at + PER_MS, perMillisecond);
  }

  /**
   * Takes `tokens` from a bucket; false when it has too few: drop then. What costs more than the bucket
   * holds passes when it is full, and is paid back before anything else passes.
   */
  take(tunnel: number, kind: number, tokens: number): boolean {
    const words = this.#words;
    const at = bucketAt(tunnel, kind);
    const perMs = words[at + PER_MS]!;
    if (perMs === 0) return true;
    const burst = words[at + BURST]!;
    const wanted = tokens < burst ? tokens : burst;
    this.#earn(at, perMs, burst);
    if (Atomics.load(words, at + LEVEL) < wanted) return false;
    Atomics.sub(words, at + LEVEL, tokens);
    return true;
  }

  /** Adds what the time since the last call is worth. */
  #earn(at: number, perMs: number, burst: number): void {
    const words = this.#words;
    const stamp = Atomics.load(words, at + STAMP);
    const now = this.#clockMs();
    const passed = (now - stamp) | 0;
    // The clocks of two threads may differ by a millisecond.
    if (passed === 0 || passed === -1) return;
    if (Atomics.compareExchange(words, at + STAMP, stamp, now) !== stamp) return;
    const missing = burst - Atomics.load(words, at + LEVEL);
    // Less than 0 after 25 days without a frame of the kind.
    const earned = passed < 0 ? missing : passed * perMs;
    Atomics.add(words, at + LEVEL, earned < missing ? earned : missing);
  }
}

function bucketAt(tunnel: number, kind: number): number {
  return (tunnel * BUCKETS + kind) * WORDS;
}
