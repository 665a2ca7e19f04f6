/** This project's daemon at both ends. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { type Host, type Lab, UNDERLAY, waitFor } from '../../support/lab.ts';
import { repositoryRoot } from '../../support/paths.ts';
import { missing } from '../../support/probe.ts';
import { statusOf, tunnelArguments } from '../../support/tunnels.ts';
import { Vtepd } from '../../support/vtepd.ts';
import { type Contender, type Overlay, OVERLAY, underlayFeatures } from '../contender.ts';

export const DEVICE = 'vx42';

export interface DaemonOptions {
  /** More words for vtepd's command line. */
  readonly arguments?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The repository whose build runs; default: this one. */
  readonly root?: string;
}

export interface DaemonOverlay extends Overlay {
  readonly daemonA: Vtepd;
  readonly daemonB: Vtepd;
}

export interface DaemonContender extends Contender {
  start(lab: Lab): Promise<DaemonOverlay>;
}

/** A contender that runs the daemon with these options at both ends. */
export function daemonContender(
  name: string,
  title: string,
  options: DaemonOptions = {},
): DaemonContender {
  return {
    name,
    title,
    obstacle: () => missing({ namespaces: true, tun: true }),
    start: (lab) => startDaemons(lab, options),
    flood(overlay, remotes) {
      const path = overlay.lab.file('flood', lines(remotes, floodEntry));
      const daemon = (overlay as DaemonOverlay).daemonA;
      const result = daemon.vtep('fdb', 'append', '--batch', path);
      if (result.status !== 0) throw new Error(`Append flood destinations: ${result.stderr}`);
    },
  };
}

/** `ADDRESS dev …` lines for a batch file. */
function lines(remotes: readonly string[], line: (remote: string) => string): string {
  return remotes.map((remote) => `${line(remote)}\n`).join('');
}

function floodEntry(remote: string): string {
  return `00:00:00:00:00:00 dev ${DEVICE} dst ${remote}`;
}

async function startDaemons(lab: Lab, options: DaemonOptions): Promise<DaemonOverlay> {
  const { a, b } = lab.twoHosts();
  const [daemonA, daemonB] = await Promise.all([
    startDaemon(a, daemonArguments(UNDERLAY.a4, UNDERLAY.b4, OVERLAY.a), options),
    startDaemon(b, daemonArguments(UNDERLAY.b4, UNDERLAY.a4, OVERLAY.b), options),
  ]);
  const { daemon, tunnels } = statusOf(daemonA);
  const { mtu, offload, underlay } = tunnels[0]!;
  const states = Object.entries(offload).map(([key, value]) => `${key} ${value}`);
  const said = `${underlay} underlay, ${daemon.workers} workers, ${states.join(', ')}`;
  return {
    ...{ lab, a, b, daemonA, daemonB, mtu },
    device: DEVICE,
    offload: `${said}; ${underlayFeatures(a)}`,
    pidB: daemonB.child.pid,
  };
}

/** The command line of one end. */
export function daemonArguments(local: string, remote: string, address: string): string[] {
  const addresses = [`${address}/${OVERLAY.prefix}`];
  return tunnelArguments({ vni: OVERLAY.vni, local, remotes: [remote], addresses });
}

/** Starts vtepd and waits until it serves; `node` are words in front of the program. */
export async function startDaemon(
  host: Host,
  args: readonly string[],
  options: DaemonOptions = {},
): Promise<Vtepd> {
  const socket = join(host.folder, `${host.name}.sock`);
  const program = join(options.root ?? repositoryRoot(), 'bin', 'vtepd.js');
  const words = [...args, '--socket', socket, ...(options.arguments ?? [])];
  const child = host.spawnWith(options.env ?? {}, process.execPath, program, ...words);
  await waitFor(() => !child.running || (/\bready\b/.test(child.output()) && existsSync(socket)), {
    timeoutMs: 20_000,
    what: () => `vtepd to be ready; it wrote:\n${child.output()}`,
  });
  if (!child.running) throw new Error(`Start vtepd: ${child.output()}`);
  return new Vtepd(host, child, socket);
}
