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

describe('vtep', () => {
  it('ends with 3 and a hint when there is no daemon', async () => {
    const { status, stderr } = await vtep('fdb show', join(cli.directory, 'none'));
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^error: Cannot reach vtepd on ".*": there is no such socket\nhint: .+\n$/,
    );
  });

  it('ends with 2 for wrong usage, without asking the daemon', async () => {
    for (const line of ['fdb a x', 'bogus', 'fdb add', '--bogus', 'fdb add x dev y dst z']) {
      const { status, stdout, stderr } = await vtep(line, join(cli.directory, 'none'));
      expect([line, status, stdout]).toEqual([line, 2, '']);
      expect(stderr).toMatch(/^error: /);
    }
  });
});
