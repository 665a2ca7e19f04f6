/** All samples of a run, and the numbers that the table is made of. */
import type { Sample } from './workload.ts';
import { median } from './statistics.ts';

/** Whose figure of the same round every other one is divided by. */
export const REFERENCE = 'kernel';

interface Recorded extends Sample {
  readonly contender: string;
  readonly round: number;
}

export interface Cell {
  readonly median: number;
  readonly rounds: readonly number[];
  /** Median of the rounds' ratios to the kernel's figure of the round; undefined without one. */
  readonly toKernel: number | undefined;
  /** That of the newest round. */
  readonly sample: Sample;
}

export class Results {
  readonly #samples: Recorded[] = [];
  readonly #failures: string[] = [];
  readonly #skipped = new Map<string, string>();

  add(contender: string, round: number, samples: readonly Sample[]): void {
    for (const sample of samples) this.#samples.push({ ...sample, contender, round });
  }

  /** Something that should have worked: the run goes on and ends with status 1. */
  fail(what: string, error: unknown): void {
    this.#failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }

  /** Something that cannot be measured here. */
  skip(what: string, reason: string): void {
    this.#skipped.set(what, reason);
  }

  get failures(): readonly string[] {
    return this.#failures;
  }

  get skipped(): readonly string[] {
    return [...this.#skipped].map(([what, reason]) => `${what}: ${reason}`);
  }

  cell(figure: string, contender: string): Cell | undefined {
    const samples = this.#of(figure, contender);
    const newest = samples.at(-1);
    if (newest === undefined) return undefined;
    const rounds = samples.map(({ value }) => value);
    const toKernel = contender === REFERENCE ? 1 : this.ratio(figure, contender, REFERENCE);
    return { median: median(rounds), rounds, toKernel, sample: newest };
  }

  /** Median over the rounds of one contender's figure divided by another one's of the same round. */
  ratio(figure: string, contender: string, reference: string): number | undefined {
    const references = new Map(this.#of(figure, reference).map((s) => [s.round, s.value]));
    const ratios = this.#of(figure, contender).flatMap(({ round, value }) => {
      const divisor = references.get(round);
      return divisor === undefined || divisor === 0 ? [] : [value / divisor];
    });
    return ratios.length === 0 ? undefined : median(ratios);
  }

  /** Median over the rounds of one figure divided by another one of the same contender and round. */
  quotient(figure: string, divisor: string, contender: string): number | undefined {
    const divisors = new Map(this.#of(divisor, contender).map((s) => [s.round, s.value]));
    const quotients = this.#of(figure, contender).flatMap(({ round, value }) => {
      const by = divisors.get(round);
      return by === undefined ? [] : [value / by];
    });
    return quotients.length === 0 ? undefined : median(quotients);
  }

  #of(figure: string, contender: string): Recorded[] {
    return this.#samples.filter((s) => s.figure === figure && s.contender === contender);
  }
}
