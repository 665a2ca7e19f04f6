/**
 * Network namespaces as hosts, veth pairs as cables: what integration tests and the demo run on.
 *
 * A lab removes all it made when it is closed, when the process ends, and on SIGINT, SIGTERM, SIGHUP.
 * Names carry the process id, so that labs of parallel runs do not meet; what a killed run left behind
 * is found by that id ({@link removeAbandonedLabs}).
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Child } from './child.ts';
import { Host, ipCommand, runCommand } from './host.ts';

export { Host } from './host.ts';
export { waitFor } from './wait.ts';

/** What {@link Lab.twoHosts} gives its hosts on the underlay. */
export const UNDERLAY = {
  a4: '192.168.120.10',
  b4: '192.168.120.20',
  a6: 'fd00:120::10',
  b6: 'fd00:120::20',
} as const;

export interface LinkOptions {
  /** Addresses with prefix length of the first host's end, either family. */
  readonly a?: readonly string[];
  readonly b?: readonly string[];
  /** Default 1500. */
  readonly mtu?: number;
}

export interface LabOptions {
  /** False: the program that owns the lab handles signals itself. Default true. */
  readonly signals?: boolean;
}

export class Lab {
  /** A folder of this lab for sockets, configuration and output; removed with it. */
  readonly folder: string;
  readonly #prefix: string;
  readonly #hosts = new Map<string, Host>();
  readonly #children: Child[] = [];
  #closed = false;

  /** `prefix` is 1..12 letters; namespaces are named `<prefix><process id>-<lab>-<host>`. */
  constructor(prefix = 'vtlab', options: LabOptions = {}) {
    this.#prefix = `${prefix}${process.pid}-${labsMade++}`;
    this.folder = mkdtempSync(join(tmpdir(), `${this.#prefix}-`));
    register(this, options.signals ?? true);
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /** The host of this name; made at the first call, with `lo` up and IPv6 addresses usable at once. */
  host(name: string): Host {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const host = new Host(name, `${this.#prefix}-${name}`, this.folder);
    this.#mustIp('netns', 'add', host.namespace);
    this.#hosts.set(name, host);
    host.ip('link', 'set', 'lo', 'up');
    // Duplicate address detection holds every new IPv6 address back for a second. Hosts without IPv6
    // have no such files.
    const settings = ['accept_dad', 'router_solicitations'];
    const files = settings.flatMap((setting) =>
      ['all', 'default'].map((scope) => `/proc/sys/net/ipv6/conf/${scope}/${setting}`),
    );
    host.exec('sh', '-c', files.map((file) => `[ ! -e ${file} ] || echo 0 > ${file}`).join('; '));
    return host;
  }

  /** Lays a veth pair between two hosts, up and addressed; returns the names of its ends. */
  link(a: Host, b: Host, options: LinkOptions = {}): { a: string; b: string } {
    const ends = { a: a.nextLinkName(), b: b.nextLinkName() };
    const mtu = String(options.mtu ?? 1500);
    const peer = ['peer', 'name', ends.b, 'mtu', mtu, 'netns', b.namespace];
    a.ip('link', 'add', ends.a, 'mtu', mtu, 'type', 'veth', ...peer);
    const sides = [
      { host: a, name: ends.a, addresses: options.a ?? [] },
      { host: b, name: ends.b, addresses: options.b ?? [] },
    ];
    for (const { host, name, addresses } of sides) {
      for (const address of addresses) {
        const nodad = address.includes(':') ? ['nodad'] : [];
        host.ip('address', 'add', address, 'dev', name, ...nodad);
      }
      host.ip('link', 'set', name, 'up');
    }
    return ends;
  }

  /** Hosts `a` and `b` with one link between them and the addresses of {@link UNDERLAY}. */
  twoHosts(options: { readonly mtu?: number } = {}): { a: Host; b: Host } {
    const a = this.host('a');
    const b = this.host('b');
    this.link(a, b, {
      a: [`${UNDERLAY.a4}/24`, `${UNDERLAY.a6}/64`],
      b: [`${UNDERLAY.b4}/24`, `${UNDERLAY.b6}/64`],
      ...options,
    });
    return { a, b };
  }

  /** Starts a process outside of the hosts that the lab ends all the same. */
  spawn(command: string, ...args: readonly string[]): Child {
    const outputPath = join(this.folder, `lab-${this.#children.length}`);
    const child = new Child(command, args, { outputPath });
    this.#children.push(child);
    return child;
  }

  /** Writes a file into the lab's folder and returns its path. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** Stops every process (SIGTERM, then SIGKILL), then removes namespaces and folder. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const running = this.#allChildren().filter((child) => child.running);
    await Promise.all(running.map((child) => child.stop()));
    this.closeNow();
  }

  /** The synchronous form for the end of the process: SIGKILL to what is left. */
  closeNow(): void {
    if (this.#closed) return;
    this.#closed = true;
    unregister(this);
    for (const child of this.#allChildren()) child.kill('SIGKILL');
    for (const host of this.hosts) removeNamespace(host.namespace);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Lets go: everything stays as it is after the end of this process. */
  keep(): void {
    this.#closed = true;
    unregister(this);
  }

  #allChildren(): Child[] {
    return [...this.#children, ...this.hosts.flatMap((host) => host.children)];
  }

  #mustIp(...args: readonly string[]): void {
    const result = runCommand({}, ipCommand(), args);
    if (result.status !== 0) throw new Error(`Run "ip ${args.join(' ')}": ${result.stderr.trim()}`);
  }
}

/** Removes namespaces and folders of labs with this prefix whose process is gone; returns the namespaces. */
export function removeAbandonedLabs(prefix = 'vtlab'): string[] {
  const folder = '/run/netns';
  const pattern = new RegExp(`^${prefix}(\\d+)-\\d+-`);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const abandoned = names.filter((name) => {
    const pid = pattern.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
  for (const name of abandoned) removeNamespace(name);
  for (const name of readdirSync(tmpdir())) {
    const pid = pattern.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  return abandoned;
}

/** Ends what still lives in a lab's namespace (a shell's background job, say) and removes it. */
function removeNamespace(name: string): void {
  const pids = runCommand({}, ipCommand(), ['netns', 'pids', name]).stdout.split('\n');
  for (const pid of pids) {
    if (pid === '') continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  runCommand({}, ipCommand(), ['netns', 'del', name]);
}

let labsMade = 0;
const open = new Map<Lab, boolean>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function register(lab: Lab, signals: boolean): void {
  if (open.size === 0) process.on('exit', closeAll);
  if (signals && ![...open.values()].includes(true)) {
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  open.set(lab, signals);
}

function unregister(lab: Lab): void {
  open.delete(lab);
  if (open.size === 0) process.off('exit', closeAll);
  if (![...open.values()].includes(true)) {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

function closeAll(): void {
  for (const lab of [...open.keys()]) lab.closeNow();
}

function onSignal(signal: NodeJS.Signals): void {
  closeAll();
  // With the handler gone the signal now does what it does to a program without one.
  process.kill(process.pid, signal);
}
