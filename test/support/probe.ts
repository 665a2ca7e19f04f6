/**
 * What this machine can do: the questions behind every skipped test and behind the demo's first step.
 *
 * Each answer is a reason in words, or undefined when the thing is there. Answers are found by trying,
 * not by versions, and remembered for the life of the process.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

import { repositoryRoot } from './paths.ts';

export interface Requirement {
  /** Effective user id 0. */
  readonly root?: boolean;
  /** Programs that must be installed. */
  readonly commands?: readonly string[];
  /** The kernel can make a device of type vxlan. Implies `namespaces`. */
  readonly kernelVxlan?: boolean;
  /** /dev/net/tun can be opened. */
  readonly tun?: boolean;
  /** Network namespaces and veth pairs can be made. Implies `root`. */
  readonly namespaces?: boolean;
  /** Files that must exist; relative paths start at the repository's root. */
  readonly files?: readonly string[];
}

/** The first thing of `requirement` that is missing here, in words; undefined when nothing is. */
export function missing(requirement: Requirement): string | undefined {
  const namespaces = requirement.namespaces === true || requirement.kernelVxlan === true;
  if ((requirement.root === true || namespaces) && process.geteuid?.() !== 0) return 'needs root';
  for (const command of requirement.commands ?? []) {
    if (findCommand(command) === undefined) return `${command} is not installed`;
  }
  for (const file of requirement.files ?? []) {
    if (!existsSync(isAbsolute(file) ? file : join(repositoryRoot(), file)))
      return `${file} is missing`;
  }
  const reasons = [
    requirement.tun === true ? once('tun', probeTun) : undefined,
    namespaces ? once('namespaces', probeNamespaces) : undefined,
    requirement.kernelVxlan === true ? once('vxlan', probeKernelVxlan) : undefined,
  ];
  return reasons.find((reason) => reason !== undefined);
}

/** PATH and, behind it, where administrators' programs live: not every root shell looks there. */
export function searchPath(): string {
  return [process.env['PATH'] ?? '', '/usr/sbin', '/sbin', '/usr/local/sbin'].join(delimiter);
}

/** Absolute path of a program, looked for in {@link searchPath}. */
export function findCommand(name: string): string | undefined {
  for (const folder of searchPath().split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

const answers = new Map<string, string | undefined>();

function once(key: string, probe: () => string | undefined): string | undefined {
  if (!answers.has(key)) answers.set(key, probe());
  return answers.get(key);
}

function probeTun(): string | undefined {
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
    return undefined;
  } catch (error) {
    return `/dev/net/tun cannot be opened (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
  }
}

function probeNamespaces(): string | undefined {
  return inNamespace((name) => ip('-n', name, 'link', 'add', 'probe0', 'type', 'veth'), 'veth');
}

function probeKernelVxlan(): string | undefined {
  return inNamespace(
    (name) =>
      ip('-n', name, 'link', 'add', 'probe0', 'type', 'vxlan', 'id', '1', 'dstport', '4789'),
    'vxlan',
  );
}

function inNamespace(tryIt: (name: string) => string | undefined, kind: string) {
  if (findCommand('ip') === undefined) return 'ip (iproute2) is not installed';
  const name = `vtep-probe-${kind}-${process.pid}`;
  const refused = ip('netns', 'add', name);
  if (refused !== undefined) return `network namespaces cannot be made (${refused})`;
  try {
    const error = tryIt(name);
    return error === undefined ? undefined : `the kernel makes no ${kind} device (${error})`;
  } finally {
    ip('netns', 'del', name);
  }
}

/** Runs `ip`; undefined on success, else the first line of what it complained about. */
function ip(...args: string[]): string | undefined {
  const result = spawnSync(findCommand('ip')!, args, { encoding: 'utf8', timeout: 10_000 });
  if (result.status === 0) return undefined;
  return (result.stderr ?? '').trim().split('\n')[0] || `ip ended with ${String(result.status)}`;
}
