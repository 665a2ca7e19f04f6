/** Packets lost at 500 Mbit/s of 1400-byte UDP for a minute: the tunnel alone, no receiving socket counts. */
import { framesTo, generate } from '../programs.ts';
import { type Bench, isDefaultVtepd, isVtepd, sampleOf, type Workload } from '../workload.ts';
import type { Contender } from '../contender.ts';

const BITS_PER_SECOND = 500e6;
const PAYLOAD_BYTES = 1400;
const FRAME_BYTES = 14 + 20 + 8 + PAYLOAD_BYTES;
/** What a sender on a busy machine catches up with at once. */
const LATE_MS = 10;
const SECONDS = 60;
const SECONDS_QUICK = 2;

export const LOSS: Workload = {
  name: 'loss',
  figures: [
    { name: 'loss', title: '500 Mbit/s of 1400-byte UDP, 60 s: lost', unit: 'frames', digits: 0 },
  ],
  takes: isDefaultVtepd,
  takesQuick: isVtepd,
  rounds: 1,
  measure,
};

async function measure(contender: Contender, bench: Bench) {
  const overlay = await bench.overlay(contender);
  const seconds = bench.quick ? SECONDS_QUICK : SECONDS;
  const [step] = await generate(overlay, {
    frames: framesTo(overlay, { bytes: FRAME_BYTES, flows: 1 }),
    rates: [BITS_PER_SECOND / 8 / PAYLOAD_BYTES],
    ...{ seconds, warmUpSeconds: 0, settleSeconds: 0.5, peak: false, lateMs: LATE_MS },
  });
  const { totalOffered, totalPackets, missed, refused } = step!;
  // What its own kernel says besides (neighbour discovery) may arrive too.
  const lost = Math.max(0, totalOffered - totalPackets);
  const offeredMegabits = (totalOffered * PAYLOAD_BYTES * 8) / seconds / 1e6;
  return [sampleOf(overlay, 'loss', lost, { offeredMegabits, missed, refused, seconds })];
}
