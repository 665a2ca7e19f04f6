/** How long a daemon with one tunnel takes to be ready, and what it occupies while idle. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { UNDERLAY, waitFor } from '../../support/lab.ts';
import { NotifySocket } from '../../support/notify-socket.ts';
import { sleep } from '../../support/wait.ts';
import { type Contender, OVERLAY, underlayFeatures } from '../contender.ts';
import { daemonArguments, startDaemon } from '../contenders/vtepd.ts';
import { median } from '../statistics.ts';
import { type Bench, isVtepd, type Sample, sampleOf, type Workload } from '../workload.ts';

const STARTS = 5;
const IDLE_SECONDS = 3;

export const START_UP: Workload = {
  name: 'start',
  figures: [
    { name: 'ready', title: 'start to READY, one tunnel', unit: 'ms', digits: 0 },
    { name: 'resident', title: 'resident memory, one worker, idle', unit: 'MB', digits: 1 },
  ],
  takes: isVtepd,
  measure: (contender, bench) => bench.withLab((lab) => measure(contender, bench, lab)),
};

async function measure(
  _contender: Contender,
  bench: Bench,
  lab: Parameters<Parameters<Bench['withLab']>[0]>[0],
): Promise<Sample[]> {
  const { a } = lab.twoHosts();
  const words = daemonArguments(UNDERLAY.a4, UNDERLAY.b4, OVERLAY.a);
  const path = join(lab.folder, 'notify.sock');
  const notify = new NotifySocket(path);
  const times: number[] = [];
  try {
    const starts = bench.quick ? 1 : STARTS;
    for (let start = 1; start <= starts; start += 1) {
      const began = performance.now();
      const starting = startDaemon(a, words, { env: { NOTIFY_SOCKET: path } });
      const isReady = (): boolean =>
        notify.messages().filter((message) => message.includes('READY=1')).length >= start;
      await waitFor(isReady, { what: 'READY=1', intervalMs: 1, timeoutMs: 20_000 });
      times.push(performance.now() - began);
      await (await starting).stop();
    }
  } finally {
    notify.close();
  }
  const daemon = await startDaemon(a, words, { arguments: ['--workers', '1'] });
  await sleep((bench.quick ? 1 : IDLE_SECONDS) * 1000);
  const resident = residentBytes(daemon.child.pid);
  const conditions = { mtu: 1450, offload: underlayFeatures(a) };
  return [
    sampleOf(conditions, 'ready', median(times), { starts: times.length }),
    sampleOf(conditions, 'resident', resident / 1e6, { workers: 1 }),
  ];
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}
