import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VtepError } from '../../../src/base/errors.ts';
import { loadConfig, loadConfigFile } from '../../../src/config/load.ts';
import { DEFAULT_OUTER } from '../../../src/config/outer.ts';
import { ConfigError } from '../../../src/config/problem.ts';

const EXAMPLE = `# /etc/vtepd/vtepd.yaml
tunnels:
  vx42:                       # the TAP device's name
    mode: vxlan
    id: 42                    # VNI, 1..16777215
    local: 192.168.120.10
    remotes: [192.168.120.20]
    addresses: [10.0.0.1/24]
    mac-learning: true
    ageing: 300
`;

function failure(source: string | Uint8Array): ConfigError {
  try {
    loadConfig(source, 'vtepd.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('no problem was found');
}

/** The lines of the message after the first, which only counts them. */
function problemsOf(source: string | Uint8Array): string[] {
  return failure(source).message.split('\n').slice(1);
}

describe('loadConfig()', () => {
  it('fills in every default', () => {
    expect(loadConfig('tunnels: { vx7: { id: 7 } }', 'f')).toStrictEqual({
      tunnels: [
        {
          name: 'vx7',
          mode: 'vxlan',
          vni: 7,
          locals: [],
          remotes: [],
          remoteNames: [],
          group: undefined,
          multicastTtl: 1,
          vlan: 'pass',
          vlans: [],
          families: [4],
          port: 4789,
          addresses: [],
          mssClamp: false,
          mtu: 'auto',
          mtuGiven: false,
          learning: true,
          ageingSeconds: 300,
          safety: {
            limit: 65_536,
            remoteLimit: 16_384,
            floodUnknown: true,
            anyRemote: false,
            storm: { broadcast: undefined, multicast: undefined, unknown: undefined },
            rate: { transmit: undefined, receive: undefined },
            macMoves: 5,
            macMoveWindowSeconds: 180,
            macFreezeSeconds: 600,
          },
          neighSuppress: false,
          offload: 'auto',
          outer: DEFAULT_OUTER,
        },
      ],
      workers: 'auto',
      socket: '/run/vtepd/vtepd.sock',
      logLevel: 'info',
      underlay: 'auto',
      offload: 'auto',
      transmitSockets: 16,
      sourcePorts: { low: 49152, high: 65535 },
    });
  });

  it('reads the example of the design', () => {
    const [tunnel] = loadConfig(EXAMPLE, 'f').tunnels;
    expect(tunnel).toMatchObject({ name: 'vx42', vni: 42, families: [4], learning: true });
    expect(tunnel!.locals).toMatchObject([{ text: '192.168.120.10', interfaceName: undefined }]);
    expect([...tunnel!.remotes[0]!.bytes.subarray(10)]).toEqual([255, 255, 192, 168, 120, 20]);
    expect(tunnel!.addresses[0]).toMatchObject({ text: '10.0.0.1/24', prefixLength: 24 });
  });

  it('gives a configuration that survives structuredClone()', () => {
    const config = loadConfig(EXAMPLE, 'f');
    expect(structuredClone(config)).toStrictEqual(config);
  });

  it('reads the words of ip-link and of netplan as well', () => {
    const text = `tunnels:
  a:
    vni: 1
    remote: fe80::2%eth0
    aging: "0"
    learning: off
    proxy: yes
    addresses: [FD00:0::1/64]
`;
    const [tunnel] = loadConfig(text, 'f').tunnels;
    expect(tunnel).toMatchObject({ vni: 1, ageingSeconds: 0, learning: false, families: [6] });
    expect(tunnel!.neighSuppress).toBe(true);
    expect(tunnel!.remotes[0]).toMatchObject({ text: 'fe80::2%eth0', interfaceName: 'eth0' });
    expect(tunnel!.addresses[0]!.text).toBe('fd00::1/64');
  });

  it('lets aliases stand for what their anchors name', () => {
    const text = `tunnels:
  a: { id: 1, local: 10.0.0.1, remotes: &all [10.0.0.2, 10.0.0.3] }
  b: { id: 2, local: 10.0.0.1, remotes: *all }
`;
    expect(loadConfig(text, 'f').tunnels[1]!.remotes.map(({ text }) => text)).toEqual([
      '10.0.0.2',
      '10.0.0.3',
    ]);
  });

  it('names file, line, column, path and what is allowed of every problem at once', () => {
    const text = `log-level: trace
tunnels:
  vx42:
    id: 16777216
    local: 192.168.120.10
    remote: [192.168.120.20, vm2:4789]
    mtu: 67
    ageng: 300
  vx43:
    id: [1]
`;
    expect(problemsOf(text)).toEqual([
      'vtepd.yaml:1:12: log-level: "trace" is not supported; allowed: debug, info, warn, error',
      'vtepd.yaml:4:9: tunnels.vx42.id: 16777216 is out of range; allowed: 1 to 16777215',
      'vtepd.yaml:5:12: tunnels.vx42.local: 192.168.120.10 has port 4789 in common with tunnel "vx43", and ' +
        'a tunnel without local listens on every address of the port; allowed: local in all of them or in none',
      'vtepd.yaml:6:30: tunnels.vx42.remote[1]: "vm2:4789" is not an IP address; ' +
        'allowed: a unicast IPv4 or IPv6 address',
      'vtepd.yaml:7:10: tunnels.vx42.mtu: 67 is out of range; allowed: auto, or 68 to 65485',
      'vtepd.yaml:8:5: tunnels.vx42.ageng: is not a known key, did you mean "ageing"?',
      'vtepd.yaml:10:9: tunnels.vx43.id: a list is not a whole number; allowed: 1 to 16777215',
    ]);
  });

  it('throws ERR_CONFIG with exit 65, a hint and the problems as data', () => {
    const error = failure('tunnels: { vx42: {} }');
    expect(error).toBeInstanceOf(VtepError);
    expect(error).toMatchObject({ code: 'ERR_CONFIG', exitStatus: 65 });
    expect(error.hint).toContain('README');
    expect(error.message).toContain('"vtepd.yaml" has 1 problem, nothing was started or changed\n');
    expect(error.problems).toMatchObject([
      { path: ['tunnels', 'vx42', 'id'], place: { line: 1, column: 12 } },
    ]);
  });

  it('lets overrides win over the file, also in the checks', () => {
    const text = `offload: auto
log-level: error
port-range: [50000, 50031]
tunnels: { a: { id: 1, offload: auto } }
`;
    const config = loadConfig(text, 'f', { logLevel: 'debug', offload: 'off', workers: 2 });
    expect(config).toMatchObject({ logLevel: 'debug', offload: 'off', workers: 2 });
    expect(config.tunnels[0]!.offload).toBe('off');
    expect(() => loadConfig(text, 'f', { workers: 3 })).toThrow(
      /32 source ports are too few for 48/,
    );
  });

  it.each([
    ['nothing at all', '', 'vtepd.yaml:1:1: the file is empty; allowed: at least one tunnel'],
    ['a word', 'vxlan', 'vtepd.yaml:1:1: "vxlan" is not a configuration; allowed:'],
    ['no tunnels', 'workers: 1', 'vtepd.yaml:1:1: tunnels: is missing; allowed:'],
    ['an empty section', 'tunnels:', 'vtepd.yaml:1:9: tunnels: an empty value names no tunnel'],
    ['an empty mapping', 'tunnels: {}', 'vtepd.yaml:1:10: tunnels: an empty mapping names no'],
    ['a tunnel without settings', 'tunnels: {a: }', 'tunnels.a: an empty value is no set of'],
    [
      'what is not UTF-8',
      Uint8Array.of(0x61, 0xff),
      'vtepd.yaml:1:1: the file is not text in UTF-8',
    ],
    ['too long a text', ' '.repeat(5_000_000), 'the file is too long; allowed: up to 4 MiB'],
  ])('explains what it wants when it gets %s', (_, source, expected) => {
    expect(problemsOf(source)).toEqual([expect.stringContaining(expected)]);
  });
});

describe('loadConfigFile()', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'vtepd-config-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  function codeOf(path: string): unknown {
    try {
      loadConfigFile(path);
    } catch (error) {
      return error instanceof VtepError ? [error.code, error.message] : error;
    }
    return undefined;
  }

  it('reads a file, with a byte order mark too', () => {
    const path = join(folder, 'good.yaml');
    writeFileSync(path, `\ufeff${EXAMPLE}`);
    expect(loadConfigFile(path, { workers: 3 })).toMatchObject({
      workers: 3,
      tunnels: [{ vni: 42 }],
    });
  });

  it('says of a file that is not there, or is a directory, what it is', () => {
    const missing = join(folder, 'missing.yaml');
    const message = `Cannot read the configuration "${missing}": there is no such file`;
    expect(codeOf(missing)).toEqual(['ERR_CONFIG', message]);
    expect(codeOf('/')).toEqual(['ERR_CONFIG', expect.stringContaining('it is a directory')]);
  });

  it('ends with a file that does not', () => {
    expect(codeOf('/dev/zero')).toEqual(['ERR_CONFIG', expect.stringContaining('too long')]);
  });
});
