/** A million entries: loading and listing them, forwarding meanwhile, and the rate of frames with them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Lab, UNDERLAY, waitFor } from '../../support/lab.ts';
import { repositoryRoot } from '../../support/paths.ts';
import type { Contender } from '../contender.ts';
import { DEVICE, daemonContender, type DaemonOverlay } from '../contenders/vtepd.ts';
import { framesTo, generate, pingReport, startPinger } from '../programs.ts';
import { entryMac } from '../programs/frames.ts';
import type { PingerReport } from '../programs/pinger.ts';
import { median, rotated } from '../statistics.ts';
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
  measure: (_contender: Contender, bench) =>
    bench.withLab((full) => bench.withLab((empty) => measure(bench, full, empty))),
};

async function measure(bench: Bench, full: Lab, empty: Lab): Promise<Sample[]> {
  const entries = bench.quick ? ENTRIES_QUICK : ENTRIES;
  const vtepd = daemonContender('vtepd', 'vtepd', { arguments: bench.daemonArguments });
  const overlay = await vtepd.start(full);
  const quiet = await ping(overlay, bench.quick ? 0.5 : 3);
  const batch = batchFile(full, entries);
  const pings = startPings(overlay);
  const loading = await runTool(overlay, ['fdb', 'add', '--batch', batch]);
  const during = await pings.stop();
  const listing = await runTool(overlay, ['-j', 'fdb', 'show', 'dev', DEVICE]);
  const rows = countOf('"mac"', readFileSync(listing.outputPath));
  if (rows < entries) throw new Error(`vtep fdb show lists ${rows} of ${entries} entries`);
  const beside = { entries, sent: during.sent, p50: during.p50, p99: during.p99, max: during.max };
  const before = { quietP50: quiet.p50, quietP99: quiet.p99 };
  const other = await vtepd.start(empty);
  await runTool(other, ['fdb', 'add', '--batch', batchFile(empty, 1)]);
  return [
    sampleOf(overlay, 'fdb-load', loading.seconds, { entries }),
    sampleOf(overlay, 'fdb-load-lost', during.lost, { ...beside, ...before }),
    sampleOf(overlay, 'fdb-load-p99', during.p99 / quiet.p99, { ...beside, ...before }),
    sampleOf(overlay, 'fdb-show', listing.seconds, { rows }),
    ...(await transmitRates(bench, { overlay, entries }, { overlay: other, entries: 1 })),
  ];
}

interface Loaded {
  readonly overlay: DaemonOverlay;
  readonly entries: number;
}

/** Frames to all of the entries, from the one daemon and from the other in turn. */
async function transmitRates(bench: Bench, full: Loaded, empty: Loaded): Promise<Sample[]> {
  const rates = bench.quick ? [150_000] : ladder(80_000, 9);
  const turns = bench.quick ? 1 : 2;
  const best = new Map<Loaded, number[]>([full, empty].map((loaded) => [loaded, []]));
  for (let turn = 0; turn < turns; turn += 1) {
    for (const loaded of rotated([full, empty], turn)) {
      const steps = await generate(loaded.overlay, {
        // As many frames in the generator's memory for the one as for the other.
        frames: framesTo(loaded.overlay, {
          ...{ bytes: FRAME_BYTES, flows: 1 },
          entries: { count: Math.min(TARGETS, full.entries), of: loaded.entries },
        }),
        ...{ rates, seconds: 0.6, warmUpSeconds: 0.2, settleSeconds: 0.1, peak: !bench.quick },
      });
      best.get(loaded)!.push(bestOf(steps).best);
    }
  }
  const one = median(best.get(empty)!);
  const many = median(best.get(full)!);
  const { overlay, entries } = full;
  return [
    sampleOf(overlay, 'fdb-rate-1', one / 1000),
    sampleOf(overlay, 'fdb-rate-1m', many / 1000, { entries }),
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
  words: readonly string[],
): Promise<{ seconds: number; outputPath: string }> {
  const program = join(repositoryRoot(), 'bin', 'vtep.js');
  const env = { VTEP_SOCKET: overlay.daemonA.socket };
  const began = performance.now();
  const child = overlay.a.spawnWith(env, process.execPath, program, ...words);
  let ended = began;
  void child.ended.then(() => (ended = performance.now()));
  await waitFor(() => !child.running && ended > began, {
    timeoutMs: LIMIT_MS,
    intervalMs: 50,
    what: () => `vtep ${words.join(' ')} to end`,
  });
  if (child.status !== 0) throw new Error(`Run "vtep ${words.join(' ')}": ${child.stderr()}`);
  const outputPath = child.errorPath.replace(/err$/, 'out');
  return { seconds: (ended - began) / 1000, outputPath };
}

function countOf(text: string, bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) count += 1;
  return count;
}
