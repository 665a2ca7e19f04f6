import { describe, expect, it } from 'vitest';
import { parseMac } from '../../../src/wire/mac.ts';
import {
  A,
  B,
  configured,
  entry,
  failing,
  FdbFixture,
  MAC,
  OTHER,
  VX42,
  VX43,
  ZERO,
} from './fdb-fixture.ts';

describe('FdbVerbs add', () => {
  it('adds a permanent entry whose remote may send from then on', async () => {
    const fixture = new FdbFixture();
    expect(fixture.sender(0, A)).toBe(-1);
    await fixture.verbs.change('add', [entry(MAC, A)]);
    expect(fixture.dump()).toEqual([`vx42 ${MAC} ${A} permanent`]);
    expect(fixture.sender(0, A)).toBeGreaterThanOrEqual(0);
    expect(fixture.sender(1, A)).toBe(-1);
  });

  it('refuses what exists, also with another destination or state, and changes nothing', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A)]);
    for (const again of [entry(MAC, A), entry(MAC, B), entry(MAC, A, { state: 'dynamic' })]) {
      await expect(fixture.verbs.change('add', [again])).rejects.toThrow(failing('ERR_EXISTS'));
    }
    expect(fixture.dump()).toEqual([`vx42 ${MAC} ${A} permanent`]);
    expect(fixture.sender(0, B)).toBe(-1);
    expect(await fixture.liveRemotes()).toBe(1);
  });

  it('keeps the same MAC apart in different tunnels', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A), entry(MAC, B, { dev: 'vx43' })]);
    expect(fixture.dump()).toEqual([`vx42 ${MAC} ${A} permanent`, `vx43 ${MAC} ${B} permanent`]);
  });

  it('replaces a learned entry by a static one, which learning cannot move', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A), configured(B)]);
    expect(fixture.learn(0, MAC, A)).toBe(true);
    await fixture.verbs.change('add', [entry(MAC, B, { state: 'static' })]);
    fixture.learn(0, MAC, A);
    expect(fixture.dump()).toContain(`vx42 ${MAC} ${B} static`);
  });

  it('refuses a dynamic entry over a learned one', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    fixture.learn(0, MAC, A);
    await expect(
      fixture.verbs.change('add', [entry(MAC, A, { state: 'dynamic' })]),
    ).rejects.toThrow(failing('ERR_EXISTS'));
  });
});

describe('FdbVerbs dynamic entries', () => {
  it('do not allow their remote to send, and let go of it when they age', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A, { state: 'dynamic' })]);
    expect(fixture.dump()).toEqual([`vx42 ${MAC} ${A}`]);
    expect(fixture.sender(0, A)).toBe(-1);
    expect(await fixture.liveRemotes()).toBe(1);
    const mac = parseMac(MAC)!;
    fixture.tables.table.remove(42, mac.high, mac.low);
    fixture.verbs.aged({ vni: 42, macHigh: mac.high, macLow: mac.low });
    expect(await fixture.liveRemotes()).toBe(0);
  });

  it('are followed by learning, and let go of their remote when they are overwritten', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(B)]);
    await fixture.verbs.change('add', [entry(MAC, A, { state: 'dynamic' })]);
    fixture.learn(0, MAC, B);
    expect(fixture.dump()).toContain(`vx42 ${MAC} ${B}`);
    await fixture.verbs.change('add', [entry(MAC, B)]);
    expect(await fixture.liveRemotes()).toBe(1);
  });
});

describe('FdbVerbs remotes', () => {
  it('removes what was learned of a remote before its row is used again', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A)]);
    expect(fixture.learn(0, OTHER, A)).toBe(true);
    await fixture.verbs.change('del', [entry(MAC, A)]);
    expect(fixture.learn(0, OTHER, A)).toBe(false);
    await fixture.settle();
    expect(fixture.dump()).toEqual([]);
  });

  it('keeps what was learned of a remote that another entry refers to', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(MAC, A), entry(ZERO, A)]);
    fixture.learn(0, OTHER, A);
    await fixture.verbs.change('del', [entry(MAC, A)]);
    await fixture.settle();
    expect(fixture.dump()).toEqual([`vx42 ${ZERO} ${A} permanent`, `vx42 ${OTHER} ${A}`].sort());
  });

  it('survives a remote that is dropped, used, and dropped again before the workers forgot it', async () => {
    const fixture = new FdbFixture();
    for (let round = 0; round < 3; round += 1) {
      await fixture.verbs.change('add', [entry(MAC, A)]);
      fixture.learn(0, OTHER, A);
      await fixture.verbs.change('del', [entry(MAC, A)]);
    }
    expect(await fixture.liveRemotes()).toBe(0);
    expect(fixture.dump()).toEqual([]);
  });
});

describe('FdbVerbs removeTunnels()', () => {
  it('leaves nothing of the tunnel and everything of the others', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    await fixture.verbs.setConfiguredRemotes(VX43, [configured(A)]);
    await fixture.verbs.change('add', [entry(MAC, B), entry(OTHER, B, { state: 'dynamic' })]);
    await fixture.verbs.removeTunnels([VX42]);
    expect(fixture.dump()).toEqual([`vx43 ${ZERO} ${A} permanent`]);
    expect(await fixture.liveRemotes()).toBe(1);
  });

  it('makes a batch fail that was parsed before', async () => {
    const fixture = new FdbFixture();
    const batch = fixture.verbs.batch('add');
    batch.push(entry(MAC, A));
    const removal = fixture.verbs.removeTunnels([VX42]);
    fixture.tunnels = fixture.tunnels.filter(({ name }) => name !== 'vx42');
    await expect(fixture.verbs.apply(batch)).rejects.toThrow('Cannot find device "vx42"');
    await removal;
  });
});
