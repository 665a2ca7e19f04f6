/** A million entries: loading and listing them, forwarding meanwhile, and the rate of frames with them. */
import { openSync, closeSync, createReadStream } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';

import { type Host, type Lab, UNDERLAY, waitFor } from '../../support/lab.ts';
import { repositoryRoot } from '../../support/paths.ts';
import type { Contender } from '../contender.ts';
import { DEVICE, daemonContender, type DaemonOverlay } from '../contenders/vtepd.ts';
import { framesTo, generate, pingReport, startPinger } from '../programs.ts';
import { entryMac } from '../programs/frames.ts';
import type { PingerReport } from '../programs/pinger.ts';
import { median } from '../statistics.ts';
import { type Bench, isVtepd, type Sample, sampleOf, type Workload } from '../workload.ts';
import { bestOf, ladder } from './small-frames.ts';

const ENTRIES = 1_000_000;
const ENTRIES_QUICK = 50_000;
/** MACs that frames go to, evenly out of all. */
const TARGETS = 1 << 17;
const FRAME_BYTES = 60;
const PING_INTERVAL_MS = 1;
const LIMIT_MS = 300_000;

export const LARGE_FDB: Workload = {
  name: 'fdb',
  figures: [
    { name: 'fdb-load', title: 'load 1 M entries, vtep fdb add --batch', unit: 's', digits: 1 },
    { name: 'fdb-load-lost', title: 'pings lost meanwhile', unit: 'pings', digits: 0 },
    { name: 'fdb-load-p99', title: 'ping p99 meanwhile / before', unit: 'ratio', digits: 2 },
    { name: 'fdb-show', title: 'vtep -j fdb show, 1 M entries', unit: 's', digits: 1 },
    { name: 'fdb-rate-1', title: 'frames transmitted with 1 entry', unit: 'k/s', digits: 0 },
    { name: 'fdb-rate-1m', title: 'frames transmitted with 1 M entries', unit: 'k/s', digits: 0 },
    { name: 'fdb-rate-ratio', title: 'transmit rate, 1 M / 1 entry', unit: 'ratio', digits: 2 },
  ],
  takes: isVtepd,
  measure: (_contender: Contender, bench) => bench.withLab((lab) => measure(bench, lab)),
};

async function measure(bench: Bench, lab: Lab): Promise<Sample[]> {
  const entries = bench.quick ? ENTRIES_QUICK : ENTRIES;
  const options = { arguments: bench.daemonArguments };
  const overlay = await daemonContender('vtepd', 'vtepd', options).start(lab);
  const quiet = await ping(overlay, bench.quick ? 0.5 : 3);
  const batch = batchFile(lab, entries);
  const pings = startPings(overlay);
  const loading = await runTool(overlay, lab, ['fdb', 'add', '--batch', batch]);
  const during = await pings.stop();
  const listing = await runTool(overlay, lab, ['-j', 'fdb', 'show', 'dev', DEVICE]);
  const rows = await countRows(listing.output);
  if (rows < entries) throw new Error(`vtep fdb show lists ${rows} of ${entries} entries`);
  const beside = { entries, sent: during.sent, p50: during.p50, p99: during.p99, max: during.max };
  return [
    sampleOf(overlay, 'fdb-load', loading.seconds, { entries }),
    sampleOf(overlay, 'fdb-load-lost', during.lost, beside),
    sampleOf(overlay, 'fdb-load-p99', during.p99 / quiet.p99, { ...beside, quietP99: quiet.p99 }),
    sampleOf(overlay, 'fdb-show', listing.seconds, { rows }),
    ...(await transmitRates(overlay, bench, entries)),
  ];
}

/** Frames to one MAC, and to many, alternating: the daemon is the same, its table is full both times. */
async function transmitRates(
  overlay: DaemonOverlay,
  bench: Bench,
  entries: number,
): Promise<Sample[]> {
  const rates = bench.quick ? [150_000] : ladder(80_000, 9);
  const turns = bench.quick ? 1 : 2;
  const targets = Math.min(TARGETS, entries);
  const measured: { one: number[]; many: number[] } = { one: [], many: [] };
  for (let turn = 0; turn < turns; turn += 1) {
    for (const kind of turn % 2 === 0 ? (['one', 'many'] as const) : (['many', 'one'] as const)) {
      const steps = await generate(overlay, {
        // The same number of frames in the generator's memory both times.
        frames: framesTo(overlay, {
          ...{ bytes: FRAME_BYTES, flows: 1, destinationMac: entryMac(0) },
          entries: { count: targets, of: kind === 'one' ? 0 : entries },
        }),
        ...{ rates, seconds: 0.6, warmUpSeconds: 0.2, settleSeconds: 0.1 },
      });
      measured[kind].push(bestOf(steps).best);
    }
  }
  const one = median(measured.one);
  const many = median(measured.many);
  return [
    sampleOf(overlay, 'fdb-rate-1', one / 1000),
    sampleOf(overlay, 'fdb-rate-1m', many / 1000, { entries, targets }),
    sampleOf(overlay, 'fdb-rate-ratio', many / one),
  ];
}

function batchFile(lab: Lab, entries: number): string {
  const lines = Array.from(
    { length: entries },
    (_, index) => `${entryMac(index)} dev ${DEVICE} dst ${UNDERLAY.b4} static\n`,
  );
  return lab.file('entries', lines.join(''));
}

function startPings(overlay: DaemonOverlay): { stop(): Promise<PingerReport> } {
  const order = { seconds: LIMIT_MS / 1000, intervalMs: PING_INTERVAL_MS, warmUpSeconds: 0 };
  const child = startPinger(overlay, order);
  return {
    async stop() {
      child.kill('SIGTERM');
      return pingReport(child, order);
    },
  };
}

async function ping(overlay: DaemonOverlay, seconds: number): Promise<PingerReport> {
  const order = { seconds, intervalMs: PING_INTERVAL_MS, warmUpSeconds: 0.3 };
  return pingReport(startPinger(overlay, order), order);
}

/** Runs `vtep` as a child whose output goes to a file, so that nothing here is in its way. */
async function runTool(
  overlay: DaemonOverlay,
  lab: Lab,
  words: readonly string[],
): Promise<{ seconds: number; output: string }> {
  const host: Host = overlay.a;
  const program = join(repositoryRoot(), 'bin', 'vtep.js');
  const env = { VTEP_SOCKET: overlay.daemonA.socket };
  const began = performance.now();
  const child = host.spawnWith(env, process.execPath, program, ...words);
  let ended = began;
  void child.ended.then(() => (ended = performance.now()));
  await waitFor(() => !child.running && ended > began, {
    timeoutMs: LIMIT_MS,
    intervalMs: 50,
    what: () => `vtep ${words.join(' ')} to end`,
  });
  if (child.status !== 0) throw new Error(`Run "vtep ${words.join(' ')}": ${child.stderr()}`);
  return { seconds: (ended - began) / 1000, output: child.outputPath };
}
