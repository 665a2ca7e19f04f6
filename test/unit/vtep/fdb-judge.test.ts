import { describe, expect, it } from 'vitest';
import {
  A,
  B,
  configured,
  entry,
  failing,
  FdbFixture,
  GROUP,
  MAC,
  OTHER,
  VX42,
  ZERO,
} from './fdb-fixture.ts';

describe('FdbVerbs append', () => {
  it('adds destinations to the lists of the zero MAC and of multicast MACs', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B), entry(GROUP, A)]);
    expect(fixture.dump()).toEqual([
      `vx42 ${ZERO} ${A} permanent`,
      `vx42 ${ZERO} ${B} permanent`,
      `vx42 ${GROUP} ${A} permanent`,
    ]);
    expect(fixture.verbs.floodRemotes(VX42)).toHaveLength(2);
  });

  it('refuses a destination twice, and unicast MACs', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A)]);
    await expect(fixture.verbs.change('append', [entry(ZERO, A)])).rejects.toThrow(
      failing('ERR_EXISTS'),
    );
    await expect(fixture.verbs.change('append', [entry(MAC, A)])).rejects.toThrow(
      failing('ERR_USAGE'),
    );
  });

  it('is what add asks for when the list has other destinations', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(ZERO, A)]);
    await expect(fixture.verbs.change('add', [entry(ZERO, B)])).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_EXISTS',
        hint: expect.stringContaining('append') as string,
      }),
    );
  });
});

describe('FdbVerbs replace', () => {
  it('adds, moves and overwrites, and forgets remotes that nobody refers to', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('replace', [entry(MAC, A)]);
    await fixture.verbs.change('replace', [entry(MAC, B, { state: 'static' })]);
    expect(fixture.dump()).toEqual([`vx42 ${MAC} ${B} static`]);
    expect(fixture.sender(0, A)).toBe(-1);
    expect(await fixture.liveRemotes()).toBe(1);
  });

  it('makes a whole list one destination', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B)]);
    await fixture.verbs.change('replace', [entry(ZERO, B)]);
    expect(fixture.dump()).toEqual([`vx42 ${ZERO} ${B} permanent`]);
  });
});

describe('FdbVerbs del', () => {
  it('deletes an entry, and its remote may no longer send', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A)]);
    await fixture.verbs.change('del', [{ mac: MAC, dev: 'vx42' }]);
    expect(fixture.dump()).toEqual([]);
    expect(fixture.sender(0, A)).toBe(-1);
    expect(await fixture.liveRemotes()).toBe(0);
  });

  it('deletes learned entries too', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    fixture.learn(0, MAC, A);
    await fixture.verbs.change('del', [entry(MAC, A)]);
    expect(fixture.dump()).toEqual([`vx42 ${ZERO} ${A} permanent`]);
  });

  it('refuses what does not exist and changes nothing', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A), entry(ZERO, A)]);
    const missing = [
      { mac: OTHER, dev: 'vx42' },
      { mac: MAC, dev: 'vx43' },
      entry(MAC, B),
      entry(MAC, A, { port: 4790 }),
      entry(ZERO, B),
      { mac: GROUP, dev: 'vx42' },
    ];
    for (const request of missing) {
      await expect(
        fixture.verbs.change('del', [{ mac: MAC, dev: 'vx42' }, request]),
      ).rejects.toThrow(failing('ERR_NOT_FOUND', 1));
    }
    await expect(
      fixture.verbs.change('del', [entry(MAC, A), { mac: MAC, dev: 'vx42' }]),
    ).rejects.toThrow(failing('ERR_NOT_FOUND', 1));
    expect(fixture.dump()).toHaveLength(2);
    expect(await fixture.liveRemotes()).toBe(1);
  });

  it('takes one destination from a list, and the row with the last', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B)]);
    await fixture.verbs.change('del', [entry(ZERO, A)]);
    expect(fixture.dump()).toEqual([`vx42 ${ZERO} ${B} permanent`]);
    await fixture.verbs.change('del', [entry(ZERO, B)]);
    expect(fixture.tables.table.count).toBe(0);
  });

  it('takes the whole list without dst', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('append', [entry(ZERO, A), entry(ZERO, B)]);
    await fixture.verbs.change('del', [{ mac: ZERO, dev: 'vx42' }]);
    expect(fixture.tables.table.count).toBe(0);
    expect(await fixture.liveRemotes()).toBe(0);
  });
});
