import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { LinkReport } from '../../src/api/link-protocol.ts';
import { Capture } from '../support/capture.ts';
import { type Host, Lab, UNDERLAY, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { linkOf, startTunnel, tunnelOf } from '../support/tunnels.ts';
import { addKernelVxlan, startVtepd, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = {
  namespaces: true,
  tun: true,
  commands: ['ping', 'tcpdump', 'tshark'],
} as const;
const MANY = 1_000;
const PEER_MAC = '02:00:00:00:00:99';
const OUR_MAC = '02:00:00:00:00:11';

describeIf(REQUIREMENT, 'tunnels at run time', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;

  beforeEach(() => {
    lab = new Lab();
    ({ a, b } = lab.twoHosts());
  });
  afterEach(async () => lab.close());

  const start = (): Promise<Vtepd> =>
    startTunnel(a, { local: UNDERLAY.a4, remotes: [UNDERLAY.b4], addresses: ['10.42.0.1/24'] });
  const kernel = (vni: number, address: string, port = 4789): string =>
    addKernelVxlan(b, {
      ...{ name: `vx${vni}`, vni, port, local: UNDERLAY.b4, remote: UNDERLAY.a4 },
      ...{ addresses: [address], extra: ['dev', 'eth0'] },
    });
  const reaches = (address: string, device: string): boolean =>
    a.exec('ping', '-n', '-c', '1', '-W', '2', '-I', device, address).status === 0;
  const add = (daemon: Vtepd, name: string, ...words: readonly string[]) =>
    daemon.vtep('link', 'add', name, 'type', 'vxlan', ...words);
  const linksOf = (daemon: Vtepd): LinkReport[] => daemon.json('link', 'show') as LinkReport[];
  const listens = (port: number): boolean => a.must('ss', '-Hulna').includes(`:${port} `);

  it('come beside the configured one, forward, change and go', async () => {
    const daemon = await start();
    kernel(43, '10.43.0.2/24');
    kernel(44, '10.44.0.2/24', 8472);
    const ways = ['local', UNDERLAY.a4, 'remote', UNDERLAY.b4, 'up'];
    expect(add(daemon, 'vx43', 'id', '43', ...ways, 'address', '10.43.0.1/24').status).toBe(0);
    const other = ['id', '44', 'dstport', '8472', ...ways, 'address', '10.44.0.1/24'];
    expect(add(daemon, 'vx44', ...other).status).toBe(0);
    expect(reaches('10.43.0.2', 'vx43')).toBe(true);
    expect(reaches('10.44.0.2', 'vx44')).toBe(true);
    const origins = linksOf(daemon).map(({ ifname, configured }) => [ifname, configured]);
    expect(origins).toEqual([
      ['vx42', true],
      ['vx43', false],
      ['vx44', false],
    ]);
    expect(tunnelOf(daemon, 'vx43').configured).toBe(false);

    const change = ['mtu', '1300', 'learning', 'off', 'ageing', '7', 'address', '10.45.0.1/24'];
    expect(daemon.vtep('link', 'set', 'vx43', ...change).status).toBe(0);
    expect(linkOf(a, 'vx43')?.mtu).toBe(1300);
    expect(a.ip('-4', 'address', 'show', 'vx43')).toContain('10.45.0.1/24');
    expect(tunnelOf(daemon, 'vx43')).toMatchObject({ mtu: 1300, learning: false, ageing: 7 });
    expect(daemon.vtep('link', 'set', 'vx43', 'down').status).toBe(0);
    expect(linkOf(a, 'vx43')?.flags).not.toContain('UP');

    expect(daemon.vtep('link', 'del', 'vx44').status).toBe(0);
    expect(linkOf(a, 'vx44')).toBeUndefined();
    expect(listens(8472)).toBe(false);
    expect(daemon.vtep('link', 'del', 'vx44').status).toBe(4);
    // What was there goes on.
    expect(daemon.vtep('link', 'set', 'vx43', 'up').status).toBe(0);
    expect(reaches('10.43.0.2', 'vx43')).toBe(true);
  });

  it('leave nothing behind when adding or changing them fails', async () => {
    const daemon = await start();
    const before = JSON.stringify([linksOf(daemon), daemon.json('fdb', 'show')]);
    const local = ['local', UNDERLAY.a4];
    const refused = (status: number, name: string, ...words: readonly string[]): void => {
      const result = add(daemon, name, ...words);
      expect(result.status, result.stderr).toBe(status);
      expect(result.stderr).toMatch(/^error: .*\nhint: /);
    };
    refused(5, 'vx42', 'id', '50', ...local);
    refused(5, 'vx50', 'id', '42', ...local);
    refused(5, 'eth0', 'id', '50', ...local);
    refused(2, 'vx50', 'id', '50');
    refused(2, 'vx50', 'id', '50', ...local, 'mtu', '5');
    refused(1, 'vx50', 'id', '50', 'local', '192.0.2.1', 'dstport', '4790');
    // The device and the socket are there already when the kernel refuses the address.
    const late = ['mtu', '1000', 'address', '10.50.0.1/24', 'remote', UNDERLAY.b4];
    a.must('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6');
    refused(1, 'vx50', 'id', '50', ...local, 'dstport', '4790', 'address', 'fd00:50::1/64');
    const batch = `vx50 type vxlan id 50 ${[...local, ...late].join(' ')}\nvx42 type vxlan id 51\n`;
    const result = daemon.vtepWith({ input: batch }, 'link', 'add', '--batch', '-');
    expect(result.status).toBe(5);
    expect(result.stderr).toContain('standard input:2: Cannot add "vx42"');
    const change = ['mtu', '1300', 'address', '10.9.0.1/24', 'address', 'fd00:50::1/64', 'down'];
    a.must('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/vx42/disable_ipv6');
    expect(daemon.vtep('link', 'set', 'vx42', ...change).status).toBe(1);
    expect(JSON.stringify([linksOf(daemon), daemon.json('fdb', 'show')])).toBe(before);
    expect(a.ip('address', 'show', 'vx42')).not.toContain('10.9.0.1');
    expect(linkOf(a, 'vx50')).toBeUndefined();
    expect(listens(4790)).toBe(false);
  });

  it('have the keys and values of ip -j -d link show', async () => {
    const daemon = await start();
    kernel(42, '10.42.0.2/24');
    const [ours] = linksOf(daemon);
    const [tap] = JSON.parse(a.ip('-j', '-d', 'link', 'show', 'vx42')) as object[];
    const [theirs] = JSON.parse(b.ip('-j', '-d', 'link', 'show', 'vx42')) as LinkReport[];
    const { linkinfo, configured, remotes, ...device } = ours!;
    expect(tap).toMatchObject(device);
    expect({ configured, remotes }).toEqual({ configured: true, remotes: [UNDERLAY.b4] });
    expect(linkinfo.info_kind).toBe(theirs!.linkinfo.info_kind);
    const types = (value: object): string[][] =>
      Object.entries(value).map(([key, member]) => [key, typeof member]);
    const known = types(theirs!.linkinfo.info_data);
    for (const pair of types(linkinfo.info_data)) expect(known).toContainEqual(pair);
    expect(linkinfo.info_data).toMatchObject({
      ...{ id: 42, local: UNDERLAY.a4, remote: UNDERLAY.b4, port: 4789, learning: true },
    });
  });

  it('end with a device that somebody deletes', async () => {
    const daemon = await start();
    expect(add(daemon, 'vx43', 'id', '43', 'local', UNDERLAY.a4).status).toBe(0);
    a.ip('link', 'del', 'vx43');
    await waitFor(() => linksOf(daemon).length === 1, { what: 'the tunnel to go' });
    expect(add(daemon, 'vx43', 'id', '43', 'local', UNDERLAY.a4).status).toBe(0);
  });

  it('keep the same MACs and addresses in two VNIs apart', async () => {
    const daemon = await start();
    const c = lab.host('c');
    for (const [vni, owner] of [
      [101, b],
      [102, c],
    ] as const) {
      const name = `vx${vni}`;
      const ways = ['local', UNDERLAY.a4, 'remote', UNDERLAY.b4];
      const device = ['address', '10.0.0.1/24', 'address', OUR_MAC, 'up'];
      expect(add(daemon, name, 'id', String(vni), ...ways, ...device).status).toBe(0);
      addKernelVxlan(b, { name, vni, local: UNDERLAY.b4, remote: UNDERLAY.a4 });
      // Its tunnel stays where it was made.
      if (owner !== b) b.ip('link', 'set', name, 'netns', owner.namespace);
      owner.ip('link', 'set', name, 'address', PEER_MAC, 'mtu', '1400', 'up');
      owner.ip('address', 'add', '10.0.0.2/24', 'dev', name);
    }
    for (const vni of ['101', '102']) {
      const capture = await Capture.start(b, 'eth0', 'udp port 4789');
      expect(reaches('10.0.0.2', `vx${vni}`)).toBe(true);
      await capture.frames(2);
      const pings = capture.decode(['vxlan.vni'], 'icmp');
      expect(pings.length).toBeGreaterThanOrEqual(2);
      expect(new Set(pings.flatMap((packet) => packet['vxlan.vni']))).toEqual(new Set([vni]));
    }
    daemon.vtep('fdb', 'add', '02:00:00:00:00:77', 'dev', 'vx101', 'dst', UNDERLAY.b4);
    expect(daemon.vtep('fdb', 'get', '02:00:00:00:00:77', 'dev', 'vx101').status).toBe(0);
    expect(daemon.vtep('fdb', 'get', '02:00:00:00:00:77', 'dev', 'vx102').status).toBe(4);
    expect(daemon.vtep('link', 'del', 'vx101').status).toBe(0);
    expect(daemon.vtep('fdb', 'get', PEER_MAC, 'dev', 'vx102').status).toBe(0);
    expect(reaches('10.0.0.2', 'vx102')).toBe(true);
  });

  describe('a thousand from a file and a thousand more', () => {
    const overlay = (vni: number, end: number): string =>
      `10.${100 + (vni >> 8)}.${vni & 255}.${end}`;
    const probed = [1, MANY / 2, MANY, MANY + 1, 2 * MANY];

    it('forward, and go', async () => {
      const tunnels = Array.from({ length: MANY }, (_, index) => {
        const vni = index + 1;
        const ways = `local: ${UNDERLAY.a4}, remotes: [${UNDERLAY.b4}]`;
        return `  vx${vni}: { id: ${vni}, ${ways}, addresses: [${overlay(vni, 1)}/24] }\n`;
      });
      const file = lab.file('many.yaml', `tunnels:\n${tunnels.join('')}`);
      const daemon = await startVtepd(a, ['--config', file, '--log-level', 'warn'], {
        readyTimeoutMs: 40_000,
      });
      const lines = Array.from({ length: MANY }, (_, index) => {
        const vni = MANY + index + 1;
        const ways = `local ${UNDERLAY.a4} remote ${UNDERLAY.b4}`;
        return `vx${vni} type vxlan id ${vni} ${ways} address ${overlay(vni, 1)}/24 up\n`;
      });
      const added = daemon.vtepWith({ input: lines.join('') }, 'link', 'add', '-b', '-');
      expect(added, added.stderr).toMatchObject({ status: 0 });
      expect(linksOf(daemon)).toHaveLength(2 * MANY);
      for (const vni of probed) {
        kernel(vni, `${overlay(vni, 2)}/24`);
        expect(reaches(overlay(vni, 2), `vx${vni}`), `VNI ${vni}`).toBe(true);
      }
      const names = lines.map((line) => `${line.split(' ')[0]}\n`).join('');
      expect(daemon.vtepWith({ input: names }, 'link', 'del', '-b', '-').status).toBe(0);
      expect(linksOf(daemon)).toHaveLength(MANY);
      expect(reaches(overlay(MANY, 2), `vx${MANY}`)).toBe(true);
      expect((await daemon.stop()).status).toBe(0);
      expect(linkOf(a, 'vx1')).toBeUndefined();
    });
  });
});
