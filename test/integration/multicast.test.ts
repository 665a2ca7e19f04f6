import { afterEach, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { BROADCAST, udpFrame } from '../support/frames.ts';
import { Capture } from '../support/capture.ts';
import { Lab, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { dropsOf, fdbOf, linkAddress, tunnelOf } from '../support/tunnels.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import { addKernelVxlan, runVtepd, startVtepd, type Vtepd } from '../support/vtepd.ts';

const GROUPS = { 4: '239.1.1.1', 6: 'ff05::100' } as const;
const GUEST = '02:00:00:00:00:99';

/** Daemons on `a` and `b`, the kernel's device on `k`, all in one group. */
describeIf(
  { namespaces: true, tun: true, kernelVxlan: true, commands: ['ping', 'tcpdump', 'tshark'] },
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

    it('takes each flooded frame to every host once, and is heard with its own TTL', async () => {
      const [one, other] = await Promise.all([start(a, 4, '--multicast-ttl', '3'), start(b)]);
      startKernel();
      const agent = await Agent.start(a.host);
      const filter = 'udp port 7';
      const captures = await Promise.all(
        [b, k].map(({ host }) => Capture.start(host, 'vx42', filter)),
      );
      const wire = await Capture.start(k.host, 'eth0', `dst ${GROUPS[4]} and udp`);
      const frames = Array.from({ length: 5 }, (_, i) => udpFrame(GUEST, BROADCAST, `no. ${i}`, i));
      await agent.inject('vx42', frames);
      for (const capture of captures) {
        const texts = (await capture.frames(frames.length)).map((each) => each.toString('latin1'));
        expect(texts.toSorted()).toEqual(frames.map((each) => each.toString('latin1')).toSorted());
      }
      await wire.frames(frames.length);
      const ttls = wire.decode(['ip.ttl'], 'udp.dstport == 4789').map((each) => each['ip.ttl'][0]);
      expect(new Set(ttls)).toEqual(new Set(['3']));
      expect(tunnelOf(other).rx.packets).toBe(frames.length);
      expect(tunnelOf(one).rx.packets).toBe(0);
      expect(dropsOf(one)).toEqual({});
    });

    it('goes together with a unicast remote that is not a member', async () => {
      const daemon = await start(a, 4, '--remote', k.address);
      await start(b);
      addKernelVxlan(k.host, {
        vni: 42,
        local: k.address,
        remote: a.address,
        addresses: [overlay(k.address)],
        extra: ['dev', 'eth0'],
      });
      expectPing(a, b);
      expectPing(a, k);
      const roles = tunnelOf(daemon).remotes.map(({ dst, flood, heard }) => [dst, flood, heard]);
      expect(roles).toContainEqual([k.address, true, undefined]);
      expect(roles).toContainEqual([GROUPS[4], true, undefined]);
      expect(roles).toContainEqual([b.address, false, true]);
      const rows = daemon.json('fdb', 'show') as { mac: string; dst: string; viaIf?: string }[];
      const flood = rows.filter(({ mac }) => mac === '00:00:00:00:00:00');
      expect(flood.map(({ dst, viaIf }) => [dst, viaIf])).toContainEqual([GROUPS[4], 'eth0']);
    });

    it('is joined again when its device is made anew, and on a device that comes up again', async () => {
      const daemon = await start(a, 4, '--ageing', '2');
      startKernel();
      expectPing(a, k);
      const member = (): boolean =>
        a.host.exec('ip', 'maddr', 'show', 'dev', 'eth0').stdout.includes(GROUPS[4]);
      expect(member()).toBe(true);
      a.host.ip('link', 'set', 'eth0', 'down');
      a.host.ip('link', 'set', 'eth0', 'up');
      await waitFor(() => member(), { what: 'the group on the device that is up again' });
      expectPing(k, a);
      // The other hosts keep the neighbour entry that they have.
      const mac = linkAddress(a.host, 'eth0');
      a.host.ip('link', 'del', 'eth0');
      await waitFor(() => tunnelOf(daemon).group?.joined === false, { what: 'the loss to show' });
      const hub = lab.hosts.find(({ name }) => name === 'hub')!;
      const peer = ['peer', 'name', 'again', 'netns', hub.namespace];
      a.host.ip('link', 'add', 'eth0', 'address', mac, 'type', 'veth', ...peer);
      a.host.ip('address', 'add', `${a.address}/24`, 'dev', 'eth0');
      a.host.ip('link', 'set', 'eth0', 'up');
      hub.ip('link', 'set', 'again', 'master', 'br0', 'up');
      await waitFor(() => member(), { what: 'the group on the new device' });
      expectPing(k, a);
      expect(tunnelOf(daemon).group?.joined).toBe(true);
      await waitFor(() => !tunnelOf(daemon).remotes.some(({ heard }) => heard === true), {
        timeoutMs: 40_000,
        what: 'the silent remote to be forgotten',
      });
    });

    it('is joined by a tunnel that is added at run time, and left with it', async () => {
      const daemon = await startVtepd(a.host, ['--vni', '7', '--name', 'vx7', '--link', 'eth0']);
      startKernel();
      const words = ['group', GROUPS[4], 'dev', 'eth0', 'address', overlay(a.address), 'up'];
      for (let round = 0; round < 2; round += 1) {
        daemon.vtep('link', 'add', 'vx42', 'type', 'vxlan', 'id', '42', ...words);
        expectPing(a, k);
        const [link] = daemon.json('link', 'show', 'vx42') as [
          { linkinfo: { info_data: { group?: string; link?: string } } },
        ];
        expect(link.linkinfo.info_data).toMatchObject({ group: GROUPS[4], link: 'eth0' });
        daemon.vtep('link', 'del', 'vx42');
        const groups = a.host.exec('ip', 'maddr', 'show', 'dev', 'eth0').stdout;
        expect(groups).not.toContain(GROUPS[4]);
      }
    });

    it('is refused without its device, and by the portable underlay', () => {
      const words = ['--vni', '42', '--name', 'vx42', '--group', GROUPS[4], '--link'];
      const none = runVtepd(a.host, [...words, 'eth7', '--socket', `${lab.folder}/x.sock`]);
      expect(none.stderr).toContain("Cannot find the interface 'eth7'");
      const more = ['eth0', '--underlay', 'portable', '--socket', `${lab.folder}/x.sock`];
      const portable = runVtepd(a.host, [...words, ...more]);
      expect(portable.stderr).toContain('binding to a device needs the fast underlay');
    });
  },
);
