import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

describe('vtep link add, set and del', () => {
  it('send what the words say', async () => {
    expect(await vtep('link add vx42 type vxlan id 42 remote 10.0.0.1 up')).toEqual(ok());
    expect(await vtep('li set vx42 mtu 1400')).toEqual(ok());
    expect(await vtep('link delete dev vx42')).toEqual(ok());
    expect(cli.api.links.requests).toEqual([
      { verb: 'add', links: [{ name: 'vx42', id: 42, remotes: ['10.0.0.1'], up: true }] },
      { verb: 'set', links: [{ name: 'vx42', mtu: '1400' }] },
      { verb: 'del', links: [{ name: 'vx42' }] },
    ]);
    expect((await vtep('link del')).status).toBe(2);
  });

  it('send all lines of a batch at once, and name the line that is wrong', async () => {
    const file = join(cli.directory, 'links');
    writeFileSync(file, '# two\nvx1 type vxlan id 1\n\nvx2 type vxlan id 2 # the second\n');
    expect(await vtep(`link add --batch ${file}`)).toEqual(ok());
    expect(cli.api.links.requests).toEqual([
      {
        verb: 'add',
        links: [
          { name: 'vx1', id: 1 },
          { name: 'vx2', id: 2 },
        ],
      },
    ]);
    writeFileSync(file, 'vx1 type vxlan id 1\n\ntaken type vxlan id 2\n');
    expect(await vtep(`link add -b ${file}`)).toMatchObject({
      status: 5,
      stderr: expect.stringContaining(`${file}:3: Cannot add "taken"`) as string,
    });
    writeFileSync(file, 'vx1 type vxlan id 1\nvx2 type vxlan\n');
    expect(await vtep(`link add -b ${file}`)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`${file}:2: Cannot add a link without its VNI`) as string,
    });
    expect((await vtep(`link add vx1 -b ${file}`)).status).toBe(2);
    expect(cli.api.links.requests).toHaveLength(2);
  });
});
