import { afterEach, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { Capture } from '../support/capture.ts';
import { Lab, UNDERLAY, waitFor } from '../support/lab.ts';
import { arp, solicitation } from '../support/neighbour-frames.ts';
import type { Host } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { linkAddress, startTunnel, tunnelOf } from '../support/tunnels.ts';
import { addKernelVxlan, type Vtepd } from '../support/vtepd.ts';

const VNI = 42;
const GUEST = '02:00:00:00:00:99';
/** Of host b, in the overlay. */
const B4 = '10.0.0.2';
const B6 = 'fd00:42::2';
const REQUIREMENT = {
  namespaces: true,
  tun: true,
  kernelVxlan: true,
  commands: ['ethtool', 'ping', 'tcpdump', 'tshark'],
} as const;

interface NeighbourJson {
  readonly dst: string;
  readonly lladdr?: string;
  readonly state: readonly string[];
}

/** What a host asked of everybody: targets of ARP requests, and of solicitations to a multicast MAC. */
function asked(capture: Capture): { arp: string[]; nd: string[] } {
  const fields = ['arp.dst.proto_ipv4', 'icmpv6.nd.ns.target_address', 'eth.dst'] as const;
  const packets = capture.decode(fields, 'arp.opcode == 1 || icmpv6.type == 135');
  const flooded = packets.filter((packet) => /^(ff:ff|33:33)/.test(packet['eth.dst'][1]!));
  return {
    arp: flooded.flatMap((packet) => packet['arp.dst.proto_ipv4']),
    nd: flooded.flatMap((packet) => packet['icmpv6.nd.ns.target_address']),
  };
}

/** The daemon on `a`, the kernel's vxlan device on `b`. */
describeIf(REQUIREMENT, 'neighbour suppression beside a kernel device', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let agent: Agent;
  let daemon: Vtepd;
  let bMac: string;

  beforeEach(async () => {
    lab = new Lab();
    ({ a, b } = lab.twoHosts());
    // Without this the capture would show several datagrams of one size as one.
    a.must('ethtool', '-K', 'eth0', 'tx', 'off');
    agent = await Agent.start(a);
    daemon = await startTunnel(a, {
      local: UNDERLAY.a4,
      remotes: [UNDERLAY.b4],
      addresses: ['10.0.0.1/24', 'fd00:42::1/64'],
      arguments: ['--neigh-suppress'],
    });
    const addresses = [`${B4}/24`, `${B6}/64`];
    const device = { vni: VNI, local: UNDERLAY.b4, remote: UNDERLAY.a4, addresses };
    bMac = linkAddress(b, addKernelVxlan(b, { ...device, extra: ['dev', 'eth0'] }));
  });
  afterEach(async () => lab.close());

  function ping(...addresses: string[]): void {
    for (const address of addresses)
      a.must('ping', '-n', '-c', '2', '-i', '0.1', '-W', '2', address);
  }

  function neighbour(address: string): NeighbourJson | undefined {
    const text = a.must('ip', '-j', 'neigh', 'show', address, 'dev', 'vx42');
    return (JSON.parse(text) as NeighbourJson[])[0];
  }

  /** What `a` sends over the underlay while `task` runs. */
  async function sentDuring(task: (capture: Capture) => Promise<void> | void): Promise<Capture> {
    const filter = `src ${UNDERLAY.a4} and udp dst port 4789`;
    const capture = await Capture.start(b, 'eth0', filter);
    await task(capture);
    await mark(capture);
    await capture.stop();
    return capture;
  }

  /** Settles when a frame that was sent last is in the file, and with it all before. */
  async function mark(capture: Capture): Promise<void> {
    await agent.inject('vx42', [
      arp({ source: GUEST, senderIp: '10.0.0.9', targetIp: '10.0.0.254' }),
    ]);
    await waitFor(() => asked(capture).arp.includes('10.0.0.254'), { what: 'the last frame' });
  }

  function answered(): number {
    return tunnelOf(daemon).neigh.answered;
  }

  it('answers for neighbours that were added, and the kernel finds them reachable', async () => {
    for (const address of [B4, B6]) {
      expect(daemon.vtep('neigh', 'add', address, 'lladdr', bMac, 'dev', 'vx42').status).toBe(0);
    }
    const capture = await sentDuring(() => {
      ping(B4, B6);
      expect(neighbour(B4)).toMatchObject({ lladdr: bMac, state: ['REACHABLE'] });
      expect(neighbour(B6)).toMatchObject({ lladdr: bMac, state: ['REACHABLE'] });
    });
    expect(asked(capture).arp).not.toContain(B4);
    expect(asked(capture).nd).not.toContain(B6);
    expect(answered()).toBeGreaterThanOrEqual(2);
  });

  it('floods requests for neighbours that nobody knows', async () => {
    daemon.vtep('neigh', 'add', B4, 'lladdr', bMac, 'dev', 'vx42');
    const capture = await sentDuring(() => {
      a.exec('ping', '-n', '-c', '1', '-W', '1', '10.0.0.3');
      a.exec('ping', '-n', '-c', '1', '-W', '1', 'fd00:42::3');
    });
    expect(asked(capture).arp).toContain('10.0.0.3');
    expect(asked(capture).nd).toContain('fd00:42::3');
    expect(answered()).toBe(0);
  });

  it('asks once, and answers from what it heard afterwards', async () => {
    ping(B4, B6);
    const rows = daemon.json('neigh', 'show', 'dev', 'vx42') as NeighbourJson[];
    for (const dst of [B4, B6]) {
      expect(rows).toContainEqual({ dst, dev: 'vx42', lladdr: bMac, state: ['REACHABLE'] });
    }
    const own = rows.find(({ dst }) => dst === '10.0.0.1');
    expect(own).toMatchObject({ lladdr: linkAddress(a, 'vx42'), local: null });
    const capture = await sentDuring(() => {
      a.ip('neigh', 'flush', 'dev', 'vx42');
      ping(B4, B6);
    });
    expect(asked(capture).arp).not.toContain(B4);
    expect(asked(capture).nd).not.toContain(B6);
    expect(answered()).toBeGreaterThanOrEqual(2);
    expect(tunnelOf(daemon).neigh.learned).toBeGreaterThanOrEqual(2);
  });

  it('lets duplicate address detection and announcements through', async () => {
    for (const address of [B4, B6])
      daemon.vtep('neigh', 'add', address, 'lladdr', bMac, 'dev', 'vx42');
    const options = new Uint8Array();
    const to = { destination: '33:33:ff:00:00:02', destinationIp: 'ff02::1:ff00:2' };
    const frames = [
      arp({ source: GUEST, senderIp: '0.0.0.0', targetIp: B4 }),
      arp({ source: GUEST, senderIp: B4, targetIp: B4 }),
      solicitation({ source: GUEST, sourceIp: '::', target: B6, options, ...to }),
    ];
    await sentDuring(async (capture) => {
      await agent.inject('vx42', frames);
      // Two workers may send them in any order.
      const arrived = (): boolean => {
        const { arp: targets, nd } = asked(capture);
        return targets.filter((target) => target === B4).length === 2 && nd.includes(B6);
      };
      await waitFor(arrived, { what: () => `all three in ${JSON.stringify(asked(capture))}` });
    });
    expect(answered()).toBe(0);
    // The entry is a user's: an announcement of somebody else does not move it.
    const [row] = daemon.json('neigh', 'show', B4) as NeighbourJson[];
    expect(row).toMatchObject({ lladdr: bMac, state: ['PERMANENT'] });
  });

  it('says with the exit status what was wrong with an entry', () => {
    const add = ['neigh', 'add', B4, 'lladdr', bMac, 'dev', 'vx42'];
    expect(daemon.vtep(...add).status).toBe(0);
    expect(daemon.vtep(...add).status).toBe(5);
    expect(daemon.vtep('neigh', 'del', B4, 'dev', 'vx42').status).toBe(0);
    expect(daemon.vtep('neigh', 'del', B4, 'dev', 'vx42').status).toBe(4);
  });
});
