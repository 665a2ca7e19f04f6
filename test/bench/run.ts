/** Carries out the workloads: rounds outside, contenders inside, nobody always first. */
import { Lab, waitFor } from '../support/lab.ts';
import { reach } from '../support/measure.ts';
import { type Contender, type Overlay, OVERLAY } from './contender.ts';
import type { Results } from './results.ts';
import { rotated } from './statistics.ts';
import type { Bench, Workload } from './workload.ts';

/** Of the namespaces' names. */
export const LAB_PREFIX = 'vtbench';

export interface RunOptions {
  readonly quick: boolean;
  readonly rounds: number;
  readonly daemonArguments: readonly string[];
  /** Told what is going on. */
  readonly progress: (text: string) => void;
}

export class BenchRun implements Bench {
  readonly quick: boolean;
  readonly daemonArguments: readonly string[];
  readonly #options: RunOptions;
  readonly #results: Results;
  readonly #overlays = new Map<string, Promise<Overlay>>();
  readonly #labs: Lab[] = [];

  constructor(options: RunOptions, results: Results) {
    this.quick = options.quick;
    this.daemonArguments = options.daemonArguments;
    this.#options = options;
    this.#results = results;
  }

  overlay(contender: Contender): Promise<Overlay> {
    const known = this.#overlays.get(contender.name);
    if (known !== undefined) return known;
    const lab = this.#newLab();
    const overlay = contender.start(lab).then(async (started) => {
      await answers(started);
      return started;
    });
    this.#overlays.set(contender.name, overlay);
    return overlay;
  }

  async withLab<T>(use: (lab: Lab) => Promise<T>): Promise<T> {
    const lab = this.#newLab();
    try {
      return await use(lab);
    } finally {
      await lab.close();
    }
  }

  /** Every round of one workload. What fails is written down, and the rest goes on. */
  async measure(workload: Workload, contenders: readonly Contender[]): Promise<void> {
    const { quick, rounds, progress } = this.#options;
    const obstacle = workload.obstacle?.();
    if (obstacle !== undefined) return this.#results.skip(workload.name, obstacle);
    const takes = (quick ? workload.takesQuick : undefined) ?? workload.takes ?? (() => true);
    const taking = contenders.filter(takes);
    const count = Math.min(workload.rounds ?? rounds, quick ? 1 : Infinity);
    for (let round = 0; round < count; round += 1) {
      for (const contender of rotated(taking, round)) {
        progress(`${workload.name}, round ${round + 1} of ${count}: ${contender.title}`);
        try {
          const samples = await workload.measure(contender, this);
          this.#results.add(contender.name, round, samples);
        } catch (error) {
          this.#results.fail(`${workload.name}, ${contender.name}, round ${round + 1}`, error);
        }
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#labs.map((lab) => lab.close()));
  }

  #newLab(): Lab {
    const lab = new Lab(LAB_PREFIX);
    this.#labs.push(lab);
    return lab;
  }
}

/** Waits until host b answers through the tunnel: bridges and neighbours take their time. */
async function answers({ a, b }: Overlay): Promise<void> {
  const request = { from: a, to: b, address: OVERLAY.b, count: 1 };
  await waitFor(async () => (await reach(request)).received > 0, {
    timeoutMs: 15_000,
    what: 'host b to answer through the tunnel',
  });
}
