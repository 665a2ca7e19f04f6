import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ZERO } from '../vtep/fdb-fixture.ts';
import { CliFixture, ok } from './cli-fixture.ts';

let cli: CliFixture;
beforeEach(async () => {
  cli = new CliFixture();
  await cli.start();
});
afterEach(async () => {
  await cli.close();
});

const vtep: CliFixture['vtep'] = (...args) => cli.vtep(...args);

describe('vtep fdb flush', () => {
  it('flushes silently, or says how many on request', async () => {
    await vtep(`fdb append ${ZERO} dev vx42 dst 10.0.0.1`);
    await vtep(`fdb append ${ZERO} dev vx42 dst 10.0.0.2`);
    expect(await vtep('fdb flush dev vx42 nopermanent')).toEqual(ok());
    expect(await vtep('-s fdb flush dev vx42')).toEqual(ok('2 entries removed\n'));
    expect((await vtep('fdb flush dev vx42 src_vni 43')).stderr).toContain('Cannot use src_vni 43');
    expect(await vtep('-j fdb flush dev vx42')).toEqual(ok('{"removed":0}\n'));
  });
});
