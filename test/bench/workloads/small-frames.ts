/** The highest rate of 64-byte frames that arrives, over a ladder of offered rates. */
import type { Contender } from '../contender.ts';
import { framesTo, generate } from '../programs.ts';
import type { GeneratorStep } from '../programs/generator.ts';
import { type Bench, isMain, type Sample, sampleOf, type Workload } from '../workload.ts';

/** Without the checksum that the wire would add. */
const FRAME_BYTES = 60;
const FIRST_RATE = 50_000;
const FACTOR = 1.3;
const RATES = 12;

export const SMALL_FRAMES_1 = smallFrames(1);
export const SMALL_FRAMES_16 = smallFrames(16);

function smallFrames(flows: number): Workload {
  const name = `frames-${flows}`;
  const title = `64-byte frames received, ${flows === 1 ? '1 flow' : `${flows} flows`}`;
  return {
    name,
    figures: [{ name, title, unit: 'k/s', digits: 0 }],
    takesQuick: isMain,
    measure: (contender, bench) => measure(contender, bench, name, flows),
  };
}

async function measure(
  contender: Contender,
  bench: Bench,
  name: string,
  flows: number,
): Promise<Sample[]> {
  const overlay = await bench.overlay(contender);
  const steps = await generate(overlay, {
    frames: framesTo(overlay, { bytes: FRAME_BYTES, flows }),
    rates: bench.quick ? [100_000, 200_000] : ladder(),
    seconds: bench.quick ? 0.3 : 0.6,
    warmUpSeconds: 0.2,
    settleSeconds: 0.1,
    peak: !bench.quick,
  });
  const { best, detail } = bestOf(steps);
  return [sampleOf(overlay, name, best / 1000, detail)];
}

/** Offered rates, frames per second. */
export function ladder(first = FIRST_RATE, rates = RATES): number[] {
  return Array.from({ length: rates }, (_, index) => Math.round(first * FACTOR ** index));
}

/** The highest rate received, frames per second, and what was offered at that step. */
export function bestOf(steps: readonly GeneratorStep[]): {
  best: number;
  detail: Record<string, number>;
} {
  const rateOf = (step: GeneratorStep): number => step.receivedPackets / step.seconds;
  const top = steps.reduce((best, step) => (rateOf(step) > rateOf(best) ? step : best));
  const detail = {
    offeredAtBest: Math.round(top.offered / top.seconds),
    steps: steps.length,
    // The generator was no bottleneck as long as it got more out than arrived.
    highestOffered: Math.round(Math.max(...steps.map((step) => step.offered / step.seconds))),
  };
  return { best: rateOf(top), detail };
}
