/** One end of the demo's tunnel: this daemon or the kernel's device, shown and asked the same way. */
import type { Host } from '../support/lab.ts';
import { addKernelVxlan, startVtepd } from '../support/vtepd.ts';
import type { FdbRow } from './fdb-table.ts';

export const DEVICE = 'vx42';
const VNI = 42;
/** What a lab's first link is called on both hosts. */
const UNDERLAY_DEVICE = 'eth0';

export interface EndOptions {
  readonly host: Host;
  /** Underlay addresses of this host and of the other one. */
  readonly local: string;
  readonly remote: string;
  /** Overlay address with its prefix length. */
  readonly address: string;
}

export interface TunnelEnd {
  readonly host: Host;
  fdb(): FdbRow[];
  /** The command that shows its FDB, as a person would type it here. */
  readonly fdbCommand: string;
  /** Process id and log file of the daemon; absent for the kernel. */
  readonly daemon?: { readonly pid: number; readonly log: string; readonly socket: string };
}

/** The command line that a person would type on that host. */
export function vtepdCommand({ local, remote, address }: EndOptions): string {
  const words = `--vni ${VNI} --local ${local} --remote ${remote} --name ${DEVICE}`;
  return `vtepd ${words} --address ${address}`;
}

/** Starts the daemon on a host; rejects with its output when it does not get ready. */
export async function startDaemonEnd(options: EndOptions): Promise<TunnelEnd> {
  const { host } = options;
  const daemon = await startVtepd(host, vtepdCommand(options).split(' ').slice(1));
  return {
    host,
    fdb: () => daemon.json('fdb', 'show', 'dev', DEVICE) as FdbRow[],
    fdbCommand: `node bin/vtep.js --socket ${daemon.socket} fdb show`,
    daemon: { pid: daemon.child.pid, log: daemon.child.errorPath, socket: daemon.socket },
  };
}

/** The commands that make the kernel's device, as a person would type them on that host. */
export function kernelCommands({ local, remote, address }: EndOptions): string[] {
  // With `dev` the kernel takes the MTU from the underlay; without it the device gets 1500 and fragments.
  const words = `id ${VNI} local ${local} remote ${remote} dstport 4789 dev ${UNDERLAY_DEVICE}`;
  return [
    `ip link add ${DEVICE} type vxlan ${words}`,
    `ip address add ${address} dev ${DEVICE}`,
    `ip link set ${DEVICE} up`,
  ];
}

/** Makes the kernel's vxlan device on a host. */
export function startKernelEnd(options: EndOptions): TunnelEnd {
  const { host, local, remote, address } = options;
  const extra = ['dev', UNDERLAY_DEVICE];
  addKernelVxlan(host, { name: DEVICE, vni: VNI, local, remote, addresses: [address], extra });
  return {
    host,
    fdb: () => JSON.parse(host.must('bridge', '-j', 'fdb', 'show', 'dev', DEVICE)) as FdbRow[],
    fdbCommand: `ip netns exec ${host.namespace} bridge fdb show dev ${DEVICE}`,
  };
}

/** MTU of the tunnel's device on that host. */
export function deviceMtu({ host }: TunnelEnd): number {
  const links = JSON.parse(host.ip('-j', 'link', 'show', DEVICE)) as { mtu: number }[];
  return links[0]!.mtu;
}
