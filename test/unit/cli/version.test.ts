import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CliFixture } from './cli-fixture.ts';

let cli: CliFixture;
beforeEach(async () => {
  cli = new CliFixture();
  await cli.start();
});
afterEach(async () => {
  await cli.close();
});

const vtep: CliFixture['vtep'] = (...args) => cli.vtep(...args);

describe('vtep version', () => {
  it('prints both versions, and works without a daemon', async () => {
    expect((await vtep('version')).stdout).toMatch(/^vtep \d+\.\d+\.\d+\nvtepd 1\.2\.3\n$/);
    expect((await vtep('--version')).stdout).toMatch(/^vtep /);
    const alone = await vtep('-j version', join(cli.directory, 'none'));
    expect(alone.status).toBe(0);
    expect(JSON.parse(alone.stdout)).toMatchObject({ vtepd: null });
  });
});
