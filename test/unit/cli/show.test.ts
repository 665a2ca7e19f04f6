import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatStatus } from '../../../src/cli/show.ts';
import type { StatusReport } from '../../../src/api/protocol.ts';
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

describe('vtep show', () => {
  it('prints daemon, tunnels, remotes and counters for people', async () => {
    const { status, stdout } = await vtep('show vx42');
    expect(status).toBe(0);
    expect(stdout).toBe(`vtepd 1.2.3: pid 4711, up 1 h 1 min, 2 workers, Node v20.19.2
  drops outside of tunnels: unknown-vni 3

tunnel: vx42
  vni: 42
  local: 192.168.120.10 port 4789
  device: index 10, mac 02:00:00:00:00:0a, mtu 1450
  learning: on, ages after 300 s
  offload: auto (checksum on, tso on, uso off, gso off after a failure, gro on)
  outer: ttl auto, tos 0, df set, label auto, reserved bits ignore
  underlay: fast
  fdb: 2 learned, 1 static
  limits: 65536 learned, 16384 per remote, 0 frames not learned from
  moves: 3, freezes for 600 s after 5 in 180 s
  neigh-suppress: on, 7 requests answered, 3 changes learned, 2 dynamic
  transfer: 100 B in 1 frames received, 2.00 KiB in 2 frames sent
  drops: source-mac 5
  remote: 192.168.120.20 (configured, flood), 2 learned
    transfer: 100 B in 1 frames received, 2.00 KiB in 2 frames sent
`);
  });

  it('prints what is known of paths, and the clamp', async () => {
    const report = JSON.parse((await vtep('-j show vx42')).stdout) as StatusReport;
    const tunnel = report.tunnels[0]!;
    const remotes = [
      { ...tunnel.remotes[0]!, learned: 0, pathMtu: 1500 },
      { ...tunnel.remotes[0]!, pathMtu: 1400, pathMtuExpires: 593 },
    ];
    const mssClamp = { ipv4: 1410, ipv6: 1390 };
    const text = formatStatus({ ...report, tunnels: [{ ...tunnel, remotes, mssClamp }] });
    expect(text).toContain('\n  tcp mss clamp: 1410 over IPv4, 1390 over IPv6\n');
    expect(text).toContain('(configured, flood) path mtu 1500\n');
    expect(text).toContain('(configured, flood) path mtu 1400 for 593 s, 2 learned\n');
  });

  it('prints JSON, and takes "dev" before the name', async () => {
    const { stdout } = await vtep('-j show dev vx43');
    expect(JSON.parse(stdout)).toMatchObject({
      daemon: { pid: 4711 },
      tunnels: [{ ifname: 'vx43' }],
    });
    expect((await vtep('show vx42 vx43')).status).toBe(2);
    expect((await vtep('show nope')).status).toBe(4);
  });
});
