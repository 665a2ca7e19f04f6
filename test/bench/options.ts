/** The bench's command line. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly quick: boolean;
  /** Empty: all. */
  readonly only: readonly string[];
  /** Empty: all. */
  readonly contenders: readonly string[];
  /** At least 1. */
  readonly rounds: number;
  readonly json: string;
  readonly workers: string | undefined;
  readonly baseline: string | undefined;
}

const ROUNDS = 3;

export const USAGE = `Usage: npm run bench -- [options]

Measures this daemon beside the kernel's vxlan device and Open vSwitch, in network namespaces of its own.

  --quick             a smoke test within 60 seconds: everything once and short, no measurement
  --only NAME         only this workload (may repeat)
  --contender NAME    only this contender (may repeat); ratios need "kernel" among them
  --rounds N          rounds of every workload, 1..99 (default: ${ROUNDS})
  --workers N         starts every vtepd with --workers N
  --baseline FOLDER   adds the build of another checkout as a contender
  --json FILE         where the numbers go as JSON (default: a file in ${tmpdir()}, printed at the end)
  --help              prints this
`;

/** The options; undefined for `--help`. Throws for what does not exist or is out of range. */
export function parseBenchOptions(
  argv: readonly string[],
  known: { readonly workloads: readonly string[]; readonly contenders: readonly string[] },
): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      contender: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      workers: { type: 'string' },
      baseline: { type: 'string' },
      json: { type: 'string', default: join(tmpdir(), `vtepd-bench-${process.pid}.json`) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  checkNames('--only', values.only, known.workloads);
  checkNames('--contender', values.contender, known.contenders);
  const rounds = Number(values.rounds ?? (values.quick ? 1 : ROUNDS));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 99)
    throw new Error(`Read --rounds "${values.rounds}": a whole number from 1 to 99 is needed`);
  const { quick, only, contender: contenders, json, workers, baseline } = values;
  return { quick, only, contenders, rounds, json, workers, baseline };
}

function checkNames(option: string, names: readonly string[], known: readonly string[]): void {
  const stranger = names.find((name) => !known.includes(name));
  if (stranger === undefined) return;
  throw new Error(`Read ${option} "${stranger}": there are ${known.join(', ')}`);
}
