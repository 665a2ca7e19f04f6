/** The demo's command line. */
import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Host B uses the kernel's vxlan device. */
  readonly kernel: boolean;
  /** The lab stays up at the end. */
  readonly keep: boolean;
  /** Length of each TCP transfer, 1..60. */
  readonly seconds: number;
}

export const USAGE = `Usage: npm run demo -- [--kernel] [--keep] [--seconds N]

Joins two network namespaces by a VXLAN tunnel, as if they were two hosts, and shows that it works.

  --kernel     the other end of the tunnel is the Linux kernel's own vxlan device
  --keep       leaves everything up at the end, and prints how to enter it and how to remove it
  --seconds N  length of each TCP transfer, 1..60 (default: 3)
  --help       prints this
`;

/** The options; undefined for `--help`. Throws for what does not exist or is out of range. */
export function parseDemoOptions(argv: readonly string[]): DemoOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      kernel: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '3' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 60)
    throw new Error(`Read --seconds "${values.seconds}": a whole number from 1 to 60 is needed`);
  return { kernel: values.kernel, keep: values.keep, seconds };
}
