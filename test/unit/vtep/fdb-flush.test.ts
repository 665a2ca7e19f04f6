import { describe, expect, it } from 'vitest';
import { STATE_DYNAMIC } from '../../../src/fdb/table.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import {
  A,
  B,
  configured,
  entry,
  FdbFixture,
  GROUP,
  MAC,
  OTHER,
  VX42,
  ZERO,
} from './fdb-fixture.ts';

describe('FdbVerbs flush()', () => {
  async function filled(): Promise<FdbFixture> {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    await fixture.verbs.change('append', [entry(ZERO, B), entry(GROUP, B)]);
    await fixture.verbs.change('add', [
      entry(MAC, A, { state: 'static' }),
      entry(MAC, A, { dev: 'vx43' }),
    ]);
    fixture.learn(0, OTHER, A);
    return fixture;
  }

  it('removes everything of the device but the configured remotes', async () => {
    const fixture = await filled();
    expect(await fixture.verbs.flush({ tunnel: VX42 })).toBe(4);
    expect(fixture.dump()).toEqual([`vx42 ${ZERO} ${A} permanent`, `vx43 ${MAC} ${A} permanent`]);
  });

  it('removes only the states and destinations asked for', async () => {
    const fixture = await filled();
    expect(await fixture.verbs.flush({ tunnel: VX42, states: new Set([STATE_DYNAMIC]) })).toBe(1);
    expect(await fixture.verbs.flush({ tunnel: VX42, dst: parseIp(B)! })).toBe(2);
    expect(fixture.dump()).toEqual([
      `vx42 ${ZERO} ${A} permanent`,
      `vx42 ${MAC} ${A} static`,
      `vx43 ${MAC} ${A} permanent`,
    ]);
  });
});
