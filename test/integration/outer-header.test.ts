import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { arpRequest, ethernet, ETHERTYPE, udp } from '../support/frames.ts';
import { OuterBench, type OuterHeader, underlayOf } from '../support/outer-bench.ts';
import { describeIf } from '../support/requires.ts';
import { tunnelOf } from '../support/tunnels.ts';
import type { Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = {
  kernelVxlan: true,
  tun: true,
  commands: ['ethtool', 'tcpdump', 'tshark'],
} as const;
const DESTINATION = '02:00:00:00:0b:01';
const DF = 0x4000;

/** One frame of each kind that decides about an inherited field, each with a source MAC of its own. */
const FRAMES = [
  packet4(1, { ttl: 9, tos: 0xb8, fragment: DF }),
  packet4(2, { ttl: 200, tos: 0x01, fragment: 0 }),
  packet4(3, { ttl: 33, tos: 0x2a, fragment: 0 }),
  packet6(4, { ttl: 7, tos: 0x48, flowLabel: 0xabcde }),
  packet6(5, { ttl: 255, tos: 0x02, flowLabel: 0 }),
  arpRequest(source(6), '10.9.0.1', '10.9.0.2'),
];

interface Case {
  readonly settings: string;
  /** The same in the words of ip-link; undefined where its device cannot do it. */
  readonly kernel?: string;
  readonly underlay?: 4 | 6;
  /** What every header must be, of {@link FRAMES} in their order. */
  readonly wanted: Partial<Record<keyof OuterHeader, unknown[]>>;
}

const all = <T>(value: T): T[] => FRAMES.map(() => value);
const DSCP = [0xb8, 0x00, 0x28, 0x48, 0x00, 0x00];
const ECN = [0, 1, 2, 0, 2, 0];

const CASES: readonly Case[] = [
  // The kernel's own default is to leave DF clear.
  { settings: 'ttl: auto', kernel: 'df set', wanted: { ttl: all(64), df: all(true), tos: ECN } },
  { settings: 'ttl: 5', kernel: 'ttl 5', wanted: { ttl: all(5) } },
  { settings: 'ttl: 255', kernel: 'ttl 255', underlay: 6, wanted: { ttl: all(255) } },
  {
    settings: 'ttl: inherit',
    kernel: 'ttl inherit',
    wanted: { ttl: [9, 200, 33, 7, 255, 64] },
  },
  {
    settings: 'ttl: inherit',
    kernel: 'ttl inherit',
    underlay: 6,
    wanted: { ttl: [9, 200, 33, 7, 255, 64] },
  },
  {
    settings: 'type-of-service: 0x48',
    kernel: 'tos 0x48',
    wanted: { tos: ECN.map((ecn) => 0x48 | ecn) },
  },
  {
    settings: 'tos: inherit',
    kernel: 'tos inherit',
    wanted: { tos: DSCP.map((dscp, index) => dscp | ECN[index]!) },
  },
  {
    settings: 'tos: inherit',
    kernel: 'tos inherit',
    underlay: 6,
    wanted: { tos: DSCP.map((dscp, index) => dscp | ECN[index]!) },
  },
  { settings: 'do-not-fragment: true', kernel: 'df set', wanted: { df: all(true) } },
  { settings: 'do-not-fragment: false', kernel: 'df unset', wanted: { df: all(false) } },
  {
    settings: 'do-not-fragment: inherit',
    kernel: 'df inherit',
    wanted: { df: [true, false, false, true, true, false] },
  },
  {
    settings: 'flow-label: 0x12345',
    kernel: 'flowlabel 0x12345',
    underlay: 6,
    wanted: { label: all(0x12345) },
  },
  { settings: 'flow-label: 0', kernel: 'flowlabel 0', underlay: 6, wanted: { label: all(0) } },
  {
    settings: 'flow-label: inherit',
    underlay: 6,
    wanted: { label: [0, 0, 0, 0xabcde, 0, 0] },
  },
  { settings: 'checksums: [udp]', kernel: 'udpcsum', wanted: { checksum: all(true) } },
  { settings: 'checksums: []', kernel: 'noudpcsum', wanted: { checksum: all(false) } },
  {
    settings: 'checksums: [zero-udp6-tx]',
    kernel: 'udp6zerocsumtx',
    underlay: 6,
    wanted: { checksum: all(false) },
  },
  {
    settings: 'ttl: inherit, tos: inherit, do-not-fragment: inherit',
    kernel: 'ttl inherit tos inherit df inherit',
    wanted: {
      ttl: [9, 200, 33, 7, 255, 64],
      tos: DSCP.map((dscp, index) => dscp | ECN[index]!),
      df: [true, false, false, true, true, false],
    },
  },
];

describeIf(REQUIREMENT, 'the outer header', () => {
  let bench: OuterBench;
  let daemon: Vtepd | undefined;

  beforeAll(async () => {
    bench = await OuterBench.open();
  });
  afterAll(async () => bench.close());
  afterEach(async () => {
    await daemon?.stop();
    daemon = undefined;
    bench.a.exec('ip', 'link', 'del', 'vx42');
  });

  for (const { settings, kernel, underlay = 4, wanted } of CASES) {
    it(`has with "${settings}" over IPv${underlay} what the frames and the setting say`, async () => {
      daemon = await bench.daemon(underlay, settings);
      const own = await bench.headersOf(FRAMES);
      for (const [name, values] of Object.entries(wanted)) {
        expect(own.map((header) => header[name as keyof OuterHeader])).toEqual(values);
      }
      if (kernel === undefined) return;
      await daemon.stop();
      bench.kernel(underlay, kernel.split(' '));
      const others = await bench.headersOf(FRAMES);
      const compared = Object.keys(wanted) as (keyof OuterHeader)[];
      const pick = (headers: readonly OuterHeader[]): unknown[] =>
        headers.map((header) => compared.map((name) => header[name]));
      expect(pick(own)).toEqual(pick(others));
    });
  }

  it('gives each flow a label of its own where that is left to the kernel', async () => {
    daemon = await bench.daemon(6, 'ttl: auto');
    const flows = Array.from({ length: 8 }, (_, index) => packet4(20 + index, { port: index }));
    const labels = (await bench.headersOf(flows)).map(({ label }) => label);
    expect(labels).not.toContain(0);
    expect(new Set(labels).size).toBeGreaterThan(1);
    expect((await bench.headersOf(flows)).map(({ label }) => label)).toEqual(labels);
  });

  it('has the fixed TTL on the portable underlay too, of each tunnel its own', async () => {
    const lines = ([4, 6] as const).map((underlay) => {
      const { a, b } = underlayOf(underlay);
      return `  vx4${underlay}: { id: 4${underlay}, local: "${a}", remotes: ["${b}"], ttl: 1${underlay} }\n`;
    });
    daemon = await bench.configured(`underlay: portable\ntunnels:\n${lines.join('')}`);
    for (const underlay of [4, 6]) {
      const [header] = await bench.headersOf([packet4(1, {})], 'eth0', `vx4${underlay}`);
      expect(header).toMatchObject({ family: underlay, ttl: 10 + underlay });
    }
  });

  it('is shown by vtep show, in the words of ip-link', async () => {
    const settings = [
      'ttl: inherit, tos: 0x10, do-not-fragment: inherit, fragment: true, flow-label: 7',
      'checksums: [zero-udp6-tx, zero-udp6-rx], link: eth0, reserved-bits: strict',
    ];
    daemon = await bench.daemon(6, settings.join(', '));
    expect(tunnelOf(daemon).outer).toEqual({
      ttl: 'inherit',
      tos: 16,
      df: 'inherit',
      fragment: true,
      label: 7,
      udp_csum: false,
      udp_zero_csum6_tx: true,
      udp_zero_csum6_rx: true,
      link: 'eth0',
      reserved_bits: 'strict',
    });
    expect(daemon.vtep('show', 'vx42').stdout).toContain(
      'outer: ttl inherit, tos 16, df inherit, fragment, label 7, noudpcsum, udp6zerocsumtx, ' +
        'udp6zerocsumrx, link eth0, reserved bits strict\n',
    );
  });

  it('lets tunnels that share an address have different options, each its own', async () => {
    const { a, b } = underlayOf(4);
    const tunnel = `local: ${a}, remotes: [${b}]`;
    daemon = await bench.configured(
      `tunnels:\n  vx42: { id: 42, ${tunnel}, do-not-fragment: false, ttl: 3 }\n` +
        `  vx43: { id: 43, ${tunnel}, checksums: [], ttl: 4 }\n`,
    );
    const [first] = await bench.headersOf([packet4(1, {})]);
    expect(first).toMatchObject({ ttl: 3, df: false, checksum: true });
    const [second] = await bench.headersOf([packet4(2, {})], 'eth0', 'vx43');
    expect(second).toMatchObject({ ttl: 4, df: true, checksum: false });
    const { gso } = tunnelOf(daemon, 'vx43').offload;
    expect([tunnelOf(daemon).offload.gso, gso]).toEqual(['on', 'off']);
  });
});

function source(number: number): string {
  return `02:00:00:00:0a:${number.toString(16).padStart(2, '0')}`;
}

interface Fields {
  readonly ttl?: number;
  readonly tos?: number;
  readonly fragment?: number;
  readonly flowLabel?: number;
  readonly port?: number;
}

function packet4(number: number, { port = 1, ...fields }: Fields): Buffer {
  const addresses = { source: '10.9.0.1', destination: '10.9.0.2', ...fields };
  const packet = udp(addresses, { sourcePort: 9000 + port, destinationPort: 7 }, Buffer.alloc(20));
  const type = ETHERTYPE.ipv4;
  return ethernet({ source: source(number), destination: DESTINATION, type }, packet);
}

function packet6(number: number, fields: Fields): Buffer {
  const addresses = { source: 'fd00:9::1', destination: 'fd00:9::2', ...fields };
  const packet = udp(addresses, { sourcePort: 9000, destinationPort: 7 }, Buffer.alloc(20));
  const type = ETHERTYPE.ipv6;
  return ethernet({ source: source(number), destination: DESTINATION, type }, packet);
}
