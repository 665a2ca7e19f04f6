/** A lookup among a million entries, from the micro-benchmarks, in a process of its own. */
import { join } from 'node:path';

import { FdbTable } from '../../../src/fdb/table.ts';
import { distFolder } from '../../support/paths.ts';
import type { MicroReport } from '../micro.ts';
import { type Bench, isVtepd, type Sample, sampleOf, type Workload } from '../workload.ts';

/** That of a daemon. */
const CAPACITY = 1 << 20;
const NAME = 'FDB lookup, 1 M entries';
const LIMIT_MS = 120_000;

export const LOOKUP: Workload = {
  name: 'lookup',
  figures: [
    { name: 'lookup', title: 'FDB lookup, 1 M entries, random keys', unit: 'ns', digits: 0 },
    { name: 'entry-bytes', title: 'FDB memory', unit: 'B/entry', digits: 1 },
  ],
  takes: isVtepd,
  measure: (_contender, bench) => measure(bench),
};

async function measure(bench: Bench): Promise<Sample[]> {
  const program = join(distFolder(), 'test', 'bench', 'micro.js');
  const words = [program, '--only', NAME, '--json'];
  const report = await bench.withLab(async (lab) => {
    const child = lab.spawn(process.execPath, ...words);
    await child.wait(LIMIT_MS);
    if (child.status !== 0) throw new Error(`Run the micro-benchmarks: ${child.output()}`);
    return JSON.parse(child.stdout()) as MicroReport;
  });
  const row = report.rows.find(({ name }) => name === NAME)!;
  const memory = FdbTable.create(CAPACITY).memory.byteLength / CAPACITY;
  const conditions = { mtu: 0, offload: 'none: no packets' };
  return [
    sampleOf(conditions, 'lookup', row.nanoseconds),
    sampleOf(conditions, 'entry-bytes', memory, { capacity: CAPACITY }),
  ];
}
