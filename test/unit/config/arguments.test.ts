import { describe, expect, it } from 'vitest';
import { VtepError } from '../../../src/base/errors.ts';
import { parseDaemonArguments } from '../../../src/config/arguments.ts';
import { HELP_AFTER } from '../../../src/config/usage.ts';

function parse(line: string) {
  return parseDaemonArguments(line.split(' ').filter((word) => word !== ''));
}

function failure(argv: readonly string[]): VtepError {
  try {
    parseDaemonArguments(argv);
  } catch (error) {
    if (error instanceof VtepError) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}

function complaints(line: string): string[] {
  const { message } = failure(line.split(' ').filter((word) => word !== ''));
  const [first, ...others] = message.split('\n');
  return others.length === 0 ? [first!] : others.map((text) => text.trim());
}

describe('parseDaemonArguments() with one tunnel', () => {
  it('makes a whole configuration of its options', () => {
    const result = parse(
      '--vni 42 --local 192.168.120.10 --remote 192.168.120.20 --remote=192.168.120.30 --name vx42 ' +
        '--address 10.0.0.1/24 --address fd00::1/64 --mtu 1400 --port 8472 --no-learning ' +
        '--ageing 0 --neigh-suppress --workers 2 --socket /tmp/s --log-level debug --underlay portable --offload off',
    );
    expect(result).toMatchObject({
      kind: 'run',
      config: {
        tunnels: [
          {
            name: 'vx42',
            vni: 42,
            locals: [{ text: '192.168.120.10' }],
            remotes: [{ text: '192.168.120.20' }, { text: '192.168.120.30' }],
            addresses: [{ text: '10.0.0.1/24' }, { text: 'fd00::1/64' }],
            mtu: 1400,
            mtuGiven: true,
            port: 8472,
            learning: false,
            ageingSeconds: 0,
            neighSuppress: true,
            offload: 'off',
          },
        ],
        workers: 2,
        socket: '/tmp/s',
        logLevel: 'debug',
        underlay: 'portable',
        offload: 'off',
      },
    });
  });

  it('needs nothing but the VNI, and names the device after it', () => {
    const result = parse('--vni 16777215');
    expect(result).toMatchObject({
      config: { tunnels: [{ name: 'vx16777215', learning: true, port: 4789, mtuGiven: false }] },
    });
  });

  it('throws ERR_USAGE with exit 2 and a hint', () => {
    expect(failure(['--vni', '0'])).toMatchObject({
      code: 'ERR_USAGE',
      exitStatus: 2,
      message: '--vni: "0" is out of range; allowed: 1 to 16777215',
      hint: 'vtepd --help lists the options, with examples',
    });
  });

  it('lists every problem at once', () => {
    const line =
      '--local a --remote 10.0.0.1 --remote b/24 --mtu 1 --name a/b --log-level x --workers 0 y';
    const error = failure(line.split(' '));
    expect(error.message).toMatch(/^The command line has 8 problems:\n {2}/);
    expect(complaints(line)).toEqual([
      'Unexpected argument "y"; allowed: options only',
      '--vni: is missing; allowed: 1 to 16777215, or --config FILE in its place',
      '--workers: "0" is out of range; allowed: auto, or 1 to 64',
      '--log-level: "x" is not supported; allowed: debug, info, warn, error',
      expect.stringContaining('--name: "a/b" is not a name for an interface'),
      expect.stringContaining('--local: "a" is not an IP address'),
      expect.stringContaining('--remote: "b/24" is not an IP address'),
      '--mtu: "1" is out of range; allowed: auto, or 68 to 65485',
    ]);
  });

  it('makes one problem of one mistake', () => {
    expect(complaints('--vni not-a-number-at-all')).toEqual([
      '--vni: "not-a-number-at-all" is not a whole number; allowed: 1 to 16777215',
    ]);
  });

  it('refuses a second value where one would silently win', () => {
    expect(complaints('--vni 1 --vni 2')).toEqual([
      '--vni: is given 2 times, with "1" and "2"; allowed: once',
    ]);
  });

  it('notices an option that another one took for its value', () => {
    expect(complaints('--vni 1 --local --remote')).toEqual([
      '--local: has no value, the option "--remote" stands in its place',
    ]);
    expect(failure(['--vni', '']).message).toBe(
      '--vni: has no value, an empty text stands in its place',
    );
  });
});

describe('parseDaemonArguments() with a file', () => {
  it('gives its path and what the command line lays over it', () => {
    expect(parse('--config /etc/vtepd/vtepd.yaml')).toEqual({
      kind: 'file',
      path: '/etc/vtepd/vtepd.yaml',
      overrides: {},
    });
    expect(
      parse('-c f --workers 3 --socket /s --log-level warn --underlay fast --offload off'),
    ).toEqual({
      kind: 'file',
      path: 'f',
      overrides: {
        workers: 3,
        socket: '/s',
        logLevel: 'warn',
        underlay: 'fast',
        offload: 'off',
      },
    });
  });

  it('excludes the options of one tunnel, and still checks the others', () => {
    expect(complaints('--config f --vni 3 --no-learning --workers 99')).toEqual([
      '--config: does not go together with --vni, --no-learning; allowed: a file or one tunnel',
      '--workers: "99" is out of range; allowed: auto, or 1 to 64',
    ]);
  });
});

describe('parseDaemonArguments() otherwise', () => {
  it('says how to start when it is given nothing', () => {
    const error = failure([]);
    expect(error.message).toBe('Neither --vni nor --config was given');
    expect(error.hint).toContain('vtepd --config FILE');
  });

  it('suggests the option that was meant', () => {
    expect(failure(['--vnis', '4'])).toMatchObject({
      code: 'ERR_USAGE',
      message: 'Unknown option "--vnis"',
      hint: 'did you mean --vni?',
    });
    expect(failure(['--quantum']).hint).toContain('vtepd --help');
  });

  it('names the value that an option at the end is missing', () => {
    expect(failure(['--config']).message).toBe(
      '--config: has no value; allowed: -c, --config <file>',
    );
  });

  it('gives the help as text, with every option and examples', () => {
    const result = parse('--vni x --help');
    expect(result).toMatchObject({ kind: 'help' });
    const text = result.kind === 'help' ? result.text : '';
    expect(text).toMatch(/^Usage: vtepd \[options\]\n/);
    for (const option of ['--vni <number>', '--no-learning', '--config <file>', '--help']) {
      expect(text).toContain(option);
    }
    expect(text.endsWith(HELP_AFTER)).toBe(true);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('knows --version', () => {
    expect(parse('--version')).toEqual({ kind: 'version' });
    expect(parse('-V')).toEqual({ kind: 'version' });
  });
});
