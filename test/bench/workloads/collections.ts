/** Garbage collections in the forwarding threads while a million frames go through both daemons. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Lab } from '../../support/lab.ts';
import type { Contender } from '../contender.ts';
import { daemonContender } from '../contenders/vtepd.ts';
import { framesTo, generate } from '../programs.ts';
import { sleep } from '../../support/wait.ts';
import { type Bench, isVtepd, type Sample, sampleOf, type Workload } from '../workload.ts';

const FRAME_BYTES = 60;
const FRAMES = 1_000_000;
const FRAMES_QUICK = 60_000;
const RATE = 60_000;
/** Of the same frames before: what the compiler's warming up leaves behind is not forwarding's. */
const WARM_UP_FRAMES = 200_000;
const WARM_UP_FRAMES_QUICK = 30_000;
/**
 * Some ten seconds after its start the engine gives back, in several collections, what starting took: that
 * happens with or without frames, so it is waited for.
 */
const SETTLE_MS = 15_000;
const SETTLE_MS_QUICK = 0;

/** Loaded into every thread of the daemons: a line `THREAD TIME KIND` for each collection. */
const WATCHER = `
import { appendFileSync } from 'node:fs';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { threadId } from 'node:worker_threads';
const path = process.env.VTEP_BENCH_COLLECTIONS;
new PerformanceObserver((list) => {
  for (const { startTime, detail } of list.getEntries()) {
    const at = performance.timeOrigin + startTime;
    appendFileSync(path, threadId + ' ' + at + ' ' + detail.kind + '\\n');
  }
}).observe({ entryTypes: ['gc'] });
`;

export const COLLECTIONS: Workload = {
  name: 'gc',
  figures: [{ name: 'gc', title: 'collections while 10^6 frames pass', unit: 'runs', digits: 0 }],
  takes: isVtepd,
  measure: (_contender: Contender, bench) => bench.withLab((lab) => measure(bench, lab)),
};

async function measure(bench: Bench, lab: Lab): Promise<Sample[]> {
  const watcher = lab.file('watcher.mjs', WATCHER);
  const log = join(lab.folder, 'collections');
  const env = { NODE_OPTIONS: `--import ${watcher}`, VTEP_BENCH_COLLECTIONS: log };
  const options = { env, arguments: bench.daemonArguments };
  const overlay = await daemonContender('vtepd', 'vtepd', options).start(lab);
  const frames = bench.quick ? FRAMES_QUICK : FRAMES;
  const order = {
    frames: framesTo(overlay, { bytes: FRAME_BYTES, flows: 4 }),
    ...{ rates: [RATE], warmUpSeconds: 0, settleSeconds: 0.5, peak: false },
  };
  const warmUp = bench.quick ? WARM_UP_FRAMES_QUICK : WARM_UP_FRAMES;
  await generate(overlay, { ...order, seconds: warmUp / RATE });
  await sleep(bench.quick ? SETTLE_MS_QUICK : SETTLE_MS);
  const began = Date.now();
  const [step] = await generate(overlay, { ...order, seconds: frames / RATE });
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  const threads = lines
    .filter((line) => Number(line.split(' ')[1]) >= began)
    .map((line) => Number(line.split(' ')[0]));
  // Thread 0 is the main thread: timers and the API, no frames.
  const forwarding = threads.filter((thread) => thread !== 0).length;
  const detail = { frames: step!.totalPackets, mainThread: threads.length - forwarding };
  return [sampleOf(overlay, 'gc', forwarding, detail)];
}
