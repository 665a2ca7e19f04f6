import { afterEach, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { Capture } from '../support/capture.ts';
import { BROADCAST, udpFrame, vxlan } from '../support/frames.ts';
import { Lab, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { dropsOf, fdbOf, linkAddress, startTunnel, tunnelOf } from '../support/tunnels.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import type { Vtepd } from '../support/vtepd.ts';

const VNI = 42;
const GUEST = '02:00:00:00:00:99';
const OTHER = '02:00:00:00:00:98';
const REQUIREMENT = { namespaces: true, tun: true, commands: ['ping', 'tcpdump'] } as const;

/** One daemon, on `a`; what its remotes `b` and `c` say is written by hand. */
describeIf(REQUIREMENT, 'learning', () => {
  let lab: Lab;
  let a: HubHost;
  let b: HubHost;
  let c: HubHost;
  let agents: { a: Agent; b: Agent; c: Agent };
  let daemon: Vtepd;

  beforeEach(async () => {
    lab = new Lab();
    [a, b, c] = hubOf(lab, ['a', 'b', 'c']) as [HubHost, HubHost, HubHost];
    // What the host says of its own accord would be noise in counters and captures.
    a.host.exec('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    const started = await Promise.all([a, b, c].map(({ host }) => Agent.start(host)));
    agents = { a: started[0]!, b: started[1]!, c: started[2]! };
  });
  afterEach(async () => lab.close());

  async function start(...args: readonly string[]): Promise<void> {
    const remotes = [b.address, c.address];
    daemon = await startTunnel(a.host, { local: a.address, remotes, arguments: args });
  }

  /** A frame of `mac` arrives from a remote; settles when the daemon has taken or dropped it. */
  async function hear(from: 'b' | 'c', mac = GUEST): Promise<void> {
    const before = handled();
    await agents[from].sendUdp({ address: a.address, port: 4789 }, [frameOf(mac)]);
    await waitFor(() => handled() > before, { what: `the frame of ${from}` });
  }

  function handled(): number {
    const { rx, drops } = tunnelOf(daemon);
    return rx.packets + Object.values(drops).reduce((sum, count) => sum + count, 0);
  }

  /** Which remotes get a frame that host `a` sends to `mac`, in the order b, c. */
  async function reached(mac: string): Promise<string[]> {
    const sinks = [];
    for (const { agent, address } of [
      { agent: agents.b, address: b.address },
      { agent: agents.c, address: c.address },
    ]) {
      sinks.push({ agent, address, ...(await agent.call('udpSink', { address, port: 4789 })) });
    }
    const { packets } = tunnelOf(daemon).tx;
    await agents.a.inject('vx42', [udpFrame(OTHER, mac, 'who gets this?')]);
    await waitFor(() => tunnelOf(daemon).tx.packets > packets, { what: 'the frame to leave' });
    const reached: string[] = [];
    for (const { agent, sink, address } of sinks) {
      const datagrams = await agent.call('udpTake', { sink, count: 1, timeoutMs: 200 });
      reached.push(...datagrams.map(() => address));
      await agent.call('udpClose', { sink });
    }
    return reached;
  }

  const dst = (mac = GUEST): string | undefined => fdbOf(daemon).get(mac)?.dst;

  it('floods to every remote once, and sends to the one a MAC was heard from', async () => {
    await start();
    expect(await reached(GUEST)).toEqual([b.address, c.address]);
    expect(await reached(BROADCAST)).toEqual([b.address, c.address]);
    await hear('b');
    expect(dst()).toBe(b.address);
    expect(await reached(GUEST)).toEqual([b.address]);
    expect(await reached(BROADCAST)).toEqual([b.address, c.address]);
  });

  it('follows a MAC to another remote with the first frame from there', async () => {
    await start();
    await hear('b');
    await hear('c');
    expect(dst()).toBe(c.address);
    expect(await reached(GUEST)).toEqual([c.address]);
    await hear('b');
    expect(dst()).toBe(b.address);
    expect(tunnelOf(daemon).fdb.learned).toBe(1);
  });

  it('forgets a MAC that is silent longer than --ageing, and keeps one that is not', async () => {
    await start('--ageing', '2');
    await hear('b');
    await hear('b', OTHER);
    const began = performance.now();
    await waitFor(
      async () => {
        await hear('b', OTHER);
        return dst() === undefined;
      },
      { timeoutMs: 20_000, intervalMs: 200, what: 'the silent MAC to be forgotten' },
    );
    expect(performance.now() - began).toBeGreaterThan(1_000);
    expect(dst(OTHER)).toBe(b.address);
    expect(await reached(GUEST)).toEqual([b.address, c.address]);
  });

  it('never lets go of a static entry: frames of that MAC from elsewhere are dropped', async () => {
    await start('--ageing', '1');
    const added = daemon.vtep('fdb', 'add', GUEST, 'dev', 'vx42', 'dst', b.address, 'static');
    expect(added.stderr).toBe('');
    await hear('c');
    expect(dropsOf(daemon)).toEqual({ mac_pinned: 1 });
    expect(dst()).toBe(b.address);
    await hear('b');
    expect(tunnelOf(daemon).rx.packets).toBe(1);
    // The learned one shows that ageing has been at work.
    await hear('b', OTHER);
    await waitFor(() => dst(OTHER) === undefined, { timeoutMs: 20_000, what: 'ageing' });
    expect(dst()).toBe(b.address);
  });

  it('replaces a learned entry by a static one, which then stays', async () => {
    await start();
    await hear('b');
    const added = daemon.vtep('fdb', 'add', GUEST, 'dev', 'vx42', 'dst', c.address, 'static');
    expect(added.stderr).toBe('');
    expect(dst()).toBe(c.address);
    await hear('b');
    expect(dst()).toBe(c.address);
    expect(dropsOf(daemon)).toEqual({ mac_pinned: 1 });
  });

  it('learns again what was deleted, with the next frame', async () => {
    await start();
    await hear('b');
    const deleted = daemon.vtep('fdb', 'del', GUEST, 'dev', 'vx42', 'dst', b.address);
    expect(deleted.stderr).toBe('');
    expect(dst()).toBeUndefined();
    await hear('b');
    expect(dst()).toBe(b.address);
  });

  it('learns nothing with --no-learning, and still delivers', async () => {
    await start('--no-learning');
    const capture = await Capture.start(a.host, 'vx42', 'udp');
    await hear('b');
    expect(await capture.frames(1)).toEqual([udpFrame(GUEST, BROADCAST, 'heard')]);
    expect(fdbOf(daemon).size).toBe(0);
    expect(await reached(GUEST)).toEqual([b.address, c.address]);
  });

  it('lets a static entry admit its remote only while the entry lives', async () => {
    daemon = await startTunnel(a.host, { local: a.address, remotes: [b.address] });
    await hear('c');
    expect(dropsOf(daemon)).toEqual({ remote_denied: 1 });
    const words = [OTHER, 'dev', 'vx42', 'dst', c.address];
    expect(daemon.vtep('fdb', 'add', ...words, 'static').status).toBe(0);
    await hear('c');
    expect(dst()).toBe(c.address);
    expect(daemon.vtep('fdb', 'del', ...words).status).toBe(0);
    await hear('c');
    expect(dropsOf(daemon)).toEqual({ remote_denied: 2 });
    expect(dst()).toBeUndefined();
  });

  it('never sends from one remote to another what came from the underlay', async () => {
    await start();
    const { sink } = await agents.c.call('udpSink', { address: c.address, port: 4789 });
    await hear('b');
    const received = await agents.c.call('udpTake', { sink, count: 1, timeoutMs: 200 });
    expect(received).toEqual([]);
    expect(tunnelOf(daemon).tx.packets).toBe(0);
  });
});

describeIf({ ...REQUIREMENT, commands: ['ping'] }, 'three daemons in one segment', () => {
  it('reach each other, and each knows where the two others live', async () => {
    const lab = new Lab();
    try {
      const hosts = hubOf(lab, ['a', 'b', 'c']);
      const daemons = await Promise.all(
        hosts.map(({ host, address }, index) =>
          startTunnel(host, {
            local: address,
            remotes: hosts.map((each) => each.address).filter((each) => each !== address),
            addresses: [`10.0.0.${index + 1}/24`],
          }),
        ),
      );
      for (const [from, { host }] of hosts.entries()) {
        for (const to of hosts.keys()) {
          const ping = host.exec('ping', '-n', '-c', '1', '-W', '2', `10.0.0.${to + 1}`);
          expect(ping.status, `${from} to ${to}\n${ping.stdout}`).toBe(0);
          expect(ping.stdout).not.toContain('DUP');
        }
      }
      const wanted = new Map(
        hosts.map(({ host, address }) => [linkAddress(host, 'vx42'), address]),
      );
      expect(wanted.size, 'different MACs').toBe(hosts.length);
      for (const [index, daemon] of daemons.entries()) {
        const own = linkAddress(hosts[index]!.host, 'vx42');
        const learned = [...fdbOf(daemon)].map(([mac, { dst }]) => [mac, dst]);
        expect(new Map(learned as [string, string][])).toEqual(
          new Map([...wanted].filter(([mac]) => mac !== own)),
        );
      }
    } finally {
      await lab.close();
    }
  });
});

function frameOf(mac: string): Buffer {
  return vxlan(VNI, udpFrame(mac, BROADCAST, 'heard'));
}
