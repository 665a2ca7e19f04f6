import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import type { Child } from '../support/child.ts';
import { Lab, type Host, waitFor } from '../support/lab.ts';
import type { SenderOrder, SenderResult } from '../support/malformed-sender.ts';
import { distFolder } from '../support/paths.ts';
import { describeIf } from '../support/requires.ts';
import { type FdbJson, linkAddress, statusOf, tunnelOf } from '../support/tunnels.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import { addKernelVxlan, startVtepd, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = { namespaces: true, tun: true, kernelVxlan: true, commands: ['ping'] } as const;
const LOAD = 77;
/** What is aimed at: a strict tunnel that learns, one that takes all, one with a VLAN as another VNI. */
const STRICT = 42;
const OPEN = [60, 50, 1010];
const ZERO = '00:00:00:00:00:00';
const DATAGRAMS = { stranger: 50_000, dropped: 15_000, open: 45_000 };
const FRAMES = 10_000;
/** Reasons that come before the sender is looked at. */
const BEFORE_A_TUNNEL = ['short', 'no_i_flag', 'vni_unknown'];

/** Of the tunnels under attack; drops of all. `macs` are those that were learned or could not be. */
interface Count {
  readonly delivered: number;
  readonly sent: number;
  readonly answered: number;
  readonly drops: Readonly<Record<string, number>>;
  readonly dropped: number;
  readonly macs: number;
  readonly neighbours: number;
}

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
  let offloads: Map<string, unknown>;

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
    for (const dev of ['vx60', 'vx50']) {
      for (const address of ['10.0.0.2', 'fd00::2']) {
        const words = ['neigh', 'add', address, 'lladdr', '02:00:00:00:00:0b', 'dev', dev];
        expect(daemon.vtep(...words).stderr).toBe('');
      }
    }
    offloads = new Map(statusOf(daemon).tunnels.map(({ ifname, offload }) => [ifname, offload]));
    load = a.host.spawn('ping', '-n', '-q', '-i', '0.005', '-s', '1000', '-W', '2', '10.0.0.2');
    await waitFor(() => tunnelOf(daemon, 'vx77').rx.packets > 10, { what: 'the load' });
  });
  afterAll(async () => lab.close());

  async function send(from: Host, order: SenderOrder): Promise<SenderResult> {
    const program = join(distFolder(), 'test', 'support', 'malformed-sender.js');
    const child = from.spawn(process.execPath, program, JSON.stringify(order));
    await child.wait();
    if (child.status !== 0) throw new Error(`Send hostile input: ${child.output()}`);
    return JSON.parse(child.stdout()) as SenderResult;
  }

  /** What the tunnels under attack have counted so far. */
  function count(): Count {
    const { daemon: rest, tunnels } = statusOf(daemon);
    const attacked = tunnels.filter(({ vni }) => vni !== LOAD);
    const drops: Record<string, number> = {};
    for (const each of [rest, ...tunnels]) {
      for (const [reason, frames] of Object.entries(each.drops))
        drops[reason] = (drops[reason] ?? 0) + frames;
    }
    return {
      delivered: sum(attacked.map(({ rx }) => rx.packets)),
      sent: sum(attacked.map(({ tx }) => tx.packets)),
      answered: sum(attacked.map(({ neigh }) => neigh.answered)),
      drops,
      dropped: sum(Object.values(drops)),
      macs: sum(attacked.map(({ fdb, safety }) => fdb.learned + safety.notLearned)),
      neighbours: sum(attacked.map(({ neigh }) => neigh.learned)),
    };
  }

  /** Counts again and again until `isComplete`; the last count is in the message when that never is. */
  async function countUntil(isComplete: (now: Count) => boolean): Promise<Count> {
    let now = count();
    const complete = (): boolean => isComplete((now = count()));
    await waitFor(complete, { intervalMs: 200, what: () => `the balance: ${JSON.stringify(now)}` });
    return now;
  }

  function expectNoEntries(): void {
    const rows = daemon.json('fdb', 'show') as FdbJson[];
    const learned = rows.filter(({ ifname, mac }) => ifname !== 'vx77' && mac !== ZERO);
    expect(learned).toEqual([]);
  }

  it('of a stranger is denied, each datagram for its reason, and teaches nothing', async () => {
    const before = count();
    const { sent, fates } = await send(c.host, {
      what: { datagrams: 'any', to: a.address },
      ...{ count: DATAGRAMS.stranger, vnis: [STRICT, ...OPEN], ownMacs: [], seed: 1 },
    });
    expect(sent).toBe(DATAGRAMS.stranger);
    const reasons = Object.entries(fates).map(
      ([fate, times]) => [BEFORE_A_TUNNEL.includes(fate) ? fate : 'remote_denied', times] as const,
    );
    const now = await countUntil(({ dropped }) => dropped - before.dropped >= sent);
    expect(now.drops).toEqual(added(before.drops, reasons));
    expect(now).toMatchObject({ delivered: 0, macs: 0, neighbours: 0 });
    expectNoEntries();
  });

  it('of a remote that must be dropped is dropped for its reason, and teaches nothing', async () => {
    const before = count();
    const ownMacs = [linkAddress(a.host, 'vx42')];
    const { sent, fates } = await send(b.host, {
      what: { datagrams: 'invalid', to: a.address },
      ...{ count: DATAGRAMS.dropped, vnis: [STRICT], ownMacs, seed: 2 },
    });
    expect(sent).toBe(DATAGRAMS.dropped);
    expect(Object.keys(fates).toSorted()).toEqual([
      ...['inner_short', 'no_i_flag', 'own_mac', 'reserved_bits', 'short', 'smac_invalid'],
      'vni_unknown',
    ]);
    const now = await countUntil(({ dropped }) => dropped - before.dropped >= sent);
    expect(now.drops).toEqual(added(before.drops, Object.entries(fates)));
    expect(now).toMatchObject({ delivered: 0, macs: 0, neighbours: 0 });
    expectNoEntries();
  });

  it('of a remote is delivered or dropped, and the sum is what was sent', async () => {
    const before = count();
    const ownMacs = ['vx50', 'vx60'].map((name) => linkAddress(a.host, name));
    const { sent } = await send(b.host, {
      what: { datagrams: 'any', to: a.address },
      ...{ count: DATAGRAMS.open, vnis: OPEN, ownMacs, seed: 3 },
    });
    expect(sent).toBe(DATAGRAMS.open);
    const received = (now: Count): number =>
      now.dropped + now.delivered - before.dropped - before.delivered;
    const now = await countUntil((each) => received(each) >= sent);
    expect(received(now), JSON.stringify(now)).toBe(sent);
    expect(now.delivered).toBeGreaterThan(sent / 4);
    expect(Object.keys(now.drops)).toEqual(expect.arrayContaining(['ecn', 'vlan_tag']));
    expect(now.macs).toBe(0);
    expectNoEntries();
  });

  for (const dev of ['vx60', 'vx50']) {
    it(`on the device ${dev} is sent, answered or dropped, and the sum is what was read`, async () => {
      const read = (): number =>
        Number(a.host.must('cat', `/sys/class/net/${dev}/statistics/tx_packets`));
      const before = { ...count(), read: read() };
      const order = { vnis: OPEN, ownMacs: [linkAddress(a.host, dev)], seed: 4 };
      const { sent } = await send(a.host, { what: { frames: dev }, count: FRAMES, ...order });
      // The rest is shorter than an Ethernet header, longer than the MTU, or found the queue full.
      expect(sent).toBeGreaterThan(FRAMES / 2);
      const handled = (now: Count): number => now.sent + now.answered + now.dropped;
      const now = await countUntil((each) => handled(each) - handled(before) >= sent);
      expect(handled(now) - handled(before), JSON.stringify(now)).toBe(sent);
      expect(read() - before.read).toBe(sent);
      expect(now.answered).toBeGreaterThan(before.answered);
      expect(now.macs).toBe(0);
    });
  }

  it('has cost no frame of the load, no offload and no exception', async () => {
    const after = a.host.exec('ping', '-n', '-c', '5', '-i', '0.05', '-W', '2', '10.0.0.2');
    expect(after.stdout).toContain(' 0% packet loss');
    load.kill('SIGINT');
    await load.wait();
    const [, asked, answered] = /(\d+) packets transmitted, (\d+) received/.exec(load.stdout())!;
    expect(Number(answered)).toBeGreaterThan(500);
    // Those that are on their way when ping is interrupted count as lost.
    expect(Number(asked) - Number(answered)).toBeLessThanOrEqual(2);
    for (const { ifname, offload } of statusOf(daemon).tunnels) {
      expect(offload, ifname).toEqual(offloads.get(ifname));
    }
    expect(daemon.child.running).toBe(true);
    expect(daemon.log()).not.toMatch(/"level":"error"|batch dropped|\bat .*\.js:\d+/);
  });
});

/** `before` and what came to it. */
function added(
  before: Readonly<Record<string, number>>,
  more: readonly (readonly [string, number])[],
): Record<string, number> {
  const whole = { ...before };
  for (const [reason, times] of more) whole[reason] = (whole[reason] ?? 0) + times;
  return whole;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
