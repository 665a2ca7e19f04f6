import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LINK } from '../api/api-fixture.ts';
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

describe('vtep link show', () => {
  it('prints what ip prints, and whether the configuration names the tunnel', async () => {
    const text = `10: vx42: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000
    link/ether 02:00:00:00:00:0a brd ff:ff:ff:ff:ff:ff
    vxlan id 42 remote 192.168.120.20 remote 192.168.120.30 local 192.168.120.10 srcport 49152 65535 dstport 4789 ttl auto ageing 300 added at run time
`;
    expect(await vtep('link')).toEqual(ok(text));
    expect(await vtep('-d link show dev vx42')).toEqual(ok(text));
    expect((await vtep('link show nope')).status).toBe(4);
  });

  it('prints JSON', async () => {
    const { stdout } = await vtep('-d -j link show vx42');
    expect(JSON.parse(stdout)).toEqual([LINK]);
  });
});
