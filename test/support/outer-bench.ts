/** Two hosts, one of them with a daemon, and what the outer headers of its datagrams are on the wire. */
import { Agent } from './agent.ts';
import { Capture } from './capture.ts';
import { ethernet, ETHERTYPE, udp } from './frames.ts';
import { Lab, UNDERLAY, type Host, waitFor } from './lab.ts';
import { switchTransmitOffloadsOff } from './tunnel-matrix.ts';
import { linkAddress } from './tunnels.ts';
import { addKernelVxlan, startVtepd, type Vtepd } from './vtepd.ts';

export const OUTER_FIELDS = [
  'ip.ttl',
  'ip.dsfield',
  'ip.flags.df',
  'ip.flags.mf',
  'ip.len',
  'ip.src',
  'ip.dst',
  'ipv6.hlim',
  'ipv6.tclass',
  'ipv6.flow',
  'ipv6.src',
  'ipv6.dst',
  'udp.checksum',
  'udp.dstport',
  'vxlan.vni',
  'frame.len',
] as const;
export type OuterPacket = Record<(typeof OUTER_FIELDS)[number], string[]>;

/** What one outer header says; numbers, so that tshark's notations do not matter. */
export interface OuterHeader {
  readonly family: 4 | 6;
  readonly ttl: number;
  readonly tos: number;
  /** Undefined over IPv6. */
  readonly df: boolean | undefined;
  /** Undefined over IPv4. */
  readonly label: number | undefined;
  /** False when it is zero. */
  readonly checksum: boolean;
}

export interface RawDatagram {
  readonly tos?: number;
  /** VXLAN header and frame. */
  readonly payload: Buffer;
}

export class OuterBench {
  readonly lab: Lab;
  readonly a: Host;
  readonly b: Host;
  readonly agents: { readonly a: Agent; readonly b: Agent };

  private constructor(lab: Lab, a: Host, b: Host, agents: { a: Agent; b: Agent }) {
    this.lab = lab;
    this.a = a;
    this.b = b;
    this.agents = agents;
  }

  static async open(): Promise<OuterBench> {
    const lab = new Lab();
    try {
      const { a, b } = lab.twoHosts();
      // What is captured is then what a wire carries: no merged datagrams.
      for (const host of [a, b]) switchTransmitOffloadsOff(host, 'eth0');
      const [one, other] = await Promise.all([Agent.start(a), Agent.start(b)]);
      return new OuterBench(lab, a, b, { a: one, b: other });
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /** A daemon on host `a` with one tunnel `vx42` to host `b`; `settings` are further lines of YAML. */
  daemon(underlay: 4 | 6, settings: string, remotes = underlayOf(underlay).b): Promise<Vtepd> {
    const { a } = underlayOf(underlay);
    return this.configured(
      `tunnels:\n  vx42: { id: 42, local: "${a}", remotes: ["${remotes}"], ${settings} }\n`,
    );
  }

  configured(yaml: string): Promise<Vtepd> {
    const path = this.lab.file(`vtepd-${files++}.yaml`, `workers: 1\n${yaml}`);
    return startVtepd(this.a, ['--config', path]);
  }

  /** The kernel's device on host `a` in the place of the daemon, with further words of ip-link. */
  kernel(underlay: 4 | 6, words: readonly string[]): void {
    const { a, b } = underlayOf(underlay);
    addKernelVxlan(this.a, { vni: 42, local: a, remote: b, extra: ['dev', 'eth0', ...words] });
  }

  /**
   * Sends frames into a device of host `a` and returns the outer header of each, as it arrives at host `b`.
   * Each must have a source MAC of its own.
   */
  async headersOf(
    frames: readonly Buffer[],
    device = 'eth0',
    from = 'vx42',
  ): Promise<OuterHeader[]> {
    const packets = await this.packetsOf(frames, device, from);
    return packets.map(headerOf);
  }

  async packetsOf(
    frames: readonly Buffer[],
    device = 'eth0',
    from = 'vx42',
  ): Promise<OuterPacket[]> {
    const capture = await Capture.start(this.b, device, 'udp dst port 4789');
    await waitFor(() => this.a.exec('ip', 'link', 'show', from).status === 0, { what: from });
    // The stack's own frames (router solicitations, group reports) have other source MACs.
    const sources = frames.map((frame) => frame.subarray(6, 12).toString('hex'));
    await this.agents.a.inject(from, [...frames]);
    const wanted = (): OuterPacket[] => {
      const packets = capture.decode([...OUTER_FIELDS, 'eth.src']);
      const of = (source: string): OuterPacket[] =>
        packets.filter((packet) => packet['eth.src'].at(-1)!.replaceAll(':', '') === source);
      return sources.flatMap(of);
    };
    await waitFor(() => wanted().length >= frames.length, {
      what: () => `${frames.length} datagrams: ${JSON.stringify(wanted())}`,
    }).finally(() => capture.stop());
    return wanted();
  }

  /** Sends datagrams from host `b` to host `a`, each with the TOS or traffic class given. */
  async sendRaw(underlay: 4 | 6, datagrams: readonly RawDatagram[]): Promise<void> {
    const { a, b } = underlayOf(underlay);
    const type = underlay === 4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6;
    const addresses = {
      source: linkAddress(this.b, 'eth0'),
      destination: linkAddress(this.a, 'eth0'),
    };
    const frames = datagrams.map(({ tos = 0, payload }) => {
      const ports = { sourcePort: 50_000, destinationPort: 4789 };
      return ethernet(
        { ...addresses, type },
        udp({ source: b, destination: a, tos }, ports, payload),
      );
    });
    await this.agents.b.inject('eth0', frames);
  }

  close(): Promise<void> {
    return this.lab.close();
  }
}

let files = 0;

export function underlayOf(family: 4 | 6): { a: string; b: string } {
  return family === 4 ? { a: UNDERLAY.a4, b: UNDERLAY.b4 } : { a: UNDERLAY.a6, b: UNDERLAY.b6 };
}

export function headerOf(packet: OuterPacket): OuterHeader {
  const isFour = isOuterIpv4(packet);
  const number = (name: keyof OuterPacket): number => Number(packet[name][0]);
  return {
    family: isFour ? 4 : 6,
    ttl: number(isFour ? 'ip.ttl' : 'ipv6.hlim'),
    tos: number(isFour ? 'ip.dsfield' : 'ipv6.tclass'),
    df: isFour ? ['1', 'True'].includes(packet['ip.flags.df'][0]!) : undefined,
    label: isFour ? undefined : number('ipv6.flow'),
    checksum: number('udp.checksum') !== 0,
  };
}

/** The underlay's addresses are known, those of frames are others. */
function isOuterIpv4(packet: OuterPacket): boolean {
  return (packet['ip.src'][0] ?? '').startsWith('192.168.');
}
