import { describe, expect, it } from 'vitest';
import { A, B, configured, entry, FdbFixture, VX42, ZERO } from './fdb-fixture.ts';

describe('FdbVerbs setConfiguredRemotes()', () => {
  it('makes the flood list, follows a new configuration and keeps what a user appended', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A), configured(B), configured(A)]);
    await fixture.verbs.change('append', [entry(ZERO, '10.0.0.9')]);
    expect(fixture.dump()).toHaveLength(3);
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(B), configured('10.0.0.8')]);
    expect(fixture.dump()).toEqual(
      ['10.0.0.8', '10.0.0.9', B].map((dst) => `vx42 ${ZERO} ${dst} permanent`),
    );
    expect(fixture.sender(0, A)).toBe(-1);
    expect(fixture.verbs.isConfigured(VX42, fixture.sender(0, B))).toBe(true);
    expect(fixture.verbs.isConfigured(VX42, fixture.sender(0, '10.0.0.9'))).toBe(false);
    expect(await fixture.liveRemotes()).toBe(3);
  });

  it('lets a configured remote send after it was deleted from the flood list', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.setConfiguredRemotes(VX42, [configured(A)]);
    await fixture.verbs.change('del', [entry(ZERO, A)]);
    expect(fixture.dump()).toEqual([]);
    expect(fixture.sender(0, A)).toBeGreaterThanOrEqual(0);
    await fixture.verbs.setConfiguredRemotes(VX42, []);
    expect(await fixture.liveRemotes()).toBe(0);
  });
});
