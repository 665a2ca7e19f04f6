import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { Capture } from '../support/capture.ts';
import { udpFrame, vxlan } from '../support/frames.ts';
import { Lab, type Host, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { tunnelOf } from '../support/tunnels.ts';
import { addKernelVxlan, runVtepd, startVtepd, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = {
  kernelVxlan: true,
  tun: true,
  commands: ['ping', 'tcpdump', 'tshark'],
} as const;
const MAC = '02:00:00:00:0b:01';
const SOURCE = '02:00:00:00:0a:01';

/**
 * Hosts a and b with two cables. Both remote addresses live on b's loopback, so that each cable can carry
 * datagrams to either; the routes prefer eth0.
 */
describeIf(REQUIREMENT, 'the underlay device', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let agents: { a: Agent; b: Agent };
  let daemon: Vtepd | undefined;

  beforeAll(async () => {
    lab = new Lab();
    a = lab.host('a');
    b = lab.host('b');
    for (const net of [1, 2]) {
      lab.link(a, b, {
        a: [`192.168.${net}.1/24`, `fd00:${net}::1/64`],
        b: [`192.168.${net}.2/24`, `fd00:${net}::2/64`],
      });
    }
    a.ip('address', 'add', '172.16.0.1/32', 'dev', 'lo');
    a.ip('address', 'add', 'fd00:a::1/128', 'dev', 'lo');
    b.ip('address', 'add', '172.16.0.2/32', 'dev', 'lo');
    b.ip('address', 'add', 'fd00:a::2/128', 'dev', 'lo');
    for (const [net, metric] of [
      ['1', '100'],
      ['2', '200'],
    ] as const) {
      a.ip('route', 'add', '172.16.0.2', 'via', `192.168.${net}.2`, 'metric', metric);
      a.ip('-6', 'route', 'add', 'fd00:a::2', 'via', `fd00:${net}::2`, 'metric', metric);
      b.ip('route', 'add', '172.16.0.1', 'via', `192.168.${net}.1`, 'metric', metric);
      b.ip('-6', 'route', 'add', 'fd00:a::1', 'via', `fd00:${net}::1`, 'metric', metric);
    }
    const files = ['all', 'default', 'eth0', 'eth1'].map(
      (name) => `/proc/sys/net/ipv4/conf/${name}/rp_filter`,
    );
    for (const host of [a, b]) {
      host.must('sh', '-c', files.map((file) => `echo 0 > ${file}`).join('; '));
    }
    agents = { a: await Agent.start(a), b: await Agent.start(b) };
  });
  afterAll(async () => lab.close());
  afterEach(async () => {
    await daemon?.stop();
    daemon = undefined;
    b.exec('ip', 'link', 'del', 'vx42');
  });

  async function start(settings: string): Promise<Vtepd> {
    const path = lab.file('vtepd.yaml', `tunnels: { vx42: { id: 42, ${settings} } }`);
    daemon = await startVtepd(a, ['--config', path]);
    return daemon;
  }

  /** Devices of b at which a frame of a's arrives, with the outer source address. */
  async function arrivals(): Promise<Record<string, string[]>> {
    const names = ['eth0', 'eth1'] as const;
    const filter = 'udp dst port 4789';
    const captures = await Promise.all(names.map((name) => Capture.start(b, name, filter)));
    await agents.a.inject('vx42', [udpFrame(SOURCE, MAC, 'by which way')]);
    const seen = (): [string, string[]][] =>
      names.map((name, index) => {
        const packets = captures[index]!.decode(['eth.src', 'ip.src', 'ipv6.src']);
        const own = packets.filter((packet) => packet['eth.src'].at(-1) === SOURCE);
        return [name, own.map((packet) => packet['ipv6.src'][0] ?? packet['ip.src'][0]!)];
      });
    await waitFor(() => seen().some(([, sources]) => sources.length > 0), { what: 'the datagram' });
    await Promise.all(captures.map((capture) => capture.stop()));
    return Object.fromEntries(seen());
  }

  for (const [family, local, remote] of [
    [4, '172.16.0.1', '172.16.0.2'],
    [6, 'fd00:a::1', 'fd00:a::2'],
  ] as const) {
    const tunnel = `local: "${local}", remotes: ["${remote}"]`;

    it(`is what the route says over IPv${family} when nothing is configured`, async () => {
      await start(tunnel);
      expect(await arrivals()).toEqual({ eth0: [local], eth1: [] });
    });

    it(`is the one of "link" over IPv${family}, for what is sent and for what is heard`, async () => {
      const tunnelDaemon = await start(`${tunnel}, link: eth1`);
      expect(await arrivals()).toEqual({ eth0: [], eth1: [local] });
      const send = (): Promise<void> =>
        agents.b.sendUdp({ address: local, port: 4789 }, [vxlan(42, udpFrame(MAC, SOURCE, 'x'))], {
          from: remote,
        });
      // By eth0, which the route prefers: not heard. By eth1: heard.
      await send();
      const preferred = family === 4 ? ['route'] : ['-6', 'route'];
      const gateway = family === 4 ? '192.168.1.1' : 'fd00:1::1';
      b.ip(...preferred, 'del', local, 'via', gateway);
      await send();
      await waitFor(() => tunnelOf(tunnelDaemon).rx.packets > 0, { what: 'the frame by eth1' });
      expect(tunnelOf(tunnelDaemon).rx.packets).toBe(1);
      b.ip(...preferred, 'add', local, 'via', gateway, 'metric', '100');
    });

    // With a source address the kernel's IPv6 follows the route whatever the device: see below.
    for (const source of family === 4 ? [`local: "${local}", `, ''] : ['']) {
      const from = source === '' ? 'without' : 'with';
      it(`is the one of "via" of an FDB entry over IPv${family}, ${from} a local address`, async () => {
        const tunnelDaemon = await start(`${source}remotes: ["${remote}"]`);
        const words = ['dev', 'vx42', 'dst', remote, 'via', 'eth1'];
        expect(tunnelDaemon.vtep('fdb', 'add', MAC, ...words).stderr).toBe('');
        const seen = await arrivals();
        expect(seen['eth0']).toEqual([]);
        expect(seen['eth1']).toHaveLength(1);
        if (source !== '') expect(seen['eth1']).toEqual([local]);
        const remotes = tunnelOf(tunnelDaemon).remotes.filter(({ via }) => via === 'eth1');
        expect(remotes.map(({ tx }) => tx.packets)).toEqual([1]);
      });
    }
  }

  it('is over IPv6 with a local address what the kernel device makes of "via", too', async () => {
    const [local, remote] = ['fd00:a::1', 'fd00:a::2'];
    const words = ['dev', 'vx42', 'dst', remote, 'via', 'eth1'];
    const tunnelDaemon = await start(`local: "${local}", remotes: ["${remote}"]`);
    expect(tunnelDaemon.vtep('fdb', 'add', MAC, ...words).stderr).toBe('');
    const own = await arrivals();
    await tunnelDaemon.stop();
    addKernelVxlan(a, { vni: 42, local, remote });
    a.must('bridge', 'fdb', 'add', MAC, ...words);
    expect(await arrivals()).toEqual(own);
    a.ip('link', 'del', 'vx42');
  });

  it('carries a tunnel between link-local addresses, with the kernel device at the other end', async () => {
    const [one, other] = [linkLocalOf(a), linkLocalOf(b)];
    await start(
      `local: "${one}%eth0", remotes: ["${other}%eth0"], link: eth0, addresses: [10.0.0.1/24]`,
    );
    addKernelVxlan(b, {
      ...{ vni: 42, local: other, remote: one, mtu: 1430, addresses: ['10.0.0.2/24'] },
      extra: ['dev', 'eth0'],
    });
    expect(a.must('ping', '-n', '-c', '3', '-i', '0.1', '-W', '2', '10.0.0.2')).toContain(
      ' 0% packet loss',
    );
  });

  it('must exist', () => {
    const path = lab.file('wrong.yaml', 'tunnels: { vx42: { id: 42, link: eth9 } }');
    const { status, stderr, stdout } = runVtepd(a, ['--config', path, '--socket', `${path}.sock`]);
    expect(status).not.toBe(0);
    expect(stdout + stderr).toMatch(/Cannot find the (underlay device|interface) 'eth9'/);
  });
});

function linkLocalOf(host: Host): string {
  const addresses = host.ip('-6', 'address', 'show', 'dev', 'eth0', 'scope', 'link');
  return /inet6 (fe80:[^/]*)/.exec(addresses)![1]!;
}
