import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAC } from '../vtep/fdb-fixture.ts';
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

describe('vtep fdb show', () => {
  it("prints bridge's JSON keys, with ages and counters on request", async () => {
    await vtep(`fdb add ${MAC} dev vx42 dst 192.168.120.20 port 4790 vni 43 dynamic`);
    const row = {
      mac: MAC,
      ifname: 'vx42',
      dst: '192.168.120.20',
      port: 4790,
      vni: 43,
      flags: ['self'],
      state: '',
    };
    const plain = await vtep('-j fdb show');
    expect(JSON.parse(plain.stdout)).toEqual([row]);
    expect(Object.keys((JSON.parse(plain.stdout) as object[])[0]!)).toEqual(Object.keys(row));
    const pretty = await vtep('fdb show -jp -s');
    expect(pretty.stdout.split('\n').length).toBeGreaterThan(10);
    expect(JSON.parse(pretty.stdout)).toEqual([{ ...row, used: 0, updated: 0, frames: 0 }]);
    expect((await vtep('-j -p fdb show dev vx43')).stdout).toBe('[]\n');
    expect((await vtep('-j fdb show dev vx43')).stdout).toBe('[]\n');
    expect((await vtep('-s fdb show')).stdout).toContain(' used 0/0 frames 0 self \n');
  });
});
