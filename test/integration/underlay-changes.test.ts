import { afterEach, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { Capture } from '../support/capture.ts';
import { Lab, UNDERLAY, waitFor, type Host } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { switchTransmitOffloadsOff } from '../support/tunnel-matrix.ts';
import { dropsOf, linkOf, startTunnel, tunnelArguments, tunnelOf } from '../support/tunnels.ts';
import { addKernelVxlan, runVtepd, startVtepd, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = { namespaces: true, tun: true, commands: ['ping', 'ip'] };
const LOCAL = { local: UNDERLAY.a4, remotes: [UNDERLAY.b4] };
const OVERLAY = { a: '10.0.0.1', b: '10.0.0.2' } as const;

let lab: Lab;
let a: Host;
let b: Host;

function setMtu(host: Host, name: string, mtu: number): void {
  host.ip('link', 'set', name, 'mtu', String(mtu));
}

async function waitForMtu(mtu: number): Promise<void> {
  await waitFor(() => linkOf(a, 'vx42')!.mtu === mtu, {
    what: () => `an MTU of ${mtu}; it is ${linkOf(a, 'vx42')!.mtu}`,
  });
}

async function log(daemon: Vtepd, text: string): Promise<void> {
  await waitFor(() => daemon.log().includes(text), {
    what: () => `"${text}" in the log:\n${daemon.log()}`,
  });
}

function pings(host: Host, to: string): boolean {
  return host.exec('ping', '-n', '-c', '1', '-W', '1', to).status === 0;
}

function kernelEnd(): void {
  const addresses = [`${OVERLAY.b}/24`];
  addKernelVxlan(b, { vni: 42, local: UNDERLAY.b4, remote: UNDERLAY.a4, addresses, mtu: 1450 });
}

function openLab(): void {
  lab = new Lab();
  ({ a, b } = lab.twoHosts());
}

describeIf(REQUIREMENT, 'the MTU of the device', () => {
  beforeEach(openLab);
  afterEach(() => lab.close());

  it('follows that of the underlay, with its addresses, until somebody sets another', async () => {
    const addresses = ['10.0.0.1/24', 'fd00:10::1/64'];
    const daemon = await startTunnel(a, { ...LOCAL, addresses });
    expect(linkOf(a, 'vx42')!.mtu).toBe(1450);
    setMtu(a, 'eth0', 1300);
    await waitForMtu(1250);
    await log(daemon, 'mtu follows the underlay');
    setMtu(a, 'eth0', 9000);
    await waitForMtu(8950);
    const shown = a.must('ip', '-6', 'address', 'show', 'dev', 'vx42');
    expect(shown, 'IPv6 needs 1280').toContain('fd00:10::1/64');
    a.ip('route', 'add', `${UNDERLAY.b4}/32`, 'dev', 'eth0', 'mtu', '2000');
    await waitForMtu(1950);
    expect(tunnelOf(daemon).mtu).toBe(1950);
    setMtu(a, 'vx42', 1700);
    setMtu(a, 'eth0', 1500);
    await log(daemon, 'mtu larger than the underlay carries');
    expect(linkOf(a, 'vx42')!.mtu).toBe(1700);
  });

  it('stays where it was given, or the device is another program’s, and that is reported', async () => {
    a.ip('tuntap', 'add', 'vx42', 'mode', 'tap', 'multi_queue', 'vnet_hdr');
    setMtu(a, 'vx42', 1450);
    const taken = await startTunnel(a, LOCAL);
    const given = await startTunnel(a, {
      ...LOCAL,
      vni: 43,
      arguments: ['--port', '4790', '--mtu', '1440'],
    });
    setMtu(a, 'eth0', 1300);
    for (const daemon of [taken, given]) await log(daemon, 'mtu larger than the underlay carries');
    expect(linkOf(a, 'vx42')!.mtu).toBe(1450);
    expect(linkOf(a, 'vx43')!.mtu).toBe(1440);
  });
});

describeIf({ ...REQUIREMENT, commands: ['ethtool', 'tcpdump', 'tshark'] }, 'tcp-mss-clamp', () => {
  beforeEach(openLab);
  afterEach(() => lab.close());

  it.each([
    ['true', 1410, 'unfinished'],
    ['1000', 1000, 'finished'],
  ] as const)('%s lowers what both ends announce to %d, checksums %s', async (...row) => {
    const [clamp, expected, checksums] = row;
    if (checksums === 'finished') switchTransmitOffloadsOff(b, 'eth0');
    const addresses = [`${OVERLAY.a}/24`];
    const words = ['--mtu', '1500', '--tcp-mss-clamp', clamp];
    const daemon = await startTunnel(a, { ...LOCAL, addresses, arguments: words });
    kernelEnd();
    setMtu(b, 'vx42', 1500);
    expect(tunnelOf(daemon).mssClamp).toEqual({
      ipv4: expected,
      ipv6: expected === 1000 ? 1000 : 1390,
    });
    const [atA, atB] = await Promise.all(
      [a, b].map((host) => Capture.start(host, 'vx42', 'tcp[tcpflags] & tcp-syn != 0')),
    );
    for (const [from, to, address] of [
      [a, b, OVERLAY.b],
      [b, a, OVERLAY.a],
    ] as const) {
      await connect(from, to, address);
    }
    const fields = ['ip.src', 'tcp.options.mss_val', 'tcp.checksum.status'] as const;
    const seen = async (capture: Capture, from: string): Promise<number[]> => {
      await waitFor(() => capture.decode(fields).length >= 4, { what: 'four SYNs' });
      const foreign = capture.decode(fields).filter((packet) => packet['ip.src'].includes(from));
      if (checksums === 'finished') {
        for (const packet of foreign) expect(packet['tcp.checksum.status']).toEqual(['1']);
      }
      return foreign.map((packet) => Number(packet['tcp.options.mss_val'][0]));
    };
    expect(await seen(atB!, OVERLAY.a), 'on their way out').toEqual([expected, expected]);
    expect(await seen(atA!, OVERLAY.b), 'on their way in').toEqual([expected, expected]);
  });
});

/** One TCP connection from host to host. */
async function connect(from: Host, to: Host, address: string): Promise<void> {
  const [source, sink] = await Promise.all([Agent.start(from), Agent.start(to)]);
  const { sink: number, port } = await sink.call('tcpSink', { address });
  await source.call('tcpSource', { address, port, bytes: 10, timeoutMs: 5_000 });
  await sink.call('tcpResult', { sink: number, timeoutMs: 5_000 });
}

describeIf(REQUIREMENT, 'a route to a remote that leads into the tunnel itself', () => {
  beforeEach(openLab);
  afterEach(() => lab.close());

  it('is refused at the start', () => {
    const inside = tunnelArguments({
      local: UNDERLAY.a4,
      remotes: ['10.0.0.9'],
      addresses: ['10.0.0.1/24'],
    });
    const result = runVtepd(a, [...inside, '--socket', `${lab.folder}/refused.sock`]);
    expect(result.stderr).toContain(
      'the route to its remote 10.0.0.9 leads into the tunnel itself',
    );
    expect(result.status).toBe(65);
    expect(linkOf(a, 'vx42')).toBeUndefined();
  });

  it('is refused where the device is the only port of a bridge', () => {
    a.ip('tuntap', 'add', 'vx42', 'mode', 'tap', 'multi_queue', 'vnet_hdr');
    a.ip('link', 'add', 'br0', 'type', 'bridge');
    a.ip('link', 'set', 'vx42', 'master', 'br0');
    a.ip('link', 'set', 'br0', 'up');
    a.ip('link', 'set', 'vx42', 'up');
    a.ip('route', 'add', `${UNDERLAY.b4}/32`, 'dev', 'br0');
    const words = [...tunnelArguments(LOCAL), '--socket', `${lab.folder}/refused.sock`];
    const result = runVtepd(a, words);
    expect(result.stderr).toContain(`the route to its remote ${UNDERLAY.b4} leads into`);
    expect(result.status).toBe(65);
  });

  it('is reported when it appears later, and nothing goes round', async () => {
    const daemon = await startTunnel(a, { ...LOCAL, addresses: [`${OVERLAY.a}/24`] });
    kernelEnd();
    expect(pings(a, OVERLAY.b)).toBe(true);
    const mac = b.must('cat', '/sys/class/net/vx42/address').trim();
    a.ip('neigh', 'replace', OVERLAY.b, 'lladdr', mac, 'dev', 'vx42');
    a.ip('neigh', 'add', UNDERLAY.b4, 'lladdr', mac, 'dev', 'vx42');
    a.ip('route', 'add', `${UNDERLAY.b4}/32`, 'dev', 'vx42', 'src', UNDERLAY.a4);
    await log(daemon, 'route to a remote leads into the tunnel itself');
    const before = tunnelOf(daemon).tx.packets;
    expect(pings(a, OVERLAY.b)).toBe(false);
    await waitFor(() => (dropsOf(daemon)['circular_route'] ?? 0) > 0, { what: 'the drop' });
    // Each frame left once and came back once.
    expect(tunnelOf(daemon).tx.packets - before).toBeLessThan(10);
    a.ip('route', 'del', `${UNDERLAY.b4}/32`, 'dev', 'vx42');
    await waitFor(() => pings(a, OVERLAY.b), { what: 'the tunnel to work again' });
  });
});

describeIf(REQUIREMENT, 'a tunnel inside of a tunnel', () => {
  beforeEach(openLab);
  afterEach(() => lab.close());

  it('works, with the MTU that is left', async () => {
    const file = lab.file(
      'nested.yaml',
      `workers: 2
tunnels:
  vx42: {id: 42, local: ${UNDERLAY.a4}, remotes: [${UNDERLAY.b4}], addresses: [10.0.0.1/24]}
  vx43: {id: 43, local: 10.0.0.1, remotes: [10.0.0.2], addresses: [10.1.0.1/24]}
`,
    );
    const daemon = await startVtepd(a, ['--config', file]);
    kernelEnd();
    const inner = { name: 'vx43', vni: 43, local: OVERLAY.b, remote: OVERLAY.a };
    addKernelVxlan(b, { ...inner, addresses: ['10.1.0.2/24'], mtu: 1400 });
    expect(linkOf(a, 'vx43')!.mtu).toBe(1400);
    await waitFor(() => pings(a, '10.1.0.2'), { what: 'an answer from inside' });
    expect(
      a.exec('ping', '-n', '-c', '3', '-i', '0.1', '-M', 'do', '-s', '1372', '10.1.0.2').status,
    ).toBe(0);
    expect(dropsOf(daemon)).not.toHaveProperty('circular_route');
  });
});
