import { afterEach, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { changeFdb } from '../support/fdb-words.ts';
import { type Host, Lab, UNDERLAY } from '../support/lab.ts';
import { checkPings, checkTcp, type OverlayEnd } from '../support/overlay-checks.ts';
import { describeIf } from '../support/requires.ts';
import { dropsOf, fdbOf, tunnelOf } from '../support/tunnels.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import { addKernelVxlan, startVtepd, type Vtepd } from '../support/vtepd.ts';

const FLOOD_LIST = '00:00:00:00:00:00';
const TCP_BYTES = 1 << 20;
const REQUIREMENT = { namespaces: true, tun: true, kernelVxlan: true, commands: ['ping'] } as const;

let lab: Lab;
let files = 0;

beforeEach(() => {
  lab = new Lab();
});
afterEach(async () => lab.close());

/** A daemon with these tunnels, in YAML's flow style by name. */
function start(host: Host, tunnels: Readonly<Record<string, string>>): Promise<Vtepd> {
  const lines = Object.entries(tunnels).map(([name, keys]) => `  ${name}: { ${keys} }\n`);
  const file = lab.file(`vtepd-${files++}.yaml`, `tunnels:\n${lines.join('')}`);
  return startVtepd(host, ['--config', file]);
}

/** A host that stands behind a bridge with this device of `host` in it. */
async function guestBehind(host: Host, device: string, number: number): Promise<OverlayEnd> {
  const guest = lab.host(`g${number}`);
  const [ip4, ip6] = [`10.0.0.${number}`, `fd00:10::${number}`];
  const link = lab.link(host, guest, { b: [`${ip4}/24`, `${ip6}/64`], mtu: 1430 });
  const bridge = `br${number}`;
  host.ip('link', 'add', bridge, 'type', 'bridge');
  for (const port of [device, link.a]) host.ip('link', 'set', port, 'master', bridge);
  host.ip('link', 'set', bridge, 'up');
  return { host: guest, agent: await Agent.start(guest), ip4, ip6 };
}

async function check(one: OverlayEnd, other: OverlayEnd): Promise<void> {
  await checkPings(one, other);
  await checkTcp(one, other, { tcpBytes: TCP_BYTES });
}

/** After test_vxlan_nolocalbypass of the kernel's selftests: what passes between them crosses `lo`. */
describeIf(REQUIREMENT, 'two VTEPs on one host', () => {
  const [one, other] = ['192.168.120.11', '192.168.120.12'];
  let host: Host;

  beforeEach(() => {
    host = lab.host('a');
    for (const address of [one, other]) host.ip('address', 'add', `${address}/32`, 'dev', 'lo');
  });

  it('talk when they are two daemons with an address each', async () => {
    const daemons = [
      await start(host, { vxa: `id: 42, local: ${one}, remotes: [${other}]` }),
      await start(host, { vxb: `id: 42, local: ${other}, remotes: [${one}]` }),
    ];
    const guests = [await guestBehind(host, 'vxa', 1), await guestBehind(host, 'vxb', 2)] as const;
    await check(...guests);
    for (const [index, dst] of [other, one].entries()) {
      const rows = [...fdbOf(daemons[index]!).values()];
      expect(new Set(rows.map((row) => row.dst))).toEqual(new Set([dst]));
      expect(dropsOf(daemons[index]!)).not.toHaveProperty('remote_denied');
    }
  });

  it('talk when they are two daemons with a port each', async () => {
    // A learned entry has the own port of its tunnel, as with the kernel: flooding goes on here.
    const keys = `id: 42, local: ${one}, mac-learning: false`;
    const daemons = [
      await start(host, { vxa: keys }),
      await start(host, { vxb: `${keys}, port: 4790` }),
    ];
    for (const [index, [device, port]] of [
      ['vxa', '4790'],
      ['vxb', '4789'],
    ].entries()) {
      const words = `${FLOOD_LIST} dev ${device!} dst ${one} port ${port!}`;
      await changeFdb(daemons[index]!, 'append', words);
    }
    await check(await guestBehind(host, 'vxa', 1), await guestBehind(host, 'vxb', 2));
  });

  it('talk when they are two tunnels of one daemon with a port and a VNI each', async () => {
    const keys = `local: ${one}, mac-learning: false`;
    const daemon = await start(host, {
      vxa: `id: 100, ${keys}`,
      vxb: `id: 200, ${keys}, port: 4790`,
    });
    for (const [device, port, vni] of [
      ['vxa', '4790', '200'],
      ['vxb', '4789', '100'],
    ]) {
      const words = `${FLOOD_LIST} dev ${device!} dst ${one} port ${port!} vni ${vni!}`;
      await changeFdb(daemon, 'append', words);
    }
    await check(await guestBehind(host, 'vxa', 1), await guestBehind(host, 'vxb', 2));
    for (const name of ['vxa', 'vxb']) expect(tunnelOf(daemon, name).rx.packets).toBeGreaterThan(0);
  });
});

/** After dual_vxlan_bridge of the kernel's selftests. */
describeIf(REQUIREMENT, 'two tunnels in one bridge', () => {
  it('make one segment of theirs, with a kernel device at the end of each', async () => {
    const [a, b, c] = hubOf(lab, ['a', 'b', 'c']) as [HubHost, HubHost, HubHost];
    const daemon = await start(a.host, {
      vx42: `id: 42, local: ${a.address}, remotes: [${b.address}]`,
      vx43: `id: 43, local: ${a.address}, remotes: [${c.address}]`,
    });
    a.host.ip('link', 'add', 'br0', 'type', 'bridge');
    for (const port of ['vx42', 'vx43']) a.host.ip('link', 'set', port, 'master', 'br0');
    a.host.ip('link', 'set', 'br0', 'up');
    const ends: OverlayEnd[] = [];
    for (const [index, { host, address }] of [b, c].entries()) {
      const [ip4, ip6] = [`10.0.0.${index + 1}`, `fd00:10::${index + 1}`];
      addKernelVxlan(host, {
        ...{ vni: 42 + index, local: address, remote: a.address, mtu: 1450 },
        addresses: [`${ip4}/24`, `${ip6}/64`],
      });
      ends.push({ host, agent: await Agent.start(host), ip4, ip6 });
    }
    await check(ends[0]!, ends[1]!);
    for (const [device, remote] of [
      ['vx42', b],
      ['vx43', c],
    ] as const) {
      const rows = [...fdbOf(daemon, device).values()];
      expect(rows.map(({ dst }) => dst)).toEqual([remote.address]);
    }
  });
});

describeIf(REQUIREMENT, 'a tunnel over a tunnel between two daemons', () => {
  it('carries ping and TCP', async () => {
    const hosts = lab.twoHosts();
    const addresses = { a: UNDERLAY.a4, b: UNDERLAY.b4 };
    const ends: OverlayEnd[] = [];
    const daemons: Vtepd[] = [];
    for (const [name, far, number] of [
      ['a', 'b', 1],
      ['b', 'a', 2],
    ] as const) {
      const [ip4, ip6] = [`10.1.0.${number}`, `fd00:11::${number}`];
      const outer = `local: ${addresses[name]}, remotes: [${addresses[far]}]`;
      const inner = `local: 10.0.0.${number}, remotes: [10.0.0.${3 - number}]`;
      daemons.push(
        await start(hosts[name], {
          vx42: `id: 42, ${outer}, addresses: [10.0.0.${number}/24]`,
          vx43: `id: 43, ${inner}, addresses: [${ip4}/24, "${ip6}/64"]`,
        }),
      );
      ends.push({ host: hosts[name], agent: await Agent.start(hosts[name]), ip4, ip6 });
    }
    await check(ends[0]!, ends[1]!);
    for (const daemon of daemons) {
      expect(tunnelOf(daemon, 'vx43').mtu).toBe(1400);
      // What the inner tunnel carried went through the outer one.
      expect(tunnelOf(daemon).tx.bytes).toBeGreaterThan(TCP_BYTES);
      expect(tunnelOf(daemon, 'vx43').rx.bytes).toBeGreaterThan(TCP_BYTES);
      expect(dropsOf(daemon)).not.toHaveProperty('circular_route');
    }
  });
});
