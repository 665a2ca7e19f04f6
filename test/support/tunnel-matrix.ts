/** The combinations under which a tunnel must carry everything, and two hosts joined by one of them. */
import { expect } from 'vitest';

import type { StatusReport } from '../../src/api/protocol.ts';
import { Agent } from './agent.ts';
import { Lab, UNDERLAY, type Host } from './lab.ts';
import { checkOverlay, type OverlayEnd } from './overlay-checks.ts';
import { addKernelVxlan, startVtepd, type Vtepd } from './vtepd.ts';

/** This daemon with its fast or portable underlay, or the kernel's vxlan device. */
export type Peer = 'fast' | 'portable' | 'kernel';

export interface TunnelCase {
  readonly a: 'fast' | 'portable';
  readonly b: Peer;
  readonly underlay: 4 | 6;
  /** The daemons' switch. */
  readonly offload: 'auto' | 'off';
}

/** What `ethtool -K … tx off` on both ends of the underlay does. */
export type VethOffloads = 'default' | 'tx off';

export const VNI = 42;
export const OVERLAY = {
  a: { ip4: '10.0.0.1', ip6: 'fd00:10::1' },
  b: { ip4: '10.0.0.2', ip6: 'fd00:10::2' },
} as const;

export const MATRIX_REQUIREMENT = {
  namespaces: true,
  tun: true,
  commands: ['ping', 'ethtool'],
} as const;

/** Every combination with `a` and `b` of one kind. */
export function tunnelCases(a: 'fast' | 'portable', b: Peer): TunnelCase[] {
  return ([4, 6] as const).flatMap((underlay) =>
    (['auto', 'off'] as const).map((offload) => ({ a, b, underlay, offload })),
  );
}

export function caseName({ a, b, underlay, offload }: TunnelCase): string {
  return `${a} to ${b} over IPv${underlay}, offload ${offload}`;
}

/** Overlay MTU on a usual underlay. */
export function mtuOver(underlay: 4 | 6): number {
  return underlay === 4 ? 1450 : 1430;
}

export function underlayAddresses(underlay: 4 | 6): { a: string; b: string } {
  return underlay === 4 ? { a: UNDERLAY.a4, b: UNDERLAY.b4 } : { a: UNDERLAY.a6, b: UNDERLAY.b6 };
}

/** Two hosts with an underlay between them; tunnels come and go. */
export class TunnelBench {
  readonly lab: Lab;
  readonly a: OverlayEnd;
  readonly b: OverlayEnd;

  private constructor(lab: Lab, a: OverlayEnd, b: OverlayEnd) {
    this.lab = lab;
    this.a = a;
    this.b = b;
  }

  static async open(veth: VethOffloads = 'default'): Promise<TunnelBench> {
    const lab = new Lab();
    try {
      const { a, b } = lab.twoHosts();
      if (veth === 'tx off') for (const host of [a, b]) switchTransmitOffloadsOff(host, 'eth0');
      const agents = await Promise.all([Agent.start(a), Agent.start(b)]);
      return new TunnelBench(
        lab,
        { host: a, agent: agents[0], ...OVERLAY.a },
        { host: b, agent: agents[1], ...OVERLAY.b },
      );
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /** Joins the hosts as `wanted` says, makes all checks, and takes the tunnel down again. */
  async check(wanted: TunnelCase): Promise<void> {
    const ends = await this.join(wanted);
    try {
      await checkOverlay(this.a, this.b, { mtu: mtuOver(wanted.underlay) });
      expectNothingLost(ends.a, wanted.offload);
      if (ends.b !== undefined) expectNothingLost(ends.b, wanted.offload);
    } finally {
      await ends.close();
    }
  }

  /** The daemons of a tunnel; `b` is undefined where the kernel serves. */
  async join(wanted: TunnelCase): Promise<{ a: Vtepd; b?: Vtepd; close(): Promise<void> }> {
    const address = underlayAddresses(wanted.underlay);
    const starts = [
      startEnd(this.a, wanted.a, wanted.offload, { local: address.a, remote: address.b }),
    ];
    if (wanted.b === 'kernel') {
      const { ip4, ip6 } = this.b;
      addKernelVxlan(this.b.host, {
        vni: VNI,
        local: address.b,
        remote: address.a,
        addresses: [`${ip4}/24`, `${ip6}/64`],
        mtu: mtuOver(wanted.underlay),
      });
    } else {
      const ways = { local: address.b, remote: address.a };
      starts.push(startEnd(this.b, wanted.b, wanted.offload, ways));
    }
    const [a, b] = await Promise.all(starts);
    const close = async (): Promise<void> => {
      await Promise.all([a!.stop(), b?.stop()]);
      if (b === undefined) this.b.host.ip('link', 'del', 'vx42');
    };
    return b === undefined ? { a: a!, close } : { a: a!, b, close };
  }
}

/** No drop was counted, and the offloads are what was asked for: none was given up on the way. */
function expectNothingLost(daemon: Vtepd, offload: 'auto' | 'off'): void {
  // The daemon's own drops are not looked at: the socket is open a moment before the VNI is known.
  const [tunnel] = (daemon.json('show') as StatusReport).tunnels;
  expect(tunnel!.drops, `drops on host ${daemon.host.name}`).toEqual({});
  const { gro, gso, tso } = tunnel!.offload;
  const fast = tunnel!.underlay === 'fast';
  const wanted = offload === 'auto' ? 'on' : 'off';
  expect(gro).toBe(wanted);
  expect(tso).toBe(wanted);
  expect(gso).toBe(fast ? wanted : 'off');
}

/** What a network card without any transmit offload is like. */
export function switchTransmitOffloadsOff(host: Host, name: string): void {
  host.must('ethtool', '-K', name, 'tx', 'off');
}

function startEnd(
  end: OverlayEnd,
  underlay: 'fast' | 'portable',
  offload: 'auto' | 'off',
  ways: { readonly local: string; readonly remote: string },
): Promise<Vtepd> {
  return startVtepd(end.host, [
    ...['--vni', String(VNI), '--name', 'vx42', '--local', ways.local, '--remote', ways.remote],
    ...['--address', `${end.ip4}/24`, '--address', `${end.ip6}/64`],
    ...['--underlay', underlay, '--offload', offload],
  ]);
}
