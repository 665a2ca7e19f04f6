/** What a number depends on besides the code. */
import { cpus, release, totalmem } from 'node:os';

import { runCommand } from '../support/host.ts';
import { repositoryRoot } from '../support/paths.ts';
import { findCommand } from '../support/probe.ts';

export interface Conditions {
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly node: string;
  /** With `+` when files were changed since; `unknown` outside of a repository. */
  readonly commit: string;
  readonly underlayMtu: number;
  readonly iperf3: string;
  readonly openVswitch: string;
}

const UNDERLAY_MTU = 1500;

export function conditions(): Conditions {
  const cores = cpus();
  return {
    kernel: release(),
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGigabytes: Math.round(totalmem() / 1e9),
    node: process.version,
    commit: commit(),
    underlayMtu: UNDERLAY_MTU,
    iperf3: version('iperf3', /iperf (\S+)/),
    openVswitch: version('ovs-vswitchd', /([\d.]+)\s*$/m),
  };
}

function commit(): string {
  const git = (...words: string[]): string | undefined => {
    const result = runCommand({}, 'git', ['-C', repositoryRoot(), ...words]);
    return result.status === 0 ? result.stdout.trim() : undefined;
  };
  const head = git('rev-parse', '--short', 'HEAD');
  if (head === undefined) return 'unknown';
  return git('status', '--porcelain') === '' ? head : `${head}+`;
}

function version(command: string, pattern: RegExp): string {
  const path = findCommand(command);
  if (path === undefined) return 'not installed';
  return pattern.exec(runCommand({}, path, ['--version']).stdout)?.[1] ?? 'unknown';
}
