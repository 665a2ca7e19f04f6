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

describe('vtep fdb add and del', () => {
  it('adds, shows, gets and deletes an entry in the grammar of bridge fdb', async () => {
    expect(await vtep(`fdb add ${MAC} dev vx42 dst 192.168.120.20`)).toEqual(ok());
    const row = `${MAC} dev vx42 dst 192.168.120.20 self permanent\n`;
    expect(await vtep('f s')).toEqual(ok(row));
    expect(await vtep('fdb')).toEqual(ok(row));
    expect(await vtep('fdb show dev vx42')).toEqual(ok(row.replace(' dev vx42', '')));
    expect(await vtep(`fdb get ${MAC} dev vx42`)).toEqual(ok(row));
    expect(await vtep(`fdb del ${MAC} dev vx42`)).toEqual(ok());
    expect(await vtep('fdb show')).toEqual(ok());
  });

  it('sends src_vni as the API spells it', async () => {
    expect(await vtep(`fdb add ${MAC} dev vx42 dst 10.0.0.1 src_vni 42`)).toEqual(ok());
    expect((await vtep(`fdb del ${MAC} dev vx42 src_vni 43`)).stderr).toContain(
      'Cannot use src_vni 43 on "vx42"',
    );
  });

  it('ends with 5 for what exists and with 4 for what does not, and changes nothing', async () => {
    await vtep(`fdb add ${MAC} dev vx42 dst 192.168.120.20`);
    const exists = await vtep(`fdb add ${MAC} dev vx42 dst 192.168.120.30`);
    expect(exists).toEqual({
      status: 5,
      stdout: '',
      stderr:
        `error: Cannot add "${MAC}" on "vx42": the entry exists already\n` +
        'hint: use replace to overwrite it\n',
    });
    expect((await vtep(`fdb del ${MAC} dev vx43`)).status).toBe(4);
    expect((await vtep(`fdb get ${MAC} dev vx43`)).status).toBe(4);
    expect((await vtep(`fdb add ${MAC} dev nope dst 10.0.0.1`)).status).toBe(4);
    expect((await vtep('fdb show dev nope')).status).toBe(4);
    expect((await vtep('fdb show')).stdout).toBe(
      `${MAC} dev vx42 dst 192.168.120.20 self permanent\n`,
    );
  });
});
