/**
 * Coarse monotonic time, the same in every thread of the process.
 *
 * The FDB counts in whole seconds since the machine's start of CLOCK_MONOTONIC plus one, so that 0 can
 * mean "never". A clock that jumps does not age entries.
 */
export function monotonicSeconds(): number {
  return process.hrtime()[0] + 1;
}
