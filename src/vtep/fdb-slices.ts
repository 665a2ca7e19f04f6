import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

const SLICE_MS = 8;
/** The clock is looked at once in so many steps; a power of two. */
const STEPS_PER_LOOK = 256;

/**
 * Keeps a long loop on the main thread from blocking it: at most about 8 ms at a time.
 *
 * Use as `if (slices.due(i)) await slices.pause();` with `i` counting up by one.
 */
export class Slices {
  #deadlineMs = performance.now() + SLICE_MS;

  due(step: number): boolean {
    return (step & (STEPS_PER_LOOK - 1)) === 0 && performance.now() >= this.#deadlineMs;
  }

  /** Lets timers, sockets and other requests have their turn. */
  async pause(): Promise<void> {
    await setImmediate();
    this.#deadlineMs = performance.now() + SLICE_MS;
  }
}
