/** One network namespace of a lab, seen as a host: commands run in it, processes live in it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { Child } from './child.ts';
import { findCommand, searchPath } from './probe.ts';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit status; -1 when a signal or the time limit ended it. */
  readonly status: number;
}

export interface ExecOptions {
  /** Given on standard input. */
  readonly input?: string | Uint8Array;
  /** Default 30,000. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export class Host {
  /** Short name inside the lab, such as `a`. */
  readonly name: string;
  /** Name of the network namespace, unique on the machine. */
  readonly namespace: string;
  /** The folder of its lab. */
  readonly folder: string;
  readonly #children: Child[] = [];
  #links = 0;
  #outputs = 0;

  /** Made by {@link Lab.host} only; the namespace exists already. */
  constructor(name: string, namespace: string, folder: string) {
    this.name = name;
    this.namespace = namespace;
    this.folder = folder;
  }

  /** Every process started here, ended ones too. */
  get children(): readonly Child[] {
    return this.#children;
  }

  /** Runs a command in this host and waits for it; blocks the event loop meanwhile. */
  exec(command: string, ...args: readonly string[]): CommandResult {
    return this.execWith({}, command, ...args);
  }

  /** {@link exec} with standard input, environment or another time limit. */
  execWith(options: ExecOptions, command: string, ...args: readonly string[]): CommandResult {
    return runCommand(options, ipCommand(), ['netns', 'exec', this.namespace, command, ...args]);
  }

  /** {@link exec} that throws, with all output, when the command fails; returns its standard output. */
  must(command: string, ...args: readonly string[]): string {
    const result = this.exec(command, ...args);
    if (result.status === 0) return result.stdout;
    throw new Error(
      `Run "${command} ${args.join(' ')}" on host ${this.name}: status ${result.status}\n` +
        result.stdout +
        result.stderr,
    );
  }

  /** `ip -n <this host> …`, throwing on failure. */
  ip(...args: readonly string[]): string {
    const result = runCommand({}, ipCommand(), ['-n', this.namespace, ...args]);
    if (result.status === 0) return result.stdout;
    throw new Error(`Run "ip ${args.join(' ')}" on host ${this.name}: ${result.stderr.trim()}`);
  }

  /** Starts a process that the lab ends. `ip netns exec` becomes the command, so the id is its own. */
  spawn(command: string, ...args: readonly string[]): Child {
    return this.spawnWith({}, command, ...args);
  }

  /** {@link spawn} with additions to the environment. */
  spawnWith(
    env: Readonly<Record<string, string>>,
    command: string,
    ...args: readonly string[]
  ): Child {
    const outputPath = join(this.folder, `${this.name}-${this.#outputs++}`);
    const argv = ['netns', 'exec', this.namespace, command, ...args];
    const child = new Child(ipCommand(), argv, { outputPath, env });
    this.#children.push(child);
    return child;
  }

  /** Name for the next underlay link's end: eth0, eth1, … */
  nextLinkName(): string {
    return `eth${this.#links++}`;
  }
}

/** Path of iproute2's `ip`. */
export function ipCommand(): string {
  return findCommand('ip') ?? 'ip';
}

/** Runs a program to its end, not in a namespace. Never throws. */
export function runCommand(
  options: ExecOptions,
  command: string,
  args: readonly string[],
): CommandResult {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: options.timeoutMs ?? 30_000,
    killSignal: 'SIGKILL',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, PATH: searchPath(), ...options.env },
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  const failure = result.error === undefined ? '' : `${result.error.message}\n`;
  return {
    stdout: result.stdout ?? '',
    stderr: failure + (result.stderr ?? ''),
    status: result.status ?? -1,
  };
}
