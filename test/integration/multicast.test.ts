import { afterEach, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { BROADCAST, udpFrame, vxlan } from '../support/frames.ts';
import { Lab, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { dropsOf, fdbOf, linkAddress, tunnelOf } from '../support/tunnels.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import { addKernelVxlan, startVtepd, type Vtepd } from '../support/vtepd.ts';

const GROUPS = { 4: '239.1.1.1', 6: 'ff05::100' } as const;
const GUEST = '02:00:00:00:00:99';

/** Daemons on `a` and `b`, the kernel's device on `k`, all in one group. */
describeIf(
  { namespaces: true, tun: true, kernelVxlan: true, commands: ['ping'] },
  'a multicast group',
  () => {
    let lab: Lab;
    let a: HubHost;
    let b: HubHost;
    let k: HubHost;

    beforeEach(() => {
      lab = new Lab();
      [a, b, k] = hubOf(lab, ['a', 'b', 'k']) as [HubHost, HubHost, HubHost];
      for (const { host, address } of [a, b, k]) {
        host.ip('address', 'add', address6(address), 'dev', 'eth0', 'nodad');
        host.exec('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
      }
    });
    afterEach(async () => lab.close());

    const address6 = (address: string): string => `fd00:120::${address.split('.')[3]}/64`;

    function start(
      { host, address }: HubHost,
      family: 4 | 6 = 4,
      ...more: string[]
    ): Promise<Vtepd> {
      const words = ['--vni', '42', '--name', 'vx42', '--group', GROUPS[family], '--link', 'eth0'];
      return startVtepd(host, [...words, '--address', overlay(address), ...more]);
    }

    const overlay = (address: string): string => `10.0.0.${address.split('.')[3]}/24`;

    function startKernel(family: 4 | 6 = 4): void {
      addKernelVxlan(k.host, {
        vni: 42,
        local: family === 4 ? k.address : address6(k.address).split('/')[0]!,
        addresses: [overlay(k.address)],
        extra: ['group', GROUPS[family], 'dev', 'eth0'],
      });
    }

    function expectPing(from: HubHost, to: HubHost): void {
      const target = overlay(to.address).split('/')[0]!;
      const ping = from.host.exec('ping', '-n', '-c', '2', '-i', '0.2', '-W', '2', target);
      expect(ping.stdout).toContain('2 received');
      expect(ping.stdout).not.toContain('DUP');
    }

    it.each([4, 6] as const)(
      'of IPv%i joins daemons and the kernel, each then by unicast',
      async (family) => {
        const [one, other] = await Promise.all([start(a, family), start(b, family)]);
        startKernel(family);
        for (const from of [a, b, k])
          for (const to of [a, b, k]) if (from !== to) expectPing(from, to);
        const of = ({ address }: HubHost): string =>
          family === 4 ? address : address6(address).split('/')[0]!;
        for (const [daemon, self] of [
          [one, a],
          [other, b],
        ] as const) {
          const learned = [...fdbOf(daemon)].map(([mac, { dst }]) => `${mac} ${dst}`);
          const others = [a, b, k].filter((host) => host !== self);
          const wanted = others.map((host) => `${linkAddress(host.host, 'vx42')} ${of(host)}`);
          expect(learned.toSorted()).toEqual(wanted.toSorted());
          expect(dropsOf(daemon)).toEqual({});
          const heard = tunnelOf(daemon).remotes.filter((remote) => remote.heard === true);
          expect(heard.map(({ dst }) => dst).toSorted()).toEqual(others.map(of).toSorted());
          expect(tunnelOf(daemon).group).toEqual({
            ...{ address: GROUPS[family], link: 'eth0', ttl: 1, joined: true },
          });
        }
      },
    );
  },
);
