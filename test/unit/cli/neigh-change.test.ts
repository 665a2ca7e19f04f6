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

describe('vtep neigh add, replace and del', () => {
  it('are silent when they succeed and tell by the exit status when not', async () => {
    const add = `neigh add 10.0.0.2 lladdr ${MAC} dev vx42`;
    expect(await vtep(add)).toEqual(ok());
    expect((await vtep(add)).status).toBe(5);
    expect(await vtep(`n r 10.0.0.2 lladdr ${MAC} dev vx42`)).toEqual(ok());
    expect(await vtep('neigh del 10.0.0.2 dev vx42')).toEqual(ok());
    expect((await vtep('neigh del 10.0.0.2 dev vx42')).status).toBe(4);
    expect((await vtep('neigh add 10.0.0.2 dev vx42')).status).toBe(2);
  });

  it('take a batch, all or none, and name the line that is wrong', async () => {
    const path = join(cli.directory, 'neighbours.txt');
    writeFileSync(
      path,
      `10.0.0.2 lladdr ${MAC} dev vx42\n# more\nfd00::2 dev vx42 lladdr ${MAC}\n`,
    );
    expect(await vtep(`neigh add --batch ${path}`)).toEqual(ok());
    expect(cli.api.neighbours.count).toBe(2);
    const again = await vtep(`neigh add --batch ${path}`);
    expect(again.status).toBe(5);
    expect(again.stderr).toContain(`${path}:1: `);
    expect(await vtep(`neigh del --batch ${path}`)).toEqual(ok());
    expect(cli.api.neighbours.count).toBe(0);
    expect((await vtep(`neigh add 10.0.0.2 --batch ${path}`)).status).toBe(2);
  });
});
