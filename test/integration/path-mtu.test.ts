import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { Lab, UNDERLAY, waitFor, type Host } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { dropsOf, linkOf, startTunnel, tunnelOf } from '../support/tunnels.ts';
import { addKernelVxlan, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = { namespaces: true, tun: true, commands: ['ping', 'ip'] };
const TCP_BYTES = 1 << 20;
const OVERLAY = { a4: '10.0.0.1', b4: '10.0.0.2', a6: 'fd00:10::1', b6: 'fd00:10::2' } as const;
const ADDRESSES_A = [`${OVERLAY.a4}/24`, `${OVERLAY.a6}/64`];
const ADDRESSES_B = [`${OVERLAY.b4}/24`, `${OVERLAY.b6}/64`];

/** The MTU that `ping` was told when it forbade fragments; undefined when it was told none. */
function toldMtu(host: Host, to: string, bytes: number): number | undefined {
  const words = ['-n', '-c', '3', '-i', '0.2', '-W', '1', '-M', 'do', '-s', String(bytes)];
  const { stdout, stderr } = host.exec('ping', ...words, to);
  const told = /mtu ?= ?(\d+)|mtu: (\d+)/i.exec(stdout + stderr);
  return told === null ? undefined : Number(told[1] ?? told[2]);
}

async function transfer(from: Host, to: Host, address: string): Promise<void> {
  const [source, sink] = await Promise.all([Agent.start(from), Agent.start(to)]);
  const { sink: number, port } = await sink.call('tcpSink', { address });
  const request = { address, port, bytes: TCP_BYTES, timeoutMs: 15_000 };
  const sent = await source.call('tcpSource', request);
  expect(await sink.call('tcpResult', { sink: number, timeoutMs: 15_000 })).toEqual(sent);
}

for (const underlay of [4, 6] as const) {
  const ends =
    underlay === 4 ? { a: UNDERLAY.a4, b: UNDERLAY.b4 } : { a: UNDERLAY.a6, b: UNDERLAY.b6 };
  const room = underlay === 4 ? 1450 : 1430;

  describeIf(
    REQUIREMENT,
    `a tunnel over IPv${underlay} with a larger MTU than its underlay`,
    () => {
      let lab: Lab;
      let a: Host;
      let b: Host;
      let daemon: Vtepd;

      beforeEach(async () => {
        lab = new Lab();
        ({ a, b } = lab.twoHosts());
        daemon = await startTunnel(a, {
          local: ends.a,
          remotes: [ends.b],
          addresses: ADDRESSES_A,
          arguments: ['--mtu', '1500'],
        });
        const kernel = { vni: 42, local: ends.b, remote: ends.a, addresses: ADDRESSES_B };
        addKernelVxlan(b, { ...kernel, mtu: 1500 });
      });
      afterEach(() => lab.close());

      it('tells senders inside what fits', () => {
        expect(toldMtu(a, OVERLAY.b4, 1472)).toBe(room);
        expect(toldMtu(a, OVERLAY.b6, 1452)).toBe(room);
        expect(dropsOf(daemon)).toMatchObject({ mtu: expect.any(Number) as number });
        const [remote] = tunnelOf(daemon).remotes;
        expect(remote).toMatchObject({ pathMtu: 1500 });
      });

      it('carries TCP, super-frames included', async () => {
        await transfer(a, b, OVERLAY.b4);
        await transfer(a, b, OVERLAY.b6);
        expect(tunnelOf(daemon).offload.gso).toBe('on');
        expect(tunnelOf(daemon).drops).toHaveProperty('mtu');
      });

      it('carries TCP of hosts behind a bridge', async () => {
        const c = lab.host('c');
        const { a: port } = lab.link(a, c, { b: ['10.0.0.3/24', 'fd00:10::3/64'] });
        a.ip('link', 'add', 'br0', 'type', 'bridge');
        for (const name of ['vx42', port]) a.ip('link', 'set', name, 'master', 'br0');
        a.ip('link', 'set', 'br0', 'up');
        expect(toldMtu(c, OVERLAY.b4, 1472)).toBe(room);
        await transfer(c, b, OVERLAY.b4);
        await transfer(c, b, OVERLAY.b6);
      });
    },
  );

  describeIf(REQUIREMENT, `a router with a smaller MTU on the IPv${underlay} underlay`, () => {
    const net = underlay === 4 ? { a: '192.0.2.', b: '198.51.100.' } : { a: 'fd01::', b: 'fd02::' };
    const bits = underlay === 4 ? 24 : 64;
    const narrow = 1400;
    let lab: Lab;
    let a: Host;
    let b: Host;
    let r: Host;
    let daemon: Vtepd;

    beforeAll(async () => {
      lab = new Lab();
      [a, r, b] = [lab.host('a'), lab.host('r'), lab.host('b')];
      lab.link(a, r, { a: [`${net.a}1/${bits}`], b: [`${net.a}254/${bits}`] });
      const options = { a: [`${net.b}254/${bits}`], b: [`${net.b}1/${bits}`], mtu: narrow };
      lab.link(r, b, options);
      const key = underlay === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding';
      r.must('sysctl', '-qw', `${key}=1`);
      a.ip('route', 'add', 'default', 'via', `${net.a}254`);
      b.ip('route', 'add', 'default', 'via', `${net.b}254`);
      const local = `${net.a}1`;
      const remote = `${net.b}1`;
      daemon = await startTunnel(a, { local, remotes: [remote], addresses: ADDRESSES_A });
      const kernel = { vni: 42, local: remote, remote: local, addresses: ADDRESSES_B };
      addKernelVxlan(b, { ...kernel, mtu: narrow - (underlay === 4 ? 50 : 70) });
    });
    afterAll(() => lab.close());

    const fits = narrow - (underlay === 4 ? 50 : 70);

    it('is heard, and senders inside are told', async () => {
      expect(linkOf(a, 'vx42')!.mtu).toBe(room);
      await waitFor(() => toldMtu(a, OVERLAY.b4, room - 28) === fits, {
        what: () => `the MTU of the path; ${JSON.stringify(tunnelOf(daemon))}`,
      });
      const [remote] = tunnelOf(daemon).remotes;
      expect(remote!.pathMtu).toBe(narrow);
      expect(remote!.pathMtuExpires).toBeGreaterThan(0);
      expect(remote!.pathMtuExpires).toBeLessThanOrEqual(600);
      expect(toldMtu(a, OVERLAY.b6, room - 48)).toBe(fits);
      expect(linkOf(a, 'vx42')!.mtu, 'the device keeps its own').toBe(room);
    });

    it('does not keep TCP from working', async () => {
      await transfer(a, b, OVERLAY.b4);
      await transfer(a, b, OVERLAY.b6);
    });

    it('is forgotten when the kernel forgets it', async () => {
      r.ip('link', 'set', 'eth1', 'mtu', '1500');
      b.ip('link', 'set', 'eth0', 'mtu', '1500');
      a.ip(...(underlay === 6 ? ['-6'] : []), 'route', 'flush', 'cache');
      // A change that is noticed, so that nobody has to wait.
      a.ip('link', 'set', 'lo', 'mtu', '65000');
      await waitFor(() => tunnelOf(daemon).remotes[0]!.pathMtu === 1500, {
        what: 'the larger path MTU',
      });
      expect(tunnelOf(daemon).remotes[0]).not.toHaveProperty('pathMtuExpires');
    });
  });
}
