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

describe('vtep help', () => {
  it('explains itself on standard output when asked, else on standard error', async () => {
    expect(await vtep('')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('Usage:') as string,
    });
    for (const line of ['help', '--help', '-h', 'fdb --help', 'fdb help']) {
      const { status, stdout } = await vtep(line);
      expect(status).toBe(0);
      expect(stdout).toContain('fdb append');
      expect(stdout).toContain('Exit status:');
    }
  });

  it('shows usage and an example for every verb', async () => {
    for (const verb of ['add', 'append', 'replace', 'del', 'get', 'show', 'flush']) {
      const { stdout } = await vtep(`fdb ${verb} --help`);
      expect(stdout).toContain(verb === 'show' ? 'vtep fdb [show]' : `vtep fdb ${verb}`);
      expect(stdout).toMatch(/Examples?:\n {2}vtep /);
    }
    expect((await vtep('help show')).stdout).toContain('vtep -j -p show vx42');
  });
});
