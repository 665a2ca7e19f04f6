import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { ApiClient } from '../../src/api/client.ts';
import type { TunnelReport } from '../../src/api/protocol.ts';
import { Agent } from '../support/agent.ts';
import { changeFdb, flushFdb, readTunnel } from '../support/fdb-words.ts';
import { BROADCAST, udpFrame, vxlan } from '../support/frames.ts';
import { Lab, UNDERLAY, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { fdbOf, startTunnel } from '../support/tunnels.ts';
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
    for (const dev of ['vx42', 'vx43']) await fill(dev, EVERYTHING);
  });
  afterAll(async () => lab.close());

  async function fill(dev: string, names: readonly string[]): Promise<void> {
    for (const name of names) {
      const isList = name.startsWith('group') || name === 'flood';
      await changeFdb(daemon, isList ? 'append' : 'add', `${ENTRIES[name]!} dev ${dev}`);
    }
  }

  /** Names of what is in the table, by device. */
  async function held(): Promise<Record<string, string[]>> {
    const rows = await new ApiClient(daemon.socket).read<Row[]>('/v1/fdb');
    const of = (dev: string): string[] => {
      const own = new Set(
        rows.filter(({ ifname }) => ifname === dev).map((row) => `${row.mac} ${row.dst}`),
      );
      return EVERYTHING.filter((name) => own.has(keyOf(name)));
    };
    return { vx42: of('vx42'), vx43: of('vx43') };
  }

  for (const [words, gone] of FLUSHES) {
    it(`"dev vx42 ${words}" removes ${gone.length === 0 ? 'nothing' : gone.join(', ')}`, async () => {
      expect(await flushFdb(daemon, `dev vx42 ${words}`)).toEqual({ removed: gone.length });
      const left = EVERYTHING.filter((name) => !gone.includes(name));
      expect(await held()).toEqual({ vx42: left, vx43: EVERYTHING });
      await fill('vx42', gone);
    });
  }

  it('refuses what it does not understand and leaves everything', async () => {
    for (const words of [
      '',
      'dev nope',
      'dev vx42 port 0',
      'dev vx42 dst nowhere',
      'dev vx42 src_vni 43',
    ]) {
      await expect(flushFdb(daemon, words), words).rejects.toThrow(/./);
    }
    expect(await held()).toEqual({ vx42: EVERYTHING, vx43: EVERYTHING });
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
    const words = (number: number): string => `${mac(number)} dev vx42 dst ${B}`;
    const status = (): Promise<TunnelReport> => readTunnel(daemon);
    /** Frames of these MACs arrive one after another. */
    async function hear(...numbers: number[]): Promise<void> {
      const before = (await status()).rx.packets;
      const datagrams = numbers.map((number) => vxlan(VNI, udpFrame(mac(number), BROADCAST, 'x')));
      await agent.sendUdp({ address: UNDERLAY.a4, port: 4789 }, datagrams);
      // Those that are not learned are delivered all the same.
      const all = before + numbers.length;
      await waitFor(async () => (await status()).rx.packets === all, { what: 'the frames' });
    }
    const known = (): string[] => [...fdbOf(daemon).keys()].toSorted();
    const macs = (...numbers: number[]): string[] => numbers.map(mac);

    await changeFdb(daemon, 'add', `${words(1)} static`);
    await hear(2, 3, 4, 5);
    expect(known()).toEqual(macs(1, 2, 3, 4));
    expect((await status()).fdb).toMatchObject({ learned: 3, static: 2 });
    // By hand there is room always.
    await changeFdb(daemon, 'add', `${words(6)} static`);
    await hear(5);
    expect(known()).toEqual(macs(1, 2, 3, 4, 6));
    await changeFdb(daemon, 'replace', `${words(2)} static`);
    await hear(5, 7);
    expect(known()).toEqual(macs(1, 2, 3, 4, 5, 6));
    await changeFdb(daemon, 'del', `${words(3)}`);
    await hear(7, 8);
    expect(known()).toEqual(macs(1, 2, 4, 5, 6, 7));
    expect(await flushFdb(daemon, 'dev vx42 dynamic')).toEqual({ removed: 3 });
    expect(known()).toEqual(macs(1, 2, 6));
    await hear(3, 4, 8, 9);
    expect(known()).toEqual(macs(1, 2, 3, 4, 6, 8));
    expect((await status()).fdb.learned).toBe(3);
  });
});

/** MAC and destination of an entry: no two have both. */
function keyOf(name: string): string {
  const [address, , destination] = ENTRIES[name]!.split(' ');
  return `${address} ${destination}`;
}
