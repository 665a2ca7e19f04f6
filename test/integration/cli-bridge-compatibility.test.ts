import { afterEach, beforeEach, expect, it } from 'vitest';

import { Lab } from '../support/lab.ts';
import type { Host } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { addKernelVxlan } from '../support/vtepd.ts';
import { CliFixture } from '../unit/cli/cli-fixture.ts';

/** What both sides are told, in order; all of it means the same to the kernel's device and to us. */
const COMMANDS = [
  'fdb add 02:00:00:00:00:01 dev vx42 dst 10.0.0.1',
  'fdb add 02:00:00:00:00:02 dev vx42 dst 10.0.0.1 port 4790 vni 43 static self',
  'fdb add dynamic dst 10.0.0.2 dev vx42 to 02:00:00:00:00:03',
  'fdb add 02:00:00:00:00:04 dev vx42 dst 10.0.0.3 via lo local',
  'fdb append 00:00:00:00:00:00 dev vx42 dst 10.0.0.1',
  'fdb append 00:00:00:00:00:00 dev vx42 dst 10.0.0.2 port 4790',
  'fdb append 01:00:5e:00:00:09 dev vx42 dst 10.0.0.2',
  'fdb add 02:00:00:00:00:05 dev vx42 dst 10.0.0.5',
  'fdb replace 02:00:00:00:00:05 dev vx42 dst 10.0.0.6 src_vni 42',
  'fdb add 02:00:00:00:00:06 dev vx42 dst 10.0.0.5',
  'fdb del 02:00:00:00:00:06 dev vx42',
  'fdb append 00:00:00:00:00:00 dev vx42 dst 10.0.0.9',
  'fdb del 00:00:00:00:00:00 dev vx42 dst 10.0.0.9',
];

/** What both sides refuse. */
const REFUSED = [
  'fdb add 02:00:00:00:00:01 dev vx42 dst 10.0.0.1',
  'fdb add 02:00:00:00:00:01 dev vx42 dst 10.0.0.2',
  'fdb add 00:00:00:00:00:00 dev vx42 dst 10.0.0.7',
  'fdb del 02:00:00:00:00:77 dev vx42',
  'fdb add 02:00:00:00:00:78 dev nope dst 10.0.0.1',
  'fdb add 02:00:00:00:00:78 dst 10.0.0.1',
  'fdb add 02:00:00:00:00:78 dev vx42 dst 10.0.0.1 bogus',
  'fdb add 02:00:00:00:00:78 dev vx42 dst 10.0.0.1 via nope',
  'fdb add 02:00:00:00:00:78 dev vx42 dst 2001:db8::1',
  'fdb show dev nope',
];

describeIf({ kernelVxlan: true, commands: ['bridge'] }, 'vtep fdb and bridge fdb', () => {
  let lab: Lab;
  let host: Host;
  let cli: CliFixture;
  const bridge = (line: string) => host.exec('bridge', ...line.split(' '));

  beforeEach(async () => {
    lab = new Lab();
    host = lab.host('a');
    addKernelVxlan(host, { vni: 42, local: '127.0.0.1' });
    cli = new CliFixture();
    // The interface that "via lo" names.
    cli.api.fdb.interfaces.indexOf = (name) => (name === 'lo' ? 1 : undefined);
    cli.api.fdb.interfaces.nameOf = (index) => (index === 1 ? 'lo' : undefined);
    await cli.start();
    for (const line of COMMANDS) {
      expect([line, bridge(line).status, (await cli.vtep(line)).status]).toEqual([line, 0, 0]);
    }
  });

  afterEach(async () => {
    await cli.close();
    await lab.close();
  });

  it('print the same lines for the same commands', async () => {
    for (const line of ['fdb show dev vx42', 'fdb']) {
      const ours = (await cli.vtep(line)).stdout;
      expect(vxlanLines(ours)).toEqual(vxlanLines(bridge(line).stdout));
    }
  });

  it('print the same JSON, but for the device which we always name', async () => {
    const line = '-j fdb show dev vx42';
    const theirs = JSON.parse(bridge(line).stdout) as { mac: string }[];
    const ours = JSON.parse((await cli.vtep(line)).stdout) as { mac: string }[];
    const named = theirs.map(({ mac, ...rest }) => ({ mac, ifname: 'vx42', ...rest }));
    expect(jsonLines(ours)).toEqual(jsonLines(named));
  });

  it('print the same JSON keys with statistics, and ours count frames too', async () => {
    const line = '-j -s fdb show';
    const keys = (text: string) =>
      new Set((JSON.parse(text) as object[]).filter(isVxlan).flatMap((row) => Object.keys(row)));
    const theirs = keys(bridge(line).stdout);
    expect(keys((await cli.vtep(line)).stdout)).toEqual(new Set([...theirs, 'frames']));
  });

  it('refuse the same and change nothing', async () => {
    const before = (await cli.vtep('fdb')).stdout;
    for (const line of REFUSED) {
      const ours = await cli.vtep(line);
      expect([line, bridge(line).status === 0, ours.status === 0]).toEqual([line, false, false]);
      expect(ours.stderr).toMatch(/^error: /);
    }
    expect((await cli.vtep('fdb')).stdout).toBe(before);
  });

  it('flush the same', async () => {
    for (const line of ['fdb flush dev vx42 dynamic', 'fdb flush dev vx42 nopermanent']) {
      if (bridge(line).status !== 0) continue; // kernels before 6.7 cannot flush a vxlan device
      await cli.vtep(line);
      const ours = (await cli.vtep('fdb')).stdout;
      expect([line, vxlanLines(ours)]).toEqual([line, vxlanLines(bridge('fdb').stdout)]);
    }
  });
});

function isVxlan(row: object): boolean {
  return 'dst' in row;
}

/** Sorted, without the entries that other devices of the namespace have. */
function vxlanLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.includes(' dst '))
    .sort();
}

function jsonLines(rows: readonly object[]): string[] {
  return rows
    .filter(isVxlan)
    .map((row) => JSON.stringify(row))
    .sort();
}
