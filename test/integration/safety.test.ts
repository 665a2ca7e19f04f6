import { afterEach, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { BROADCAST, udpFrame, vxlan } from '../support/frames.ts';
import { Lab, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { dropsOf, fdbOf, linkAddress, tunnelOf } from '../support/tunnels.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import { addKernelVxlan, startVtepd, type Vtepd } from '../support/vtepd.ts';

const VNI = 42;
const GUEST = '02:00:00:00:00:99';
const OTHER = '02:00:00:00:00:98';
const GROUP = '01:00:5e:00:00:09';
const REQUIREMENT = { namespaces: true, tun: true, kernelVxlan: true, commands: ['ping'] } as const;

/** One daemon, on `a`; `b` has the kernel's device where a test asks for it, `c` writes by hand. */
describeIf(REQUIREMENT, 'safety', () => {
  let lab: Lab;
  let a: HubHost;
  let b: HubHost;
  let c: HubHost;
  let agents: { a: Agent; b: Agent; c: Agent };
  let daemon: Vtepd;

  beforeEach(async () => {
    lab = new Lab();
    [a, b, c] = hubOf(lab, ['a', 'b', 'c']) as [HubHost, HubHost, HubHost];
    for (const { host } of [a, b, c]) {
      host.exec('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    }
    const started = await Promise.all([a, b, c].map(({ host }) => Agent.start(host)));
    agents = { a: started[0]!, b: started[1]!, c: started[2]! };
  });
  afterEach(async () => lab.close());

  /** `settings` are further keys of the tunnel, in YAML's flow style. */
  async function start(settings = '', remotes = `[${b.address}, ${c.address}]`): Promise<void> {
    const keys = `id: ${VNI}, local: ${a.address}, remotes: ${remotes}, addresses: [10.0.0.1/24]`;
    const file = lab.file('vtepd.yaml', `tunnels: { vx42: { ${keys}, ${settings} } }\n`);
    daemon = await startVtepd(a.host, ['--config', file]);
  }

  async function send(from: 'b' | 'c', macs: readonly string[]): Promise<void> {
    const frames = macs.map((mac) => vxlan(VNI, udpFrame(mac, BROADCAST, 'heard')));
    await agents[from].sendUdp({ address: a.address, port: 4789 }, frames);
  }

  /** A frame of `mac` arrives from a remote; settles when the daemon has taken or dropped it. */
  async function hear(from: 'b' | 'c', mac = GUEST): Promise<void> {
    const before = handled();
    await send(from, [mac]);
    await waitFor(() => handled() > before, { what: `the frame of ${from}` });
  }

  function handled(): number {
    const { rx, drops } = tunnelOf(daemon);
    return rx.packets + Object.values(drops).reduce((sum, count) => sum + count, 0);
  }

  const dst = (mac = GUEST): string | undefined => fdbOf(daemon).get(mac)?.dst;
  const ping = (...more: string[]): string =>
    a.host.exec('ping', '-n', '-c', '3', '-i', '0.05', '-W', '2', ...more, '10.0.0.2').stdout;

  function kernelOnB(): void {
    const remote = { local: b.address, remote: a.address, addresses: ['10.0.0.2/24'] };
    addKernelVxlan(b.host, { vni: VNI, ...remote, mtu: 1450 });
  }

  it('learns no more than the limits, floods the rest, evicts nothing, and says so', async () => {
    kernelOnB();
    await start('limit: 12, remote-limit: 8');
    expect(ping()).toContain(' 0% packet loss');
    const kernel = linkAddress(b.host, 'vx42');
    await send('c', macsFrom(0, 20));
    await waitFor(() => tunnelOf(daemon).safety.notLearned === 12, { what: 'the limit' });
    expect(tunnelOf(daemon).fdb.learned).toBe(9);
    await send('b', macsFrom(100, 20));
    await waitFor(() => tunnelOf(daemon).safety.notLearned === 12 + 17, { what: 'the limit' });
    expect(tunnelOf(daemon).fdb.learned).toBe(12);
    expect(
      tunnelOf(daemon)
        .remotes.map(({ learned }) => learned)
        .sort(),
    ).toEqual([4, 8]);
    expect(dst(kernel)).toBe(b.address);
    expect(ping()).toContain(' 0% packet loss');
    for (const mac of [GUEST, OTHER]) {
      daemon.vtep('fdb', 'add', mac, 'dev', 'vx42', 'dst', c.address, 'static');
    }
    expect(tunnelOf(daemon).fdb).toMatchObject({ learned: 12, static: 3 });
    await waitFor(() => daemon.log().includes('learning limit reached'), { what: 'the log' });
    expect(daemon.log().split('learning limit reached')).toHaveLength(2);
  });

  it('keeps its limits and forwards under a flood of random source MACs', async () => {
    kernelOnB();
    await start('limit: 1000, remote-limit: 500');
    expect(ping()).toContain(' 0% packet loss');
    const flood = (async () => {
      for (let round = 0; round < 10; round += 1) await send('c', macsFrom(round * 2000, 2000));
    })();
    const lines = a.host.spawn('ping', '-n', '-c', '20', '-i', '0.1', '-W', '2', '10.0.0.2');
    await flood;
    await lines.ended;
    expect(lines.output()).toContain(' 0% packet loss');
    const { fdb, safety, remotes } = tunnelOf(daemon);
    expect(fdb.learned).toBeLessThanOrEqual(501);
    expect(safety.notLearned).toBeGreaterThan(1000);
    expect(Math.max(...remotes.map(({ learned }) => learned))).toBe(500);
  });

  it('freezes a MAC that moves too often, and shows it', async () => {
    await start('mac-moves: 3');
    for (const from of ['b', 'c', 'b', 'c'] as const) await hear(from);
    expect(dst()).toBe(c.address);
    await hear('b');
    expect(dropsOf(daemon)).toEqual({ mac_frozen: 1 });
    expect(dst()).toBe(c.address);
    const [row] = daemon.json('fdb', 'show', GUEST) as { flags: string[] }[];
    expect(row!.flags).toEqual(['self', 'frozen']);
    expect(daemon.vtep('fdb', 'show', GUEST).stdout).toContain('self frozen');
    expect(tunnelOf(daemon).fdb.frozen).toBe(1);
    expect(daemon.vtep('show').stdout).toContain('1 frozen');
    await waitFor(() => daemon.log().includes('mac frozen'), { what: 'the log' });
    expect(daemon.log().split('mac frozen')).toHaveLength(2);
  });

  it('releases a frozen MAC when its time is over', async () => {
    await start('mac-moves: 1, mac-freeze: 1');
    await hear('b');
    await hear('c');
    await waitFor(() => daemon.log().includes('mac released'), { what: 'the release' });
    await hear('b');
    expect(dst()).toBe(b.address);
  });

  it('releases a frozen MAC with "fdb del"', async () => {
    await start('mac-moves: 1, mac-freeze: 0');
    await hear('b');
    await hear('c');
    await hear('b');
    expect(dst()).toBe(c.address);
    expect(daemon.vtep('fdb', 'del', GUEST, 'dev', 'vx42').stderr).toBe('');
    await hear('b');
    expect(dst()).toBe(b.address);
  });

  it('holds broadcast, multicast and unknown unicast to their limits, before replication', async () => {
    await start('storm-broadcast: 10, storm-multicast: 20, storm-unknown: 30');
    for (const destination of [BROADCAST, GROUP, OTHER]) {
      const frames = Array.from({ length: 200 }, () => udpFrame(GUEST, destination, 'x'));
      await agents.a.inject('vx42', frames);
    }
    const total = (): number => {
      const { tx, drops } = tunnelOf(daemon);
      const dropped = Object.values(drops).reduce((sum, count) => sum + count, 0);
      return tx.packets / 2 + dropped;
    };
    await waitFor(() => total() >= 600, { what: 'all frames' });
    const { storm_broadcast = 0, storm_multicast = 0, storm_unknown = 0 } = dropsOf(daemon);
    const passed = [200 - storm_broadcast, 200 - storm_multicast, 200 - storm_unknown];
    // A burst of one second's worth, and what was earned meanwhile: well under the storm.
    [10, 20, 30].forEach((limit, kind) => {
      expect(passed[kind]).toBeGreaterThanOrEqual(limit);
      expect(passed[kind]).toBeLessThan(150);
    });
    await waitFor(() => daemon.log().includes('storm control'), { what: 'the log' });
  });

  it('drops unknown unicast where it is not to be flooded, and still talks to the kernel', async () => {
    kernelOnB();
    await start('flood-unknown: false');
    await agents.a.inject('vx42', [udpFrame(GUEST, OTHER, 'x')]);
    await waitFor(() => dropsOf(daemon)['unknown_unicast'] === 1, { what: 'the drop' });
    expect(ping()).toContain(' 0% packet loss');
  });

  it('polices the bit rate in both directions', async () => {
    kernelOnB();
    await start('rate-transmit: 64k, rate-receive: 64k');
    expect(ping()).toContain(' 0% packet loss');
    // 131,072 bytes may come in a burst.
    const frames = Array.from({ length: 400 }, () => udpFrame(GUEST, BROADCAST, 'x'.repeat(1000)));
    await agents.a.inject('vx42', frames);
    await waitFor(() => (dropsOf(daemon)['rate_transmit'] ?? 0) > 200, { what: 'transmit drops' });
    const datagrams = frames.map((frame) => vxlan(VNI, frame));
    await agents.c.sendUdp({ address: a.address, port: 4789 }, datagrams);
    await waitFor(() => (dropsOf(daemon)['rate_receive'] ?? 0) > 200, { what: 'receive drops' });
    expect(tunnelOf(daemon).rx.packets).toBeGreaterThan(100);
  });

  it('takes strangers with "remotes: any", learns from them, and answers them', async () => {
    kernelOnB();
    await start('mac-freeze: 600', 'any');
    const kernel = linkAddress(b.host, 'vx42');
    // Broadcasts of ours go nowhere; what the kernel asks is answered once it is learned.
    const from = b.host.exec('ping', '-n', '-c', '10', '-i', '0.2', '-W', '2', '10.0.0.1');
    expect(from.stdout).toMatch(/[1-9]\d* received/);
    await waitFor(() => dst(kernel) === b.address, { what: 'the stranger to be learned' });
    expect(ping()).toContain(' 0% packet loss');
    const remote = tunnelOf(daemon).remotes.find((each) => each.dst === b.address);
    expect(remote).toMatchObject({ configured: false, flood: false, learned: 1 });
    expect(dropsOf(daemon)['remote_denied']).toBeUndefined();
    expect(daemon.vtep('show').stdout).toContain('everybody may send');
  });
});

/** `count` unicast MACs. */
function macsFrom(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const hex = (first + index).toString(16).padStart(6, '0');
    return `02:11:22:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`;
  });
}
