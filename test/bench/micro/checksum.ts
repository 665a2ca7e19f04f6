/** The Internet checksum over what a frame holds. */
import { foldSum, sumBytes } from '../../../src/wire/checksum.ts';
import { bytesOf } from '../../support/packets.ts';
import type { MicroBenchmark } from './measure.ts';

const REPEATS = 100;
/** What is summed goes somewhere, or the compiler would leave it out. */
export const sink = { value: 0 };

export const CHECKSUMS: readonly MicroBenchmark[] = [60, 1400, 65_000].map((length) => ({
  name: `checksum of ${length.toLocaleString('en')} bytes`,
  setUp() {
    // At an even distance from the beginning, as the inner packet of a slot.
    const view = new DataView(bytesOf(length + 2).buffer);
    const run = (): void => {
      for (let repeat = 0; repeat < REPEATS; repeat += 1)
        sink.value += foldSum(sumBytes(view, 2, length, 0));
    };
    return { units: REPEATS, run };
  },
}));
