import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { Capture } from '../support/capture.ts';
import { BROADCAST, udpFrame } from '../support/frames.ts';
import { type Host, Lab, UNDERLAY, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { fdbOf, linkAddress, linkOf, startTunnel, tunnelOf } from '../support/tunnels.ts';
import { startVtepd, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = { namespaces: true, tun: true, commands: ['ping', 'tcpdump'] } as const;
const GUEST = '02:00:00:00:00:99';

describeIf(REQUIREMENT, 'the TAP of a tunnel', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;

  function open(mtu = 1500): void {
    lab = new Lab();
    ({ a, b } = lab.twoHosts({ mtu }));
  }
  beforeEach(() => open());
  afterEach(async () => lab.close());

  const joinA = (...args: readonly string[]): Promise<Vtepd> =>
    startTunnel(a, {
      ...{ local: UNDERLAY.a4, remotes: [UNDERLAY.b4], addresses: ['10.0.0.1/24'] },
      arguments: args,
    });
  const joinB = (...args: readonly string[]): Promise<Vtepd> =>
    startTunnel(b, {
      ...{ local: UNDERLAY.b4, remotes: [UNDERLAY.a4], addresses: ['10.0.0.2/24'] },
      arguments: args,
    });
  const ping = (...words: readonly string[]): string =>
    a.must('ping', '-n', '-c', '3', '-i', '0.05', '-W', '2', ...words, '10.0.0.2');

  describe('that it makes', () => {
    it('has the same MAC after a restart, and another one than the same tunnel elsewhere', async () => {
      const first = await joinA();
      const mac = linkAddress(a, 'vx42');
      // Locally administered, unicast.
      expect(parseInt(mac.slice(0, 2), 16) & 3).toBe(2);
      await first.stop();
      await joinA();
      await joinB();
      expect(linkAddress(a, 'vx42')).toBe(mac);
      expect(linkAddress(b, 'vx42')).not.toBe(mac);
    });

    it('has an MTU that fits the underlay over IPv4', async () => {
      await joinA();
      expect(linkOf(a, 'vx42')?.mtu).toBe(1450);
      expect(a.ip('-d', 'link', 'show', 'vx42')).toContain('gso_max_segs 44');
    });

    it('has an MTU that fits the underlay over IPv6', async () => {
      await startTunnel(a, { local: UNDERLAY.a6, remotes: [UNDERLAY.b6] });
      expect(linkOf(a, 'vx42')?.mtu).toBe(1430);
    });

    it('has a large MTU on an underlay of 9000, which the path then carries', async () => {
      await lab.close();
      open(9000);
      await joinA();
      await joinB();
      expect(linkOf(a, 'vx42')?.mtu).toBe(8950);
      ping('-s', String(8950 - 28), '-M', 'do');
    });

    it('has the MTU that --mtu gives', async () => {
      await joinA('--mtu', '1300');
      expect(linkOf(a, 'vx42')?.mtu).toBe(1300);
    });
  });

  describe('that was there before', () => {
    for (const flags of [[], ['multi_queue']]) {
      const kind = flags.length === 0 ? 'without' : 'with';

      it(`keeps MAC, MTU and life, ${kind} multi_queue`, async () => {
        a.ip('tuntap', 'add', 'vx42', 'mode', 'tap', ...flags);
        a.ip('link', 'set', 'vx42', 'address', GUEST, 'mtu', '1400');
        const daemon = await joinA('--workers', '2');
        await joinB();
        expect(linkOf(a, 'vx42')).toMatchObject({ address: GUEST, mtu: 1400 });
        expect(tunnelOf(daemon)).toMatchObject({ mac: GUEST, mtu: 1400 });
        ping();
        ping('-s', '20000');
        await daemon.stop();
        expect(linkOf(a, 'vx42')).toMatchObject({ address: GUEST, mtu: 1400 });
        // And again, for whatever the first one left set on it.
        await joinA('--offload', 'off');
        ping('-s', '20000');
      });

      it(`takes the MTU that --mtu gives, ${kind} multi_queue`, async () => {
        a.ip('tuntap', 'add', 'vx42', 'mode', 'tap', ...flags);
        a.ip('link', 'set', 'vx42', 'mtu', '1400');
        await joinA('--mtu', '1350');
        expect(linkOf(a, 'vx42')?.mtu).toBe(1350);
      });
    }
  });

  it('follows a MAC that is changed while it runs', async () => {
    const daemon = await joinA();
    await joinB();
    a.ip('link', 'set', 'vx42', 'address', GUEST);
    await waitFor(() => tunnelOf(daemon).mac === GUEST, { what: 'the new MAC' });
    ping();
  });

  describe('of several in one file', () => {
    let here: Vtepd;
    let there: Vtepd;

    beforeEach(async () => {
      here = await startVtepd(a, ['--config', config('a', UNDERLAY.a4, UNDERLAY.b4, 1)]);
      there = await startVtepd(b, ['--config', config('b', UNDERLAY.b4, UNDERLAY.a4, 2)]);
    });

    function config(name: string, local: string, remote: string, number: number): string {
      const tunnels = [101, 102, 103].map((vni) =>
        [
          `  vx${vni}:`,
          `    id: ${vni}`,
          `    local: ${local}`,
          `    remotes: [${remote}]`,
          `    addresses: [10.${vni}.0.${number}/24]`,
        ].join('\n'),
      );
      return lab.file(`${name}.yaml`, `tunnels:\n${tunnels.join('\n')}\n`);
    }

    const reach = (vni: number): boolean =>
      a.exec('ping', '-n', '-c', '1', '-W', '1', `10.${vni}.0.2`).status === 0;

    it('keeps to its own VNI', async () => {
      for (const vni of [101, 102, 103]) expect(reach(vni)).toBe(true);
      const agent = await Agent.start(a);
      const filter = 'udp and dst port 7';
      const captures = [];
      for (const vni of [101, 102, 103]) captures.push(await Capture.start(b, `vx${vni}`, filter));
      const frames = [1, 2].map((flow) => udpFrame(GUEST, BROADCAST, `flow ${flow}`, flow));
      await agent.inject('vx101', [frames[0]!]);
      await agent.inject('vx103', [frames[1]!]);
      expect(await captures[0]!.frames(1)).toEqual([frames[0]]);
      expect(await captures[2]!.frames(1)).toEqual([frames[1]]);
      expect(await captures[1]!.frames(0)).toEqual([]);
      // One MAC may live in several segments.
      expect(fdbOf(there, 'vx101').has(GUEST)).toBe(true);
      expect(fdbOf(there, 'vx102').has(GUEST)).toBe(false);
      expect(fdbOf(there, 'vx103').has(GUEST)).toBe(true);
    });

    it('may be deleted without harm to the others, and that is logged', async () => {
      a.ip('link', 'del', 'vx102');
      await waitFor(() => /device lost/.test(here.log()), { what: 'a line in the log' });
      expect(here.log()).toMatch(/"dev":"vx102".*device lost|device lost.*vx102/);
      expect(reach(101)).toBe(true);
      expect(reach(103)).toBe(true);
      expect(here.child.running).toBe(true);
      // The configuration still wants it.
      await waitFor(() => linkOf(a, 'vx102') !== undefined, { what: 'the device to come back' });
      await waitFor(() => reach(102), { what: 'its traffic' });
      expect((await here.stop()).status).toBe(0);
      expect(linkOf(a, 'vx102')).toBeUndefined();
    });
  });
});
