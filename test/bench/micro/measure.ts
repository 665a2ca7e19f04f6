/** Times a piece of code that is far shorter than the clock's tick. */
import { median } from '../statistics.ts';

export interface MicroBenchmark {
  readonly name: string;
  /** Prepares and returns what is timed: it does `units` things (frames, lookups) in one call. */
  readonly setUp: () => { readonly units: number; readonly run: () => void };
}

export interface MicroRow {
  readonly name: string;
  /** For one unit: median of the samples. */
  readonly nanoseconds: number;
  /** Of the samples. */
  readonly fastest: number;
  readonly slowest: number;
}

const SAMPLES = 15;
const SAMPLE_MS = 40;
/** Until the optimizing compiler has seen all of it. */
const WARM_UP_MS = 400;

export function measure({ name, setUp }: MicroBenchmark): MicroRow {
  const { units, run } = setUp();
  const warm = performance.now() + WARM_UP_MS;
  let calls = 0;
  const began = performance.now();
  while (performance.now() < warm) {
    run();
    calls += 1;
  }
  const perSample = Math.max(1, Math.round((calls * SAMPLE_MS) / (performance.now() - began)));
  const samples = Array.from({ length: SAMPLES }, () => {
    const start = performance.now();
    for (let call = 0; call < perSample; call += 1) run();
    return ((performance.now() - start) * 1e6) / (perSample * units);
  });
  return {
    name,
    nanoseconds: median(samples),
    fastest: Math.min(...samples),
    slowest: Math.max(...samples),
  };
}
