import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import type { Child } from '../support/child.ts';
import { Lab, type Host, waitFor } from '../support/lab.ts';
import type { SenderOrder, SenderResult } from '../support/malformed-sender.ts';
import { distFolder } from '../support/paths.ts';
import { describeIf } from '../support/requires.ts';
import { dropsOf, fdbOf, linkAddress, statusOf, tunnelOf } from '../support/tunnels.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import { addKernelVxlan, startVtepd, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = { namespaces: true, tun: true, kernelVxlan: true, commands: ['ping'] } as const;
const LOAD = 77;
/** What is aimed at: a strict tunnel that learns, one that takes all, one with a VLAN as another VNI. */
const STRICT = 42;
const OPEN = [60, 50, 1010];
const DATAGRAMS = { stranger: 50_000, dropped: 20_000, open: 50_000 };
const FRAMES = 10_000;
/** Reasons of the transmit side and of none. */
const BEFORE_A_TUNNEL = ['short', 'no_i_flag', 'vni_unknown'];

/**
 * A daemon on `a` with every parser on; `b` is its remote, with the kernel's device for the load, and sends
 * hostile datagrams as well, as does the stranger `c`.
 */
describeIf(REQUIREMENT, 'malformed input under load', () => {
  let lab: Lab;
  let a: HubHost;
  let b: HubHost;
  let c: HubHost;
  let daemon: Vtepd;
  let load: Child;
  let offloads: unknown;

  beforeAll(async () => {
    lab = new Lab();
    [a, b, c] = hubOf(lab, ['a', 'b', 'c']) as [HubHost, HubHost, HubHost];
    for (const { host } of [a, b, c]) {
      host.exec('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    }
    const kernel = { local: b.address, remote: a.address, addresses: ['10.0.0.2/24'], mtu: 1450 };
    addKernelVxlan(b.host, { name: 'vx77', vni: LOAD, ...kernel });
    const common = `local: ${a.address}, remotes: [${b.address}]`;
    const parsers = 'neigh-suppress: true, tcp-mss-clamp: 536, ttl: inherit, tos: inherit';
    const more = 'do-not-fragment: inherit, mac-learning: false';
    const file = lab.file(
      'vtepd.yaml',
      `tunnels:
  vx42: { id: 42, ${common}, ${parsers}, reserved-bits: strict }
  vx60: { id: 60, ${common}, ${parsers}, ${more} }
  vx50: { id: 50, ${common}, ${parsers}, ${more}, vlan: strip, vlans: { 10: 1010 } }
  vx77: { id: 77, ${common}, addresses: [10.0.0.1/24] }
`,
    );
    daemon = await startVtepd(a.host, ['--config', file]);
    offloads = offloadsNow();
    load = a.host.spawn('ping', '-n', '-q', '-i', '0.005', '-s', '1000', '-W', '2', '10.0.0.2');
    await waitFor(() => tunnelOf(daemon, 'vx77').rx.packets > 10, { what: 'the load' });
  });
  afterAll(async () => lab.close());

  const offloadsNow = (): unknown => statusOf(daemon).tunnels.map(({ offload }) => offload);

  async function send(from: Host, order: SenderOrder): Promise<SenderResult> {
    const program = join(distFolder(), 'test', 'support', 'malformed-sender.js');
    const child = from.spawn(process.execPath, program, JSON.stringify(order));
    await child.wait();
    if (child.status !== 0) throw new Error(`Send hostile input: ${child.output()}`);
    return JSON.parse(child.stdout()) as SenderResult;
  }

  /** Frames delivered by the tunnels under attack. */
  function delivered(): number {
    const { tunnels } = statusOf(daemon);
    return sum(tunnels.filter(({ vni }) => vni !== LOAD).map(({ rx }) => rx.packets));
  }

  function expectNothingLearned(): void {
    for (const dev of ['vx42', 'vx60', 'vx50']) expect(fdbOf(daemon, dev)).toEqual(new Map());
    for (const { vni, fdb, safety } of statusOf(daemon).tunnels) {
      if (vni !== LOAD) expect([fdb.learned, safety.notLearned]).toEqual([0, 0]);
    }
  }

  const neighbours = (): number => sum(statusOf(daemon).tunnels.map(({ neigh }) => neigh.learned));

  it('of a stranger is denied, each datagram for its reason, and teaches nothing', async () => {
    const before = dropsOf(daemon);
    const { sent, fates } = await send(c.host, {
      what: { datagrams: 'any', to: a.address, tos: 0 },
      ...{ count: DATAGRAMS.stranger, vnis: [STRICT, ...OPEN], ownMacs: [], seed: 1 },
    });
    const expected: Record<string, number> = {};
    for (const [fate, count] of Object.entries(fates)) {
      const reason = BEFORE_A_TUNNEL.includes(fate) ? fate : 'remote_denied';
      expected[reason] = (expected[reason] ?? 0) + count;
    }
    expect(sent).toBe(DATAGRAMS.stranger);
    await expectDrops(before, expected);
    expect(delivered()).toBe(0);
    expect(neighbours()).toBe(0);
    expectNothingLearned();
  });

  it('of a remote that must be dropped is dropped for its reason, and teaches nothing', async () => {
    const before = dropsOf(daemon);
    const ownMacs = [linkAddress(a.host, 'vx42')];
    const { sent, fates } = await send(b.host, {
      what: { datagrams: 'invalid', to: a.address, tos: 0 },
      ...{ count: DATAGRAMS.dropped, vnis: [STRICT], ownMacs, seed: 2 },
    });
    expect(sent).toBe(DATAGRAMS.dropped);
    expect(Object.keys(fates).toSorted()).toEqual([
      ...['inner_short', 'no_i_flag', 'own_mac', 'reserved_bits', 'short', 'smac_invalid'],
      'vni_unknown',
    ]);
    await expectDrops(before, fates);
    expect(delivered()).toBe(0);
    expect(neighbours()).toBe(0);
    expectNothingLearned();
  });

  it('of a remote is delivered or dropped, and the sum is what was sent', async () => {
    const before = dropped() + delivered();
    const ownMacs = ['vx50', 'vx60'].map((name) => linkAddress(a.host, name));
    const { sent } = await send(b.host, {
      // Congestion experienced: the ECN field of every inner header is looked for.
      what: { datagrams: 'any', to: a.address, tos: 3 },
      ...{ count: DATAGRAMS.open, vnis: OPEN, ownMacs, seed: 3 },
    });
    expect(sent).toBe(DATAGRAMS.open);
    await waitFor(() => dropped() + delivered() - before >= sent, { what: report });
    expect(dropped() + delivered() - before, report()).toBe(sent);
    expect(delivered()).toBeGreaterThan(sent / 4);
    expect(dropsOf(daemon)).toMatchObject({
      ecn: expect.any(Number),
      vlan_tag: expect.any(Number),
    });
    expectNothingLearned();
  });

  for (const dev of ['vx60', 'vx50']) {
    it(`on the device ${dev} is sent, answered or dropped, and the sum is what was read`, async () => {
      const read = (): number =>
        Number(a.host.must('cat', `/sys/class/net/${dev}/statistics/tx_packets`));
      const handled = (): number => {
        const { tunnels } = statusOf(daemon);
        const parts = tunnels.filter(({ ifname }) => ifname === dev);
        return sum(parts.map(({ tx, neigh }) => tx.packets + neigh.answered)) + dropped();
      };
      const before = { read: read(), handled: handled() };
      const order = { vnis: OPEN, ownMacs: [linkAddress(a.host, dev)], seed: 4 };
      const { sent } = await send(a.host, { what: { frames: dev }, count: FRAMES, ...order });
      expect(sent).toBeGreaterThan(FRAMES / 2);
      expect(read() - before.read).toBe(sent);
      await waitFor(() => handled() - before.handled >= sent, { what: report });
      expect(handled() - before.handled, report()).toBe(sent);
      expectNothingLearned();
    });
  }

  it('has cost no frame of the load, no offload and no exception', async () => {
    load.kill('SIGINT');
    await load.wait();
    expect(load.stdout()).toContain(' 0% packet loss');
    expect(Number(/(\d+) received/.exec(load.stdout())![1])).toBeGreaterThan(500);
    const after = a.host.exec('ping', '-n', '-c', '5', '-i', '0.05', '-W', '2', '10.0.0.2');
    expect(after.stdout).toContain(' 0% packet loss');
    expect(offloadsNow()).toEqual(offloads);
    expect(daemon.child.running).toBe(true);
    expect(daemon.log()).not.toMatch(/"level":"error"|batch dropped|\bat .*\.js:\d+/);
  });

  const dropped = (): number => sum(Object.values(dropsOf(daemon)));

  const report = (): string => JSON.stringify(statusOf(daemon));

  /** Waits until all have been counted; then the drops are the ones before and the expected ones. */
  async function expectDrops(
    before: Readonly<Record<string, number>>,
    expected: Readonly<Record<string, number>>,
  ): Promise<void> {
    const whole = { ...before };
    for (const [reason, count] of Object.entries(expected)) {
      whole[reason] = (whole[reason] ?? 0) + count;
    }
    await waitFor(() => dropped() >= sum(Object.values(whole)), {
      what: () => `${JSON.stringify(whole)}: ${JSON.stringify(dropsOf(daemon))}`,
    });
    expect(dropsOf(daemon)).toEqual(whole);
  }
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
