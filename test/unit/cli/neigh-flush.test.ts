import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

describe('vtep neigh flush', () => {
  it('removes what matches and says how much when asked', async () => {
    await cli.vtep(`neigh add 10.0.0.2 lladdr ${MAC} dev vx42`);
    await cli.vtep(`neigh add 10.0.0.3 lladdr ${MAC} dev vx42 nud reachable`);
    expect(await cli.vtep('-s neigh flush dev vx42')).toEqual(ok('1 entries removed\n'));
    expect(await cli.vtep('neigh flush dev vx42')).toEqual(ok());
    expect(cli.api.neighbours.count).toBe(1);
    expect(await cli.vtep('-j neigh flush dev vx42 nud all')).toEqual(ok('{"removed":1}\n'));
    expect((await cli.vtep('neigh flush')).status).toBe(2);
  });
});
