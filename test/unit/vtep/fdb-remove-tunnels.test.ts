import { expect, it } from 'vitest';
import { configured, entry, FdbFixture, A, B, MAC, TUNNELS, VX42 } from './fdb-fixture.ts';

it('FdbVerbs.removeTunnels() takes several tunnels at once and gives back all they held', async () => {
  const fixture = new FdbFixture();
  for (const tunnel of TUNNELS.slice(0, 2)) {
    await fixture.verbs.setConfiguredRemotes(tunnel, [configured(A)]);
    await fixture.verbs.change('add', [entry(MAC, B, { dev: tunnel.name })]);
  }
  await fixture.verbs.removeTunnels(TUNNELS);
  expect(fixture.dump()).toEqual([]);
  expect(await fixture.liveRemotes()).toBe(0);
  await fixture.verbs.removeTunnels([VX42]);
});
