import { VtepError } from '../base/errors.ts';

/**
 * A lock in one word of shared memory, 0 = free. Holders keep it for well under a microsecond and
 * never wait for anything meanwhile. A thread that dies holding it ends the process, so that there
 * is no recovery.
 */

const SPINS = 200;
const WAIT_MS = 1;
/** A holder that lost its CPU gets it back long before. */
const GIVE_UP_MS = 10_000;

/** Takes the lock if it is free now. For workers: they skip what they wanted otherwise. */
export function tryLock(words: Int32Array, index: number): boolean {
  return Atomics.compareExchange(words, index, 0, 1) === 0;
}

/**
 * Takes the lock; spins, then sleeps a millisecond at a time so that a holder without a CPU gets
 * one. For the main thread. Throws ERR_INTERNAL after `giveUpMs`.
 */
export function lock(words: Int32Array, index: number, giveUpMs = GIVE_UP_MS): void {
  for (let spin = 0; spin < SPINS; spin += 1) {
    if (tryLock(words, index)) return;
  }
  for (let waitedMs = 0; waitedMs < giveUpMs; waitedMs += WAIT_MS) {
    Atomics.wait(words, index, 1, WAIT_MS);
    if (tryLock(words, index)) return;
  }
  throw new VtepError('ERR_INTERNAL', `Cannot lock the FDB: a thread holds it for ${giveUpMs} ms`);
}

/** Gives the lock back; what was written before is visible to the next holder. */
export function unlock(words: Int32Array, index: number): void {
  Atomics.store(words, index, 0);
}
