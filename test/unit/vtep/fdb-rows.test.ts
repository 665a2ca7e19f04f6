import { describe, expect, it } from 'vitest';
import { STATE_DYNAMIC } from '../../../src/fdb/table.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { parseMac } from '../../../src/wire/mac.ts';
import { A, B, configured, entry, FdbFixture, MAC, VX42, VX43, ZERO } from './fdb-fixture.ts';

describe('FdbVerbs reading', () => {
  it('finds the rows of one MAC', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B)]);
    expect(fixture.verbs.find(VX42, 0, 0).map(({ dst }) => dst)).toEqual([A, B]);
    expect(fixture.verbs.find(VX43, 0, 0)).toEqual([]);
  });

  it('adds ages and counters when statistics are asked for', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A)]);
    fixture.nowSeconds += 7;
    const mac = parseMac(MAC)!;
    expect(fixture.verbs.find(VX42, mac.high, mac.low, true)).toEqual([
      {
        mac: MAC,
        ifname: 'vx42',
        dst: A,
        used: 7,
        updated: 7,
        frames: 0,
        flags: ['self'],
        state: 'permanent',
      },
    ]);
  });

  it('filters rows', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B)]);
    await fixture.verbs.change('add', [
      entry(MAC, A, { state: 'static', vni: 9 }),
      entry(MAC, A, { dev: 'vx43', port: 9 }),
    ]);
    const macs = (filter: object) => [...fixture.verbs.rows(filter)].flat().map(({ mac }) => mac);
    expect(macs({ dst: parseIp(B)! })).toEqual([ZERO]);
    expect(macs({ tunnel: VX43 })).toEqual([MAC]);
    expect(macs({ vni: 9 })).toEqual([MAC]);
    expect(macs({ port: 9 })).toEqual([MAC]);
    expect(macs({ mac: parseMac(MAC)! })).toEqual([MAC, MAC]);
    expect(macs({ mac: parseMac(MAC)!, tunnel: VX42, states: new Set([STATE_DYNAMIC]) })).toEqual(
      [],
    );
  });

  it('counts entries by VNI', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    fixture.learn(0, MAC, A);
    expect(await fixture.verbs.countEntries()).toEqual(
      new Map([[42, { learned: 1, static: 1, frozen: 0 }]]),
    );
  });
});
