import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { changeFdb, readTunnel } from '../support/fdb-words.ts';
import { BROADCAST, udpFrame } from '../support/frames.ts';
import { type Host, Lab, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { type Counts, Tally } from '../support/tally.ts';
import { dropsOf, fdbOf, startTunnel } from '../support/tunnels.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import { addKernelVxlan, type Vtepd } from '../support/vtepd.ts';

const VNI = 42;
const NEAR = '02:00:00:00:01:01';
const FAR = '02:00:00:00:00:99';
const GROUP = '01:00:5e:00:00:09';
const FLOOD_LIST = '00:00:00:00:00:00';
/** Frames of each step. */
const TIMES = 10;
/** A remote that answers no ARP. */
const NOBODY = '192.168.120.99';

/**
 * After vxlan_bridge_1d and vxlan_flooding of the kernel's selftests: the daemon on `a` with its TAP in
 * a bridge, guests `g1` (who sends) and `g2` on that bridge; remotes are a daemon on `b` and kernel
 * devices on `c` and `d`. Frames are counted at all of them.
 */
describeIf(
  { namespaces: true, tun: true, kernelVxlan: true, commands: ['tcpdump', 'bridge'] },
  'frames from a bridge over a tunnel to several remotes',
  () => {
    let lab: Lab;
    let remotes: { a: HubHost; b: HubHost; c: HubHost; d: HubHost };
    let guest: { g1: Host; g2: Host };
    let agents: { g1: Agent; c: Agent };
    let daemon: Vtepd;
    let tally: Tally;
    let steps = 0;

    beforeAll(async () => {
      lab = new Lab();
      const [a, b, c, d] = hubOf(lab, ['a', 'b', 'c', 'd']) as [HubHost, HubHost, HubHost, HubHost];
      remotes = { a, b, c, d };
      for (const { host } of [a, b, c, d]) {
        host.exec('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
      }
      a.host.ip('link', 'add', 'br0', 'type', 'bridge');
      a.host.ip('link', 'set', 'br0', 'up');
      guest = { g1: lab.host('g1'), g2: lab.host('g2') };
      for (const each of [guest.g1, guest.g2]) {
        a.host.ip('link', 'set', lab.link(a.host, each).a, 'master', 'br0');
      }
      for (const { host, address } of [c, d]) {
        addKernelVxlan(host, { vni: VNI, local: address, remote: a.address, mtu: 1450 });
      }
      await startTunnel(b.host, { local: b.address, remotes: [a.address] });
      agents = { g1: await Agent.start(guest.g1), c: await Agent.start(c.host) };
    });
    afterAll(async () => lab.close());

    beforeEach(async () => {
      tally = await Tally.start({
        g1: { host: guest.g1, device: 'eth0' },
        g2: { host: guest.g2, device: 'eth0' },
        b: { host: remotes.b.host, device: 'vx42' },
        c: { host: remotes.c.host, device: 'vx42' },
        d: { host: remotes.d.host, device: 'vx42' },
      });
    });
    afterEach(async () => {
      await tally.stop();
      await daemon.stop();
      remotes.a.host.exec('bridge', 'fdb', 'flush', 'dev', 'br0');
    });

    async function start(names: readonly string[], ...more: string[]): Promise<void> {
      const { host, address: local } = remotes.a;
      daemon = await startTunnel(host, { local, remotes: names, arguments: more });
      host.ip('link', 'set', 'vx42', 'master', 'br0');
    }

    /** Guest g1 sends to `mac`; settles when the frames are where they are expected. */
    async function send(what: string, mac: string, counts: Counts): Promise<void> {
      steps += 1;
      const label = `step ${steps}, ${what}`;
      const numbers = Array.from({ length: TIMES }, (_, index) => index);
      const frames = numbers.map((number) => udpFrame(NEAR, mac, `${label}; no. ${number}`));
      await agents.g1.inject('eth0', frames);
      await tally.reach(label, counts);
    }

    /** The kernel device on `c` sends a frame from {@link FAR}; settles when it is taken or dropped. */
    async function speak(): Promise<void> {
      const handled = async (): Promise<number> => {
        const { rx, drops } = await readTunnel(daemon);
        return rx.packets + (drops['mac_pinned'] ?? 0);
      };
      const before = await handled();
      await agents.c.inject('vx42', [udpFrame(FAR, BROADCAST, 'from afar')]);
      await waitFor(async () => (await handled()) > before, { what: 'the frame of c' });
    }

    /**
     * A last frame of the same flow from either side: who has it has all that was sent before, so that
     * a copy too many cannot be on its way any more. Every remote must be on the flood list.
     */
    async function settle(): Promise<void> {
      steps += 1;
      const out = `end ${steps}, out`;
      await agents.g1.inject('eth0', [udpFrame(NEAR, BROADCAST, `${out};`)]);
      await tally.reach(out, { g2: 1, b: 1, c: 1, d: 1 });
      const back = `end ${steps}, back`;
      await agents.c.inject('vx42', [udpFrame(FAR, BROADCAST, `${back};`)]);
      await tally.reach(back, { g1: 1, g2: 1 });
      tally.verify();
    }

    const everybody = { g2: TIMES, b: TIMES, c: TIMES, d: TIMES };
    const far = (): string | undefined => fdbOf(daemon).get(FAR)?.dst;
    const all = (): string[] => [remotes.b.address, remotes.c.address, remotes.d.address];

    /** Our entry, and the bridge's of its own table. */
    async function forget(): Promise<void> {
      await changeFdb(daemon, 'del', `${FAR} dev vx42`);
      remotes.a.host.must('bridge', 'fdb', 'del', FAR, 'dev', 'vx42', 'master');
    }

    it('are flooded once to the local guest and to every remote, also where one is unreachable', async () => {
      await start([...all(), NOBODY]);
      await send('broadcast', BROADCAST, everybody);
      await send('multicast', GROUP, everybody);
      await send('unknown unicast', FAR, everybody);
      await settle();
    });

    it('go to exactly one remote where an entry names it, whichever it is', async () => {
      await start(all());
      for (const name of ['b', 'c', 'd'] as const) {
        const words = `${FAR} dev vx42 dst ${remotes[name].address}`;
        await changeFdb(daemon, 'replace', words);
        remotes.a.host.must('bridge', 'fdb', 'replace', FAR, 'dev', 'vx42', 'master', 'static');
        await send(`unicast to ${name}`, FAR, { [name]: TIMES });
        await send(`broadcast beside it`, BROADCAST, everybody);
      }
      await forget();
      await send('unicast without the entry', FAR, everybody);
      await settle();
    });

    it('are flooded, learned for, unicast, forgotten by hand, flooded, and learned for again', async () => {
      await start(all());
      await send('unknown', FAR, everybody);
      await speak();
      expect(far()).toBe(remotes.c.address);
      await send('learned', FAR, { c: TIMES });
      await forget();
      expect(far()).toBeUndefined();
      await send('deleted', FAR, everybody);
      await speak();
      expect(far()).toBe(remotes.c.address);
      await send('learned again', FAR, { c: TIMES });
      await settle();
    });

    it('do not keep the entry alive by which they are sent', async () => {
      await start(all(), '--ageing', '2');
      await speak();
      const began = performance.now();
      const label = 'only sent to';
      await waitFor(
        async () => {
          await agents.g1.inject('eth0', [udpFrame(NEAR, FAR, `${label};`)]);
          return tally.counts(label)['b']! > 0;
        },
        { timeoutMs: 20_000, intervalMs: 100, what: 'flooding to begin again' },
      );
      expect(performance.now() - began).toBeGreaterThan(1_000);
      expect(far()).toBeUndefined();
      // Up to then they went to the one remote.
      const { b, c, d } = tally.counts(label);
      expect(c! - Math.max(b!, d!)).toBeGreaterThan(5);
    });

    it('stay with a static entry when another remote claims its MAC', async () => {
      await start(all());
      await changeFdb(daemon, 'add', `${FAR} dev vx42 dst ${remotes.b.address} static`);
      remotes.a.host.must('bridge', 'fdb', 'replace', FAR, 'dev', 'vx42', 'master', 'static');
      await speak();
      await speak();
      expect(dropsOf(daemon)).toMatchObject({ mac_pinned: 2 });
      expect(far()).toBe(remotes.b.address);
      await send('pinned', FAR, { b: TIMES });
      expect(tally.counts('from afar')).toMatchObject({ g1: 0, g2: 0 });
      // Without the entry the same claim is good.
      await forget();
      await speak();
      expect(far()).toBe(remotes.c.address);
      await send('free', FAR, { c: TIMES });
      await settle();
    });

    it('reach those remotes that are on the flood list at the time, one more or less a step', async () => {
      await start([]);
      const change = (verb: 'append' | 'del', name: 'b' | 'c' | 'd'): Promise<void> =>
        changeFdb(daemon, verb, `${FLOOD_LIST} dev vx42 dst ${remotes[name].address}`);
      const step = (what: string, ...names: string[]): Promise<void> => {
        const counts = Object.fromEntries(names.map((name) => [name, TIMES]));
        return send(what, BROADCAST, { g2: TIMES, ...counts });
      };
      await step('no remote');
      await waitFor(async () => (await readTunnel(daemon)).drops['no_remote'] === TIMES, {
        what: 'the drops',
      });
      await change('append', 'b');
      await step('b added', 'b');
      await change('append', 'c');
      await step('c added', 'b', 'c');
      await change('append', 'd');
      await step('d added', 'b', 'c', 'd');
      await expect(change('append', 'c')).rejects.toThrow(/./);
      await step('c refused a second time', 'b', 'c', 'd');
      await change('del', 'b');
      await step('b removed', 'c', 'd');
      await change('del', 'd');
      await step('d removed', 'c');
      await change('del', 'c');
      await step('c removed');
      await waitFor(async () => (await readTunnel(daemon)).drops['no_remote'] === 2 * TIMES, {
        what: 'the drops',
      });
      for (const name of ['d', 'c', 'b'] as const) await change('append', name);
      await settle();
    });
  },
);
