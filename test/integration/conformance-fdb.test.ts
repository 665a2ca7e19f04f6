import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { BROADCAST, udpFrame, vxlan } from '../support/frames.ts';
import { Lab, UNDERLAY, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { fdbOf, startTunnel, tunnelOf } from '../support/tunnels.ts';
import { startVtepd, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = { namespaces: true, tun: true } as const;
const VNI = 42;
const B = UNDERLAY.b4;
const C = '192.168.120.30';
const mac = (number: number): string => `02:00:00:00:00:0${number}`;
const GROUP = '01:00:5e:00:00:09';
const FLOOD_LIST = '00:00:00:00:00:00';

/** What the table holds before each flush: a short name, and the words that add it to vx42. */
const ENTRIES: Readonly<Record<string, string>> = {
  permanent: `${mac(1)} dst ${B}`,
  'permanent port': `${mac(2)} dst ${C} port 4790`,
  'static vni': `${mac(3)} dst ${B} vni 77 static`,
  static: `${mac(4)} dst ${C} static`,
  dynamic: `${mac(5)} dst ${B} dynamic`,
  'dynamic port': `${mac(6)} dst ${C} port 4790 dynamic`,
  'group b': `${GROUP} dst ${B}`,
  'group c port': `${GROUP} dst ${C} port 4790`,
  flood: `${FLOOD_LIST} dst ${C}`,
};
const EVERYTHING = Object.keys(ENTRIES);

/** Filter words, and the names of what goes. */
const FLUSHES: readonly (readonly [string, readonly string[]])[] = [
  ['', EVERYTHING],
  ['self', EVERYTHING],
  [mac(1), ['permanent']],
  [GROUP, ['group b', 'group c port']],
  [`dst ${B}`, ['permanent', 'static vni', 'dynamic', 'group b']],
  ['port 4790', ['permanent port', 'dynamic port', 'group c port']],
  ['port 4789', ['permanent', 'static vni', 'static', 'dynamic', 'group b', 'flood']],
  ['vni 77', ['static vni']],
  [`src_vni ${VNI}`, EVERYTHING],
  ['src_vni 43', []],
  ['permanent', ['permanent', 'permanent port', 'group b', 'group c port', 'flood']],
  ['static', ['static vni', 'static']],
  ['dynamic', ['dynamic', 'dynamic port']],
  ['static dynamic', ['static vni', 'static', 'dynamic', 'dynamic port']],
  ['nopermanent', ['static vni', 'static', 'dynamic', 'dynamic port']],
  ['nostatic nodynamic', ['permanent', 'permanent port', 'group b', 'group c port', 'flood']],
  [`dst ${C} dynamic`, ['dynamic port']],
  [`permanent port 4790 dst ${C}`, ['permanent port', 'group c port']],
  [`${GROUP} dst ${C}`, ['group c port']],
  [`dst ${B} port 4790`, []],
  [`${mac(2)} dst ${B}`, []],
];

interface Row {
  readonly mac: string;
  readonly dst: string;
  readonly ifname: string;
}

/** After fdb_flush of the kernel's selftests. */
describeIf(REQUIREMENT, 'fdb flush', () => {
  let lab: Lab;
  let daemon: Vtepd;

  beforeAll(async () => {
    lab = new Lab();
    const { a } = lab.twoHosts();
    const tunnel = (vni: number): string => `  vx${vni}: { id: ${vni}, local: ${UNDERLAY.a4} }\n`;
    const file = lab.file('vtepd.yaml', `tunnels:\n${tunnel(VNI)}${tunnel(43)}`);
    daemon = await startVtepd(a, ['--config', file]);
    for (const dev of ['vx42', 'vx43']) expect(fill(dev, EVERYTHING)).toBe('');
  });
  afterAll(async () => lab.close());

  function fill(dev: string, names: readonly string[]): string {
    const lines = names.map((name) => `${ENTRIES[name]!} dev ${dev}\n`);
    return daemon.vtepWith({ input: lines.join('') }, 'fdb', 'append', '--batch', '-').stderr;
  }

  /** Names of what is in the table, by device. */
  function held(): Record<string, string[]> {
    const rows = daemon.json('fdb', 'show') as Row[];
    const of = (dev: string): string[] => {
      const own = new Set(
        rows.filter(({ ifname }) => ifname === dev).map((row) => `${row.mac} ${row.dst}`),
      );
      return EVERYTHING.filter((name) => own.has(keyOf(name)));
    };
    return { vx42: of('vx42'), vx43: of('vx43') };
  }

  for (const [words, gone] of FLUSHES) {
    it(`"dev vx42 ${words}" removes ${gone.length === 0 ? 'nothing' : gone.join(', ')}`, () => {
      const filter = words === '' ? [] : words.split(' ');
      expect(daemon.json('fdb', 'flush', 'dev', 'vx42', ...filter)).toEqual({
        removed: gone.length,
      });
      const left = EVERYTHING.filter((name) => !gone.includes(name));
      expect(held()).toEqual({ vx42: left, vx43: EVERYTHING });
      if (gone.length > 0) expect(fill('vx42', gone)).toBe('');
    });
  }

  it('refuses what it does not understand and leaves everything', () => {
    for (const words of ['', 'dev nope', 'dev vx42 port 0', 'dev vx42 dst nowhere', 'dev vx42 x']) {
      const result = daemon.vtep('fdb', 'flush', ...words.split(' ').filter(Boolean));
      expect([words, result.status === 0]).toEqual([words, false]);
      expect(result.stderr).toMatch(/^error: /);
    }
    expect(held()).toEqual({ vx42: EVERYTHING, vx43: EVERYTHING });
  });
});

/** After bridge_fdb_learning_limit of the kernel's selftests. */
describeIf(REQUIREMENT, 'the learning limit', () => {
  let lab: Lab;
  afterEach(async () => lab.close());

  it('counts learned entries only, and every one that goes makes room for one', async () => {
    lab = new Lab();
    const { a, b } = lab.twoHosts();
    const agent = await Agent.start(b);
    const daemon = await startTunnel(a, {
      ...{ local: UNDERLAY.a4, remotes: [B], arguments: ['--limit', '3'] },
    });
    const words = (number: number): string[] => [mac(number), 'dev', 'vx42', 'dst', B];
    /** Frames of these MACs arrive one after another. */
    async function hear(...numbers: number[]): Promise<void> {
      const before = tunnelOf(daemon).rx.packets;
      const datagrams = numbers.map((number) => vxlan(VNI, udpFrame(mac(number), BROADCAST, 'x')));
      await agent.sendUdp({ address: UNDERLAY.a4, port: 4789 }, datagrams);
      // Those that are not learned are delivered all the same.
      const all = before + numbers.length;
      await waitFor(() => tunnelOf(daemon).rx.packets === all, { what: 'the frames' });
    }
    const known = (): string[] => [...fdbOf(daemon).keys()].toSorted();
    const macs = (...numbers: number[]): string[] => numbers.map(mac);

    expect(daemon.vtep('fdb', 'add', ...words(1), 'static').stderr).toBe('');
    await hear(2, 3, 4, 5);
    expect(known()).toEqual(macs(1, 2, 3, 4));
    expect(tunnelOf(daemon).fdb).toMatchObject({ learned: 3, static: 2 });
    // By hand there is room always.
    expect(daemon.vtep('fdb', 'add', ...words(6), 'static').stderr).toBe('');
    await hear(5);
    expect(known()).toEqual(macs(1, 2, 3, 4, 6));
    expect(daemon.vtep('fdb', 'replace', ...words(2), 'static').stderr).toBe('');
    await hear(5, 7);
    expect(known()).toEqual(macs(1, 2, 3, 4, 5, 6));
    expect(daemon.vtep('fdb', 'del', ...words(3)).stderr).toBe('');
    await hear(7, 8);
    expect(known()).toEqual(macs(1, 2, 4, 5, 6, 7));
    expect(daemon.vtep('fdb', 'flush', 'dev', 'vx42', 'dynamic').stderr).toBe('');
    expect(known()).toEqual(macs(1, 2, 6));
    await hear(3, 4, 8, 9);
    expect(known()).toEqual(macs(1, 2, 3, 4, 6, 8));
    expect(tunnelOf(daemon).fdb.learned).toBe(3);
  });
});

/** MAC and destination of an entry: no two have both. */
function keyOf(name: string): string {
  const [address, , destination] = ENTRIES[name]!.split(' ');
  return `${address} ${destination}`;
}
