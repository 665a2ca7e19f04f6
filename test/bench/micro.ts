/**
 * `npm run bench:micro`: what the pieces of the forwarding path take for one frame, without any device.
 *
 *   --only WORD   only the benchmarks whose name contains it
 *   --json        JSON on standard output instead of the table ({@link MicroReport})
 */
import { parseArgs } from 'node:util';

import { conditions, type Conditions } from './conditions.ts';
import { CHECKSUMS } from './micro/checksum.ts';
import { DATA_PATH } from './micro/data-path.ts';
import { LEARNS, LOOKUPS } from './micro/fdb.ts';
import { measure, type MicroRow } from './micro/measure.ts';

export interface MicroReport {
  readonly conditions: Conditions;
  readonly rows: readonly MicroRow[];
}

const BENCHMARKS = [...CHECKSUMS, ...LOOKUPS, ...LEARNS, ...DATA_PATH];
const NAME_WIDTH = Math.max(...BENCHMARKS.map(({ name }) => name.length)) + 2;

function main(argv: readonly string[]): number {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  });
  const wanted = BENCHMARKS.filter(({ name }) => name.includes(values.only));
  if (wanted.length === 0) {
    console.error(`error: no benchmark's name contains "${values.only}"`);
    return 2;
  }
  const where = conditions();
  if (!values.json) {
    console.log(
      `${where.cpu}, Linux ${where.kernel}, Node ${where.node}, commit ${where.commit}\n`,
    );
    console.log(`${'ns per frame'.padEnd(NAME_WIDTH)}  median  fastest  slowest`);
  }
  const rows = wanted.map((benchmark) => {
    const row = measure(benchmark);
    if (!values.json) printRow(row);
    return row;
  });
  const report: MicroReport = { conditions: where, rows };
  if (values.json) console.log(JSON.stringify(report, undefined, 2));
  return 0;
}

function printRow({ name, nanoseconds, fastest, slowest }: MicroRow): void {
  const [middle, low, high] = [nanoseconds, fastest, slowest].map((value) => value.toFixed(1));
  const text = `${name.padEnd(NAME_WIDTH)}  ${middle!.padStart(6)}  ${low!.padStart(7)}`;
  console.log(`${text}  ${high!.padStart(7)}`);
}

process.exit(main(process.argv.slice(2)));
