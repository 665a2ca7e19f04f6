import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { OuterBench, underlayOf } from '../support/outer-bench.ts';
import { describeIf } from '../support/requires.ts';
import { tunnelOf } from '../support/tunnels.ts';
import { addKernelVxlan, runVtepd, type Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = { kernelVxlan: true, tun: true, commands: ['ethtool', 'ping'] } as const;
const PING = ['-n', '-c', '3', '-i', '0.1', '-W', '1', '10.0.0.2'];

describeIf(REQUIREMENT, 'UDP checksums of zero', () => {
  let bench: OuterBench;
  let daemon: Vtepd | undefined;

  beforeAll(async () => {
    bench = await OuterBench.open();
  });
  afterAll(async () => bench.close());
  afterEach(async () => {
    await daemon?.stop();
    daemon = undefined;
    bench.b.exec('ip', 'link', 'del', 'vx42');
  });

  async function ping(
    underlay: 4 | 6,
    settings: string,
    words: readonly string[],
  ): Promise<number> {
    const { a, b } = underlayOf(underlay);
    const mtu = 1430;
    addKernelVxlan(bench.b, {
      ...{ vni: 42, local: b, remote: a, mtu, addresses: ['10.0.0.2/24'], extra: words },
    });
    daemon = await bench.daemon(underlay, `addresses: [10.0.0.1/24], mtu: ${mtu}, ${settings}`);
    return bench.a.exec('ping', ...PING).status;
  }

  it('are taken over IPv4 always', async () => {
    expect(await ping(4, 'ttl: auto', ['noudpcsum'])).toBe(0);
  });

  it('are taken over IPv6 where they are configured', async () => {
    const settings = 'checksums: [udp, zero-udp6-tx, zero-udp6-rx]';
    expect(await ping(6, settings, ['udp6zerocsumtx', 'udp6zerocsumrx'])).toBe(0);
  });

  it('are refused over IPv6 where they are not, by the kernel', async () => {
    expect(await ping(6, 'ttl: auto', ['udp6zerocsumtx'])).not.toBe(0);
    expect(tunnelOf(daemon!).rx.packets).toBe(0);
  });

  it('are sent over IPv6 where they are configured only: a strict peer refuses them', async () => {
    expect(await ping(6, 'checksums: [zero-udp6-tx]', [])).not.toBe(0);
    expect(tunnelOf(daemon!).tx.packets).toBeGreaterThan(0);
  });

  it('must be taken by all tunnels of a socket or by none; both are named', () => {
    const path = bench.lab.file(
      'wrong.yaml',
      'tunnels:\n  vx42: { id: 42, local: "fd00:120::10", checksums: [udp, zero-udp6-rx] }\n' +
        '  vx43: { id: 43, local: "fd00:120::10" }\n',
    );
    const { status, stderr } = runVtepd(bench.a, ['--config', path]);
    expect(status).toBe(65);
    expect(stderr).toMatch(/vx42.*zero-udp6-rx is set here but not in tunnel .*vx43/);
  });
});
