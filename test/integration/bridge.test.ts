import { afterAll, beforeAll, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { checkOverlay, checkPings, type OverlayEnd } from '../support/overlay-checks.ts';
import { fdbOf, linkAddress, startTunnel } from '../support/tunnels.ts';
import { Lab, type Host } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import {
  MATRIX_REQUIREMENT,
  mtuOver,
  switchTransmitOffloadsOff,
  underlayAddresses,
  type Peer,
  type VethOffloads,
} from '../support/tunnel-matrix.ts';
import { addKernelVxlan, type Vtepd } from '../support/vtepd.ts';

interface BridgeCase {
  readonly a: 'fast' | 'portable';
  readonly b: Peer;
  readonly underlay: 4 | 6;
  readonly veth: VethOffloads;
}

const CASES: readonly BridgeCase[] = [
  { a: 'fast', b: 'fast', underlay: 4, veth: 'default' },
  { a: 'fast', b: 'fast', underlay: 6, veth: 'tx off' },
  { a: 'fast', b: 'kernel', underlay: 4, veth: 'default' },
  { a: 'fast', b: 'kernel', underlay: 6, veth: 'tx off' },
  { a: 'portable', b: 'portable', underlay: 4, veth: 'default' },
  { a: 'portable', b: 'kernel', underlay: 4, veth: 'default' },
];
const GUESTS = 3;

for (const wanted of CASES) {
  const { a, b, underlay, veth } = wanted;
  const name = `a bridge with the TAP in it, ${a} to ${b} over IPv${underlay}, veth offloads ${veth}`;
  describeIf({ ...MATRIX_REQUIREMENT, kernelVxlan: b === 'kernel' }, name, () => {
    let lab: Lab;
    let here: Vtepd;
    let there: Vtepd | undefined;
    let guests: OverlayEnd[];
    let far: OverlayEnd;

    beforeAll(async () => {
      lab = new Lab();
      const hosts = lab.twoHosts();
      if (veth === 'tx off') {
        for (const host of [hosts.a, hosts.b]) switchTransmitOffloadsOff(host, 'eth0');
      }
      [here, there] = await joinBridges(hosts, wanted);
      const mtu = mtuOver(underlay);
      const numbers = Array.from({ length: GUESTS }, (_, index) => index + 1);
      guests = await Promise.all(numbers.map((number) => addGuest(lab, hosts.a, number, mtu)));
      far = await addGuest(lab, hosts.b, 101, mtu);
    });
    afterAll(async () => lab.close());

    it('carries ping, TCP and UDP between hosts behind the bridges', async () => {
      await checkOverlay(guests[0]!, far, { mtu: mtuOver(underlay) });
    });

    it(`serves ${GUESTS} hosts behind one TAP`, async () => {
      for (const guest of guests) await checkPings(guest, far);
      const mac = linkAddress(far.host, 'eth0');
      const { a: local, b: remote } = underlayAddresses(underlay);
      expect(fdbOf(here).get(mac)?.dst).toBe(remote);
      // The other side has learned all of this side's guests behind one remote.
      const learned = there === undefined ? kernelFdb(lab.host('b')) : fdbOf(there);
      for (const { host } of guests) {
        expect(learned.get(linkAddress(host, 'eth0'))?.dst, host.name).toBe(local);
      }
    });
  });
}

/** A tunnel whose devices are ports of a bridge on each side; returns the daemons of both. */
async function joinBridges(
  hosts: { readonly a: Host; readonly b: Host },
  wanted: BridgeCase,
): Promise<[Vtepd, Vtepd | undefined]> {
  const address = underlayAddresses(wanted.underlay);
  const here = await startTunnel(hosts.a, {
    local: address.a,
    remotes: [address.b],
    arguments: ['--underlay', wanted.a],
  });
  let there: Vtepd | undefined;
  if (wanted.b === 'kernel') {
    const mtu = mtuOver(wanted.underlay);
    addKernelVxlan(hosts.b, { vni: 42, local: address.b, remote: address.a, mtu });
  } else {
    there = await startTunnel(hosts.b, {
      local: address.b,
      remotes: [address.a],
      arguments: ['--underlay', wanted.b],
    });
  }
  for (const host of [hosts.a, hosts.b]) {
    host.ip('link', 'add', 'br0', 'type', 'bridge');
    host.ip('link', 'set', 'br0', 'up');
    host.ip('link', 'set', 'vx42', 'master', 'br0');
  }
  return [here, there];
}

/** A host behind the bridge of `bridge`, with 10.0.0.NUMBER and fd00:10::NUMBER (hexadecimal). */
async function addGuest(lab: Lab, bridge: Host, number: number, mtu: number): Promise<OverlayEnd> {
  const host = lab.host(`g${number}`);
  const ip4 = `10.0.0.${number}`;
  const ip6 = `fd00:10::${number.toString(16)}`;
  const link = lab.link(bridge, host, { b: [`${ip4}/24`, `${ip6}/64`], mtu });
  bridge.ip('link', 'set', link.a, 'master', 'br0');
  return { host, agent: await Agent.start(host), ip4, ip6 };
}

function kernelFdb(host: Host): Map<string, { dst?: string }> {
  const rows = JSON.parse(host.must('bridge', '-j', 'fdb', 'show', 'dev', 'vx42')) as {
    mac: string;
    dst?: string;
  }[];
  return new Map(rows.filter(({ dst }) => dst !== undefined).map((row) => [row.mac, row]));
}
