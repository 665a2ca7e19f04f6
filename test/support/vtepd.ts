/** Starts what a host of a lab can have at its end of a tunnel: this daemon, or the kernel's device. */
import { connect } from 'node:net';
import { join } from 'node:path';

import type { Child, Ending } from './child.ts';
import type { CommandResult, ExecOptions, Host } from './host.ts';
import { repositoryRoot } from './paths.ts';
import { waitFor } from './wait.ts';

export interface VtepdOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default 15,000: the machine may be busy. */
  readonly readyTimeoutMs?: number;
}

/** A running daemon and the command-line tool bound to its socket. */
export class Vtepd {
  readonly host: Host;
  readonly child: Child;
  /** Path of its API socket. */
  readonly socket: string;

  constructor(host: Host, child: Child, socket: string) {
    this.host = host;
    this.child = child;
    this.socket = socket;
  }

  /** `vtep --socket <its socket> …`. */
  vtep(...args: readonly string[]): CommandResult {
    return vtep(this.host, this.socket, {}, ...args);
  }

  /** {@link vtep} with standard input. */
  vtepWith(options: ExecOptions, ...args: readonly string[]): CommandResult {
    return vtep(this.host, this.socket, options, ...args);
  }

  /** `vtep -j …` parsed; throws when the command fails. */
  json(...args: readonly string[]): unknown {
    const result = this.vtep('-j', ...args);
    if (result.status !== 0) {
      throw new Error(`Run "vtep -j ${args.join(' ')}": status ${result.status}\n${result.stderr}`);
    }
    return JSON.parse(result.stdout);
  }

  /** Everything it logged so far. */
  log(): string {
    return this.child.output();
  }

  async stop(): Promise<Ending> {
    return this.child.stop();
  }
}

let socketsMade = 0;

/**
 * Starts `vtepd` on a host and waits until it says that it is ready and answers on its socket.
 * A socket path of its own in the lab's folder is added unless `args` name one.
 * Rejects with the daemon's output when it ends or hesitates.
 */
export async function startVtepd(
  host: Host,
  args: readonly string[],
  options: VtepdOptions = {},
): Promise<Vtepd> {
  const given = args.indexOf('--socket');
  const socket =
    given >= 0 ? args[given + 1]! : join(host.folder, `${host.name}-${socketsMade++}.sock`);
  const argv = given >= 0 ? args : [...args, '--socket', socket];
  const program = join(repositoryRoot(), 'bin', 'vtepd.js');
  const child = host.spawnWith(options.env ?? {}, process.execPath, program, ...argv);
  await waitFor(
    async () => !child.running || (/\bready\b/i.test(child.output()) && (await answers(socket))),
    {
      timeoutMs: options.readyTimeoutMs ?? 15_000,
      what: () => `vtepd on host ${host.name} to be ready; it wrote:\n${child.output()}`,
    },
  );
  if (!child.running) {
    throw new Error(
      `Start vtepd on host ${host.name}: it ended with ${child.status}\n${child.output()}`,
    );
  }
  return new Vtepd(host, child, socket);
}

/** Runs `vtepd` to its end, for tests of command lines and configurations it must refuse. */
export function runVtepd(host: Host, args: readonly string[]): CommandResult {
  const program = join(repositoryRoot(), 'bin', 'vtepd.js');
  return host.exec(process.execPath, program, ...args);
}

function vtep(
  host: Host,
  socket: string,
  options: ExecOptions,
  ...args: readonly string[]
): CommandResult {
  const program = join(repositoryRoot(), 'bin', 'vtep.js');
  const env = { ...options.env, VTEP_SOCKET: socket };
  return host.execWith({ ...options, env }, process.execPath, program, ...args);
}

/** True when somebody accepts connections on the socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(path);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

export interface KernelVxlanOptions {
  /** Default `vx42`. */
  readonly name?: string;
  readonly vni: number;
  readonly local: string;
  /** Absent: a device without a default remote, fed by `bridge fdb`. */
  readonly remote?: string;
  /** With prefix lengths, either family. */
  readonly addresses?: readonly string[];
  /** Default 4789. */
  readonly port?: number;
  readonly mtu?: number;
  /** More words for `ip link add … type vxlan`, such as `dev eth0`, without which the MTU is 1500. */
  readonly extra?: readonly string[];
}

/** Makes the kernel's own vxlan device on a host, up and addressed; returns its name. */
export function addKernelVxlan(host: Host, options: KernelVxlanOptions): string {
  const name = options.name ?? 'vx42';
  const remote = options.remote === undefined ? [] : ['remote', options.remote];
  const mtu = options.mtu === undefined ? [] : ['mtu', String(options.mtu)];
  const words = ['id', String(options.vni), 'local', options.local, ...remote];
  const port = ['dstport', String(options.port ?? 4789)];
  host.ip(
    'link',
    'add',
    name,
    ...mtu,
    'type',
    'vxlan',
    ...words,
    ...port,
    ...(options.extra ?? []),
  );
  for (const address of options.addresses ?? []) {
    host.ip('address', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []));
  }
  host.ip('link', 'set', name, 'up');
  return name;
}
