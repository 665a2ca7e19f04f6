import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

const vtep: CliFixture['vtep'] = (...args) => cli.vtep(...args);

describe('vtep fdb add --batch', () => {
  const file = (text: string) => {
    const path = join(cli.directory, 'entries.txt');
    writeFileSync(path, text);
    return path;
  };

  it('applies all lines, skipping empty ones and comments', async () => {
    const path = file(
      `# two entries\n\n${MAC} dev vx42 dst 10.0.0.1 # the first\n dst 10.0.0.2 dev vx43 ${MAC}`,
    );
    expect(await vtep(`fdb add --batch ${path}`)).toEqual(ok());
    expect((await vtep('fdb show')).stdout.split('\n')).toHaveLength(3);
    expect(await vtep(`fdb del -b ${path}`)).toEqual(ok());
    expect((await vtep('fdb show')).stdout).toBe('');
  });

  it.each([
    ['bogus', 2, 'Cannot understand "bogus": neither a keyword nor a MAC address'],
    [`${MAC} dev vx42 dst 10.0.0.1`, 5, `Cannot add "${MAC}" on "vx42": the entry exists already`],
    [`${MAC} dev nope dst 10.0.0.1`, 4, 'Cannot find device "nope"'],
  ])('names the line of "%s" and applies nothing', async (line, status, message) => {
    const path = file(`# comment\n${MAC} dev vx42 dst 10.0.0.9\n\n${line}\n`);
    const result = await vtep(`fdb add --batch ${path}`);
    expect(result.status).toBe(status);
    expect(result.stderr).toContain(`error: ${path}:4: ${message}\n`);
    expect(result.stderr).toContain('nothing was changed');
    expect((await vtep('fdb show')).stdout).toBe('');
  });

  it('refuses a file that cannot be read, and words beside the file', async () => {
    expect((await vtep('fdb add --batch /nope')).stderr).toContain('Cannot read "/nope": ENOENT');
    expect((await vtep(`fdb add ${MAC} --batch /nope`)).status).toBe(2);
    expect((await vtep('fdb show --batch /nope')).status).toBe(2);
  });
});
