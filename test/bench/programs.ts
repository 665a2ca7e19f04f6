/** Starts the bench's programs on a host and reads what they print. */
import { join } from 'node:path';

import type { Child } from '../support/child.ts';
import type { Host } from '../support/lab.ts';
import { distFolder } from '../support/paths.ts';
import { linkAddress } from '../support/tunnels.ts';
import { type Overlay, OVERLAY } from './contender.ts';
import type { FrameOrder } from './programs/frames.ts';
import type { GeneratorOrder, GeneratorStep } from './programs/generator.ts';
import type { PingerOrder, PingerReport } from './programs/pinger.ts';

/** Nobody has it: what is sent there ends in host b's routing, and nothing is answered. */
const UNUSED_ADDRESS = '10.0.0.99';
const LATE_MS = 1;
const START_TIMEOUT_MS = 30_000;

/** An order without what is the same nearly everywhere. */
type PartialOrder = Omit<GeneratorOrder, 'interface' | 'counter' | 'lateMs'> &
  Partial<GeneratorOrder>;

/** Frames from host a to host b over the overlay. */
export function framesTo(
  overlay: Overlay,
  order: Pick<FrameOrder, 'bytes' | 'flows'> & Partial<FrameOrder>,
): FrameOrder {
  return {
    sourceMac: linkAddress(overlay.a, overlay.device),
    destinationMac: linkAddress(overlay.b, overlay.device),
    source: OVERLAY.a,
    destination: UNUSED_ADDRESS,
    ...order,
  };
}

/** Runs a generator on host a to its end; one step for each rate. */
export async function generate(overlay: Overlay, order: PartialOrder): Promise<GeneratorStep[]> {
  const child = startGenerator(overlay, order);
  const { rates, seconds, warmUpSeconds, settleSeconds } = order;
  const perRate = seconds + warmUpSeconds + settleSeconds;
  await child.wait(START_TIMEOUT_MS + perRate * (rates.length + 3) * 2_000);
  if (child.status !== 0) throw new Error(`Run the generator: ${child.output()}`);
  return jsonLines(child.stdout()) as GeneratorStep[];
}

/** Starts a generator on host a and leaves it to its order. */
export function startGenerator(overlay: Overlay, order: PartialOrder): Child {
  const whole: GeneratorOrder = {
    interface: overlay.device,
    counter: { pid: overlay.pidB, device: overlay.device },
    lateMs: LATE_MS,
    ...order,
  };
  return startProgram(overlay.a, 'generator', whole);
}

/** Starts a pinger on host a towards host b. */
export function startPinger(overlay: Overlay, order: Omit<PingerOrder, 'address'>): Child {
  return startProgram(overlay.a, 'pinger', { address: OVERLAY.b, ...order });
}

/** Waits for a pinger's end; `stop` ends it early. */
export async function pingReport(
  child: Child,
  { seconds, warmUpSeconds }: Pick<PingerOrder, 'seconds' | 'warmUpSeconds'>,
): Promise<PingerReport> {
  await child.wait(START_TIMEOUT_MS + (seconds + warmUpSeconds) * 1_000);
  const [report] = jsonLines(child.stdout()) as PingerReport[];
  if (report === undefined) throw new Error(`Run the pinger: ${child.output()}`);
  return report;
}

function startProgram(host: Host, name: string, order: unknown): Child {
  const program = join(distFolder(), 'test', 'bench', 'programs', `${name}.js`);
  return host.spawn(process.execPath, program, JSON.stringify(order));
}

function jsonLines(text: string): unknown[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as unknown);
}
