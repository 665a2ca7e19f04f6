/**
 * Coarse monotonic time, the same in every thread of the process.
 *
 * The FDB counts in whole seconds since the machine's start of CLOCK_MONOTONIC plus one, so that 0 can
 * mean "never". A clock that jumps does not age entries.
 */
export function monotonicSeconds(): number {
  return process.hrtime()[0] + 1;
}

/**
 * A clock of whole milliseconds modulo 2^32, signed; all threads of the process read the same, to a
 * millisecond. Reading it is cheap and allocates nothing, unlike process.hrtime(), which alone has one
 * origin for all threads.
 */
export function millisecondClock(): () => number {
  const [seconds, nanoseconds] = process.hrtime();
  const offset = seconds * 1000 + nanoseconds / 1e6 - performance.now();
  return () => (performance.now() + offset) | 0;
}
