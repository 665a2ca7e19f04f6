import { afterAll, beforeAll, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { Capture } from '../support/capture.ts';
import { arpRequest } from '../support/frames.ts';
import { Lab, type Host, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { fdbOf, linkAddress, tunnelOf } from '../support/tunnels.ts';
import { addKernelVxlan, startVtepd, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = {
  kernelVxlan: true,
  tun: true,
  commands: ['ping', 'tcpdump', 'tshark'],
} as const;
const SOURCE = '02:00:00:00:0a:01';

interface Layout {
  readonly what: string;
  /** `local` of the tunnel, a line of YAML or none. */
  readonly local: string;
  readonly underlay: 'fast' | 'portable';
}

const LAYOUTS: readonly Layout[] = [
  { what: 'a local address of each', local: 'local: [192.168.1.1, "fd00:2::1"]', underlay: 'fast' },
  { what: 'no local address', local: '', underlay: 'fast' },
  {
    what: 'the portable underlay',
    local: 'local: ["fd00:2::1", 192.168.1.1]',
    underlay: 'portable',
  },
];

for (const { what, local, underlay } of LAYOUTS) {
  describeIf(REQUIREMENT, `one tunnel over IPv4 and IPv6 with ${what}`, () => {
    let lab: Lab;
    let a: Host;
    let four: Host;
    let six: Host;
    let agent: Agent;
    let daemon: Vtepd;

    beforeAll(async () => {
      lab = new Lab();
      [a, four, six] = ['a', 'four', 'six'].map((name) => lab.host(name)) as [Host, Host, Host];
      lab.link(a, four, { a: ['192.168.1.1/24'], b: ['192.168.1.2/24'] });
      lab.link(a, six, { a: ['fd00:2::1/64'], b: ['fd00:2::2/64'] });
      agent = await Agent.start(a);
      const yaml = [
        `underlay: ${underlay}`,
        'tunnels:',
        '  vx42:',
        '    id: 42',
        '    addresses: [10.0.0.1/24]',
        '    remotes: [192.168.1.2, "fd00:2::2"]',
        ...(local === '' ? [] : [`    ${local}`]),
      ];
      const path = lab.file('vtepd.yaml', yaml.join('\n'));
      daemon = await startVtepd(a, ['--config', path]);
      const mtu = 1430;
      addKernelVxlan(four, {
        ...{ vni: 42, local: '192.168.1.2', remote: '192.168.1.1', mtu },
        addresses: ['10.0.0.4/24'],
      });
      addKernelVxlan(six, {
        ...{ vni: 42, local: 'fd00:2::2', remote: 'fd00:2::1', mtu },
        addresses: ['10.0.0.6/24'],
      });
    });
    afterAll(async () => lab.close());

    it('reaches kernel devices of either family, frames of full size included', () => {
      for (const address of ['10.0.0.4', '10.0.0.6']) {
        const ping = ['ping', '-n', '-c', '3', '-i', '0.1', '-W', '2', '-M', 'do', '-s', '1402'];
        expect(a.must(...(ping as [string, ...string[]]), address)).toContain(' 0% packet loss');
      }
    });

    it('has room for the longer header: the MTU is that of IPv6', () => {
      expect(tunnelOf(daemon).mtu).toBe(1430);
    });

    it('learns each MAC behind the address of its family', () => {
      const table = fdbOf(daemon);
      expect(table.get(linkAddress(four, 'vx42'))?.dst).toBe('192.168.1.2');
      expect(table.get(linkAddress(six, 'vx42'))?.dst).toBe('fd00:2::2');
    });

    it('floods once to each remote', async () => {
      const filter = 'udp dst port 4789';
      const captures = await Promise.all([four, six].map((h) => Capture.start(h, 'eth0', filter)));
      await agent.inject('vx42', [arpRequest(SOURCE, '10.0.0.1', '10.0.0.99')]);
      const counts = (): number[] =>
        captures.map(
          (capture) =>
            capture.decode(['eth.src']).filter((packet) => packet['eth.src'].at(-1) === SOURCE)
              .length,
        );
      await waitFor(() => counts().every((count) => count > 0), { what: 'both copies' });
      await Promise.all(captures.map((capture) => capture.stop()));
      expect(counts()).toEqual([1, 1]);
    });

    it('shows both addresses and counts each remote', () => {
      const { local: own, local6, remotes } = tunnelOf(daemon);
      expect([own, local6]).toEqual(['192.168.1.1', 'fd00:2::1']);
      expect(remotes.map(({ dst }) => dst)).toEqual(['192.168.1.2', 'fd00:2::2']);
      for (const { rx, tx } of remotes) expect(Math.min(rx.packets, tx.packets)).toBeGreaterThan(2);
    });

    it('takes static entries of either family', () => {
      for (const [mac, dst] of [
        ['02:00:00:00:04:04', '192.168.1.2'],
        ['02:00:00:00:06:06', 'fd00:2::2'],
      ] as const) {
        expect(daemon.vtep('fdb', 'add', mac, 'dev', 'vx42', 'dst', dst).status).toBe(0);
        expect(fdbOf(daemon).get(mac)?.dst).toBe(dst);
      }
    });
  });
}
