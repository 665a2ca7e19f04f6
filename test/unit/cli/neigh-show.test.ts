import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatNeighbour } from '../../../src/cli/neigh-show.ts';
import { MAC } from '../vtep/fdb-fixture.ts';
import { CliFixture, ok } from './cli-fixture.ts';

let cli: CliFixture;
beforeEach(async () => {
  cli = new CliFixture();
  await cli.start();
});
afterEach(async () => {
  await cli.close();
});

describe('vtep neigh show', () => {
  it('prints what ip neigh show prints', async () => {
    await cli.vtep(`neigh add 10.0.0.2 lladdr ${MAC} dev vx42 router`);
    expect(await cli.vtep('neigh')).toEqual(
      ok(`10.0.0.2 dev vx42 lladdr ${MAC} router PERMANENT \n`),
    );
    const named = ok(`10.0.0.2 lladdr ${MAC} router PERMANENT \n`);
    expect(await cli.vtep('neigh show dev vx42')).toEqual(named);
    expect(await cli.vtep('neigh show 10.0.0.3')).toEqual(ok());
    const { stdout } = await cli.vtep('-j neigh show');
    const row = { dst: '10.0.0.2', dev: 'vx42', lladdr: MAC, router: null, state: ['PERMANENT'] };
    expect(JSON.parse(stdout)).toEqual([row]);
    expect((await cli.vtep('-s neigh show dev vx42')).stdout).toContain(' used 0/0/0 router');
    expect((await cli.vtep('neigh show dev nope')).status).toBe(4);
  });

  it('marks the neighbours of this side', () => {
    const row = { dst: '10.0.0.1', dev: 'vx42', lladdr: MAC, state: ['REACHABLE'] as const };
    expect(formatNeighbour({ ...row, local: null }, true)).toContain(' local REACHABLE');
  });
});
