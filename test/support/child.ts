/**
 * A process a test started: followed by its id, its output kept in files.
 *
 * Output goes to files and not to pipes because a test that runs a synchronous command reads no pipe,
 * and a daemon that cannot write its log would stop forwarding in the middle of a measurement.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

import { searchPath } from './probe.ts';
import { waitFor } from './wait.ts';

export interface ChildOptions {
  /** Path without extension; `.out` and `.err` are made of it. */
  readonly outputPath: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Child {
  readonly pid: number;
  readonly command: string;
  /** Settles when the process has ended; never rejects. */
  readonly ended: Promise<Ending>;
  readonly #process: ChildProcess;
  readonly #outputPath: string;

  /**
   * Starts `command` in a session of its own, so that Ctrl-C on the terminal reaches only the program
   * that owns the lab, which then stops its children in order.
   */
  constructor(command: string, args: readonly string[], options: ChildOptions) {
    this.command = [command, ...args].join(' ');
    this.#outputPath = options.outputPath;
    const out = openSync(`${options.outputPath}.out`, 'w');
    const err = openSync(`${options.outputPath}.err`, 'w');
    this.#process = spawn(command, args, {
      stdio: ['ignore', out, err],
      detached: true,
      env: { ...process.env, PATH: searchPath(), ...options.env },
    });
    closeSync(out);
    closeSync(err);
    const child = this.#process;
    this.ended = new Promise((resolve) => {
      child.once('exit', (status, signal) => resolve({ status, signal }));
      child.once('error', () => resolve({ status: 127, signal: null }));
    });
    this.pid = child.pid ?? -1;
    // The lab stops it; until then it must not keep the test process from ending.
    child.unref();
  }

  get running(): boolean {
    return this.pid > 0 && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The file that standard error goes to, where a daemon's log is. */
  get errorPath(): string {
    return `${this.#outputPath}.err`;
  }

  /** Exit status; null while it runs and after a signal. */
  get status(): number | null {
    return this.pid > 0 ? this.#process.exitCode : 127;
  }

  /** What it wrote to standard output so far. */
  stdout(): string {
    return readFileSync(`${this.#outputPath}.out`, 'utf8');
  }

  /** What it wrote to standard error so far. */
  stderr(): string {
    return readFileSync(this.errorPath, 'utf8');
  }

  /** Both streams, standard output first. */
  output(): string {
    return this.stdout() + this.stderr();
  }

  /** False when it was no longer there. */
  kill(signal: NodeJS.Signals): boolean {
    return this.running && this.#process.kill(signal);
  }

  /** Waits for its end; rejects with its output when that takes longer. */
  async wait(timeoutMs = 30_000): Promise<Ending> {
    await waitFor(() => !this.running, {
      timeoutMs,
      what: () => `${this.command} to end; it wrote:\n${this.output()}`,
    });
    return this.ended;
  }

  /** SIGTERM, and SIGKILL when it is still there after `graceMs`. */
  async stop(graceMs = 5_000): Promise<Ending> {
    this.kill('SIGTERM');
    try {
      return await this.wait(graceMs);
    } catch {
      this.kill('SIGKILL');
      return this.ended;
    }
  }
}
