/** Calls of the C library that only the bench's programs need, and memory for their structures. */
import koffi from 'koffi';

import { errnoName } from '../../../src/linux/errno.ts';
import { lastErrno } from '../../../src/linux/libc.ts';

const program = koffi.load(null);

/** linux/prctl.h */
const PR_SET_TIMERSLACK = 29;
const CLOCK_MONOTONIC = 1;
const NANOSECONDS = 1e9;

const prctl = program.func('prctl', 'int', ['int', 'ulong']) as unknown as (
  option: number,
  value: number,
) => number;

const nanosleep = program.func('clock_nanosleep', 'int', [
  'int',
  'int',
  'uintptr_t',
  'uintptr_t',
]) as unknown as (clock: number, flags: number, request: number, remain: number) => number;

/** Makes sleeps of this process end when they should and not up to 50 us later. */
export function sleepExactly(): void {
  check('prctl', prctl(PR_SET_TIMERSLACK, 1));
}

/** Blocks for `milliseconds`, at most a second; the timespec at `offset` of the arena is overwritten. */
export function blockFor(
  arena: { readonly base: number; readonly view: DataView },
  offset: number,
  milliseconds: number,
): void {
  const nanoseconds = Math.min(Math.floor(milliseconds * 1e6), NANOSECONDS - 1);
  if (nanoseconds <= 0) return;
  arena.view.setUint32(offset, 0, true);
  arena.view.setUint32(offset + 4, 0, true);
  arena.view.setUint32(offset + 8, nanoseconds, true);
  arena.view.setUint32(offset + 12, 0, true);
  nanosleep(CLOCK_MONOTONIC, 0, arena.base + offset, 0);
}

/** The result of a call; throws with the errno when it is negative. */
export function check(call: string, result: number): number {
  if (result >= 0) return result;
  throw new Error(`${call}: ${errnoName(lastErrno())}`);
}
