/**
 * `npm run bench`: this daemon beside the kernel's vxlan device and Open vSwitch, on one machine, within one
 * run, and whether it reaches what it must.
 *
 * Everything happens in network namespaces that are removed at the end, after an error and on Ctrl-C.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';

import { removeAbandonedLabs } from '../support/lab.ts';
import { missing } from '../support/probe.ts';
import { conditions, type Conditions } from './conditions.ts';
import { allContenders } from './contenders/all.ts';
import type { Contender } from './contender.ts';
import { type BenchOptions, parseBenchOptions, USAGE } from './options.ts';
import { Results } from './results.ts';
import { BenchRun, LAB_PREFIX } from './run.ts';
import { resultTable, targetTable } from './table.ts';
import { judge } from './targets.ts';
import type { Workload } from './workload.ts';
import { WORKLOADS } from './workloads/all.ts';

const NOISE_LOAD = 0.5;

async function main(argv: readonly string[]): Promise<number> {
  let options: BenchOptions | undefined;
  try {
    const contenders = allContenders({ baseline: '.' }).map(({ name }) => name);
    options = parseBenchOptions(argv, { workloads: WORKLOADS.map(({ name }) => name), contenders });
  } catch (error) {
    return complain((error as Error).message, 'npm run bench -- --help');
  }
  if (options === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const obstacle = missing({ namespaces: true, tun: true, commands: ['ip'] });
  if (obstacle !== undefined) return complain(obstacle, 'run it as root where /dev/net/tun is');
  return perform(options);
}

async function perform(options: BenchOptions): Promise<number> {
  removeAbandonedLabs(LAB_PREFIX);
  const began = performance.now();
  const results = new Results();
  const contenders = participants(options, results);
  const workloads = WORKLOADS.filter(
    ({ name }) => options.only.length === 0 || options.only.includes(name),
  );
  const where = conditions();
  const load = loadavg()[0]!;
  console.log(describe(where));
  if (load > NOISE_LOAD)
    console.log(`note: the machine is busy (load ${load}): trust ratios, not absolute numbers`);
  const run = new BenchRun(
    {
      quick: options.quick,
      rounds: options.rounds,
      daemonArguments: options.workers === undefined ? [] : ['--workers', options.workers],
      progress: (text) => console.error(`${seconds(began).padStart(6)} s  ${text}`),
    },
    results,
  );
  try {
    for (const workload of workloads) await run.measure(workload, contenders);
  } finally {
    await run.close();
  }
  report(options, results, { workloads, contenders, where });
  console.log(`\n${seconds(began)} s; JSON: ${options.json}`);
  return results.failures.length === 0 ? 0 : 1;
}

/** Who can take part; the others are written down with their reason. */
function participants(options: BenchOptions, results: Results): Contender[] {
  const wanted = allContenders(options).filter(
    ({ name }) => options.contenders.length === 0 || options.contenders.includes(name),
  );
  return wanted.filter((contender) => {
    const reason = contender.obstacle();
    if (reason !== undefined) results.skip(contender.title, reason);
    return reason === undefined;
  });
}

interface Ran {
  readonly workloads: readonly Workload[];
  readonly contenders: readonly Contender[];
  readonly where: Conditions;
}

function report(options: BenchOptions, results: Results, ran: Ran): void {
  const { workloads, contenders, where } = ran;
  const figures = workloads.flatMap((workload) => workload.figures);
  const targets = judge(results);
  console.log(`\n${resultTable(results, figures, contenders)}`);
  console.log(
    `\nMedian of ${options.rounds} rounds; in brackets the median ratio to the kernel of the same round.`,
  );
  for (const { name, title } of contenders) {
    const cell = figures.map((figure) => results.cell(figure.name, name)).find((c) => c);
    if (cell !== undefined) console.log(`${title}: MTU ${cell.sample.mtu}, ${cell.sample.offload}`);
  }
  for (const line of results.skipped) console.log(`skipped ${line}`);
  for (const line of results.failures) console.log(`FAILED ${line}`);
  console.log(`\n${targetTable(targets)}`);
  if (options.quick)
    console.log('\nA quick run shows that all of it works; its numbers say little.');
  const rows = figures.flatMap((figure) =>
    contenders.flatMap((contender) => {
      const cell = results.cell(figure.name, contender.name);
      if (cell === undefined) return [];
      const { sample, ...numbers } = cell;
      const { mtu, offload, detail } = sample;
      const { name, title, unit } = figure;
      const row = { figure: name, title, unit, contender: contender.name, ...numbers };
      return [{ ...row, detail, mtu, offload, ...where }];
    }),
  );
  const { skipped, failures } = results;
  const whole = { conditions: where, quick: options.quick, rows, targets, skipped, failures };
  writeFileSync(options.json, `${JSON.stringify(whole, undefined, 2)}\n`);
}

function describe(where: Conditions): string {
  const { kernel, cpu, cores, node, commit, underlayMtu, iperf3, openVswitch } = where;
  const tools = `iperf3 ${iperf3}, Open vSwitch ${openVswitch}`;
  return (
    `Linux ${kernel}, ${cpu}, ${cores} cores, Node ${node}, commit ${commit}, ` +
    `underlay MTU ${underlayMtu}, ${tools}`
  );
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(0);
}

function complain(message: string, hint: string): number {
  console.error(`error: ${message}\nhint: ${hint}`);
  return 2;
}

process.exit(await main(process.argv.slice(2)));
