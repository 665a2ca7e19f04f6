import type { Options } from './options.ts';
import type { Output } from './output.ts';

/** What every verb gets. */
export interface Invocation {
  readonly options: Options;
  /** The words behind the verb. */
  readonly words: readonly string[];
  readonly output: Output;
}

/** A verb, for dispatch and help. `run` imports what it needs, since every start of the program counts. */
export interface Command {
  /** Full words from the program's name on, for example `fdb add`. */
  readonly name: string;
  readonly summary: string;
  readonly usage: readonly string[];
  readonly notes: readonly string[];
  readonly examples: readonly string[];
  readonly takesBatch?: boolean;
  run(invocation: Invocation): Promise<void>;
}
