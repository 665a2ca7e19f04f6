/**
 * A machine with a real systemd as its first process: the root file system of this one below a layer in
 * memory, booted by systemd-nspawn in the network namespace of a lab's host. Up in less than a second.
 *
 * All mounts live in a mount namespace of the container's parent, so that nothing of them is left when
 * that process ends, in whatever way. The machine has device nodes of its own: changing their mode
 * inside changes nothing here.
 */
import { readFileSync } from 'node:fs';

import type { Child } from './child.ts';
import type { CommandResult, Host } from './host.ts';
import { runCommand } from './host.ts';
import type { Lab } from './lab.ts';
import { waitFor } from './wait.ts';

/** What a machine needs of the one it runs on; for `describeIf`. */
export const MACHINE_REQUIREMENT = {
  root: true,
  namespaces: true,
  tun: true,
  commands: ['systemd-nspawn', 'nsenter', 'unshare', 'mount'],
  files: ['/lib/systemd/systemd'],
} as const;

const NSPAWN = [
  'systemd-nspawn --quiet --boot --register=no --keep-unit --console=pipe --capability=all',
  '--system-call-filter=bpf --machine="$NAME" --network-namespace-path=/run/netns/"$NAME"',
  '--directory="$BASE"/root systemd.unit=basic.target',
].join(' ');

/** The upper layer's tmpfs also carries the mount point, in a folder of the lab. */
const BOOT = `
  set -e
  BASE=$1 LAYER=$2 NAME=$3
  mount -t tmpfs -o size=1g,mode=0755 machine "$BASE"
  mkdir "$BASE"/upper "$BASE"/work "$BASE"/root
  [ -z "$LAYER" ] || cp -a "$LAYER"/. "$BASE"/upper/
  mount -t overlay machine -o lowerdir=/,upperdir="$BASE"/upper,workdir="$BASE"/work "$BASE"/root
  export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
  exec ${NSPAWN}`;

export class Machine {
  readonly #container: Child;
  readonly #leader: number;

  /** Use {@link bootMachine}. `leader` is the id, seen from here, of the machine's first process. */
  constructor(container: Child, leader: number) {
    this.#container = container;
    this.#leader = leader;
  }

  /** Runs a command inside and waits for it. */
  exec(command: string, ...args: readonly string[]): CommandResult {
    const enter = ['-t', String(this.#leader), '-m', '-u', '-i', '-n', '-p', '-C', '--'];
    return runCommand({ timeoutMs: 60_000 }, 'nsenter', [...enter, command, ...args]);
  }

  /** {@link exec} that throws, with all output, when the command fails. */
  must(command: string, ...args: readonly string[]): string {
    const result = this.exec(command, ...args);
    if (result.status === 0) return result.stdout;
    throw new Error(
      `Run "${command} ${args.join(' ')}" on the machine: status ${result.status}\n` +
        result.stdout +
        result.stderr,
    );
  }

  /** One property of a unit, as `systemctl show` prints it. */
  property(unit: string, name: string): string {
    return this.must('systemctl', 'show', '--value', '-p', name, unit).trim();
  }

  /** Sends a signal to a service's main process; throws when it has none. Returns the process's id. */
  killMain(unit: string, signal: string): string {
    const pid = this.property(unit, 'MainPID');
    // To `kill`, 0 is the whole process group, which here is that of the caller.
    if (Number(pid) <= 1) throw new Error(`Send SIG${signal} to ${unit}: it does not run`);
    this.must('sh', '-c', 'kill -"$0" "$1"', signal, pid);
    return pid;
  }

  /** Writes a file inside; its folder must exist. */
  write(path: string, text: string): void {
    this.must('sh', '-c', 'printf %s "$1" > "$0"', path, text);
  }

  /** What the unit wrote to the journal. */
  journal(unit: string): string {
    return this.exec('journalctl', '--no-pager', '-o', 'cat', '-u', unit).stdout;
  }

  /** Shuts down in order. */
  async powerOff(): Promise<void> {
    await this.#container.stop(15_000);
  }
}

/**
 * Boots a machine in the namespace of `host`; rejects with the console's output when it does not come up.
 * `layer` is a folder whose content is laid over the root file system before the start.
 */
export async function bootMachine(lab: Lab, host: Host, layer = ''): Promise<Machine> {
  const base = runCommand({}, 'mktemp', ['-d', `${lab.folder}/machine-XXXX`]).stdout.trim();
  const shell = ['sh', '-c', BOOT, 'boot', base, layer, host.namespace];
  const container = lab.spawn('unshare', '--mount', '--propagation', 'private', ...shell);
  const up = await waitFor(
    () => {
      if (!container.running) return 'ended';
      const leader = firstChild(container.pid);
      if (leader === undefined) return undefined;
      const machine = new Machine(container, leader);
      const state = machine.exec('systemctl', 'is-system-running').stdout;
      return /running|degraded/.test(state) ? machine : undefined;
    },
    { timeoutMs: 30_000, what: () => `systemd to be up; the console:\n${container.output()}` },
  );
  if (up === 'ended') throw new Error(`Boot a machine: it ended\n${container.output()}`);
  return up;
}

function firstChild(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? undefined : Number(children.split(' ')[0]);
}
