import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { Lab, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { tunnelOf } from '../support/tunnels.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import { addKernelVxlan, startVtepd } from '../support/vtepd.ts';

const NAME = 'vtep-b.example';

/** `ip netns exec` puts the files of /etc/netns/NAME in the place of those of /etc. */
describeIf({ namespaces: true, tun: true, kernelVxlan: true }, 'a remote by host name', () => {
  let lab: Lab;
  let a: HubHost;
  let b: HubHost;
  let c: HubHost;
  let folder: string;

  beforeEach(() => {
    lab = new Lab();
    [a, b, c] = hubOf(lab, ['a', 'b', 'c']) as [HubHost, HubHost, HubHost];
    folder = join('/etc/netns', a.host.namespace);
    mkdirSync(folder, { recursive: true });
    // No server answers, and at once: what is not in the file has no address.
    writeFileSync(
      join(folder, 'resolv.conf'),
      'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
    );
    writeFileSync(join(folder, 'hosts'), '127.0.0.1 localhost\n');
    a.host.ip('link', 'set', 'lo', 'up');
    for (const [{ host, address }, overlay] of [
      [b, '10.0.0.2/24'],
      [c, '10.0.0.3/24'],
    ] as const) {
      const extra = ['dev', 'eth0'];
      addKernelVxlan(host, {
        vni: 42,
        local: address,
        remote: a.address,
        addresses: [overlay],
        extra,
      });
    }
  });
  afterEach(async () => {
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('starts without an address, gets the one that the name gets, and follows it', async () => {
    const words = ['--vni', '42', '--name', 'vx42', '--local', a.address, '--remote', NAME];
    const daemon = await startVtepd(a.host, [...words, '--address', '10.0.0.1/24']);
    await waitFor(() => daemon.log().includes('name not resolved'), { what: 'the warning' });
    expect(tunnelOf(daemon).names).toMatchObject([{ name: NAME, addresses: [] }]);
    expect(tunnelOf(daemon).remotes).toEqual([]);
    // In place: the mount shows this file, not the name of it.
    writeFileSync(join(folder, 'hosts'), `${b.address} ${NAME}\n`);
    await waitFor(() => tunnelOf(daemon).names?.[0]?.addresses[0] === b.address, {
      timeoutMs: 20_000,
      what: 'the name to be resolved',
    });
    const flood = tunnelOf(daemon).remotes.map(({ dst, flood }) => [dst, flood]);
    expect(flood).toEqual([[b.address, true]]);
    const ping = a.host.exec('ping', '-n', '-c', '1', '-W', '2', '10.0.0.2');
    expect(ping.stdout).toContain('1 received');
    expect(daemon.vtep('show').stdout).toContain(`name: ${NAME} is ${b.address}`);
  });
});
