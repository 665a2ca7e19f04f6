/** What the bench compares: ways to join two hosts by a tunnel, all set up and asked the same way. */
import type { Host, Lab } from '../support/lab.ts';

/** What every overlay of the bench has on host a and on host b. */
export const OVERLAY = { a: '10.0.0.1', b: '10.0.0.2', prefix: 24, vni: 42 } as const;
/** The veth's end on either host, see {@link Lab.twoHosts}. */
export const UNDERLAY_DEVICE = 'eth0';

/** A tunnel that is up between hosts a and b of a lab of its own. */
export interface Overlay {
  readonly lab: Lab;
  readonly a: Host;
  readonly b: Host;
  /** The overlay's device, of the same name on both hosts. */
  readonly device: string;
  readonly mtu: number;
  /** What is on and off, in words, as the running parts report it. */
  readonly offload: string;
  /** A process of host b, whose /proc entry shows the counters of b's devices. */
  readonly pidB: number;
}

export interface Contender {
  /** As the command line and the JSON call it. */
  readonly name: string;
  /** Head of its column. */
  readonly title: string;
  /** Why it cannot take part on this machine; undefined when it can. */
  obstacle(): string | undefined;
  /** Puts a tunnel into an empty lab; the lab's owner closes it. */
  start(lab: Lab): Promise<Overlay>;
  /** Adds these underlay addresses to the flood list of host a; absent where there is no such list. */
  readonly flood?: (overlay: Overlay, remotes: readonly string[]) => void;
}

/** Starts the process of host b that {@link Overlay.pidB} names: it does nothing. */
export function holder(host: Host): number {
  return host.spawn('sleep', 'infinity').pid;
}

/** The veth's features that a tunnel profits from, as ethtool names them. */
const FEATURES = [
  'tx-checksum-ip-generic',
  'tx-udp-segmentation',
  'tx-udp_tnl-segmentation',
  'tx-udp_tnl-csum-segmentation',
] as const;

/** `veth: tx-udp-segmentation on, …`; says so where ethtool is not there to be asked. */
export function underlayFeatures(host: Host): string {
  const result = host.exec('ethtool', '-k', UNDERLAY_DEVICE);
  if (result.status !== 0) return 'veth: defaults';
  const states = FEATURES.map((feature) => {
    const state = new RegExp(`^\\s*${feature}: (\\w+)`, 'm').exec(result.stdout)?.[1];
    return `${feature} ${state ?? 'unknown'}`;
  });
  return `veth: ${states.join(', ')}`;
}
