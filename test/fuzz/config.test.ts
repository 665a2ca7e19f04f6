import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VtepError } from '../../src/base/errors.ts';
import { parseDaemonArguments } from '../../src/config/arguments.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { DAEMON_OPTIONS } from '../../src/config/usage.ts';

/** A good configuration, or undefined after a refusal whose form is checked. */
function load(source: string | Uint8Array): Config | undefined {
  try {
    const config = loadConfig(source, 'f');
    expect(structuredClone(config)).toStrictEqual(config);
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    // Control characters of the file would be acted on by the terminal that shows the message.
    expect(error.message.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    const [, ...lines] = error.message.split('\n');
    for (const line of lines) expect(line).toMatch(/^(f:[1-9]\d*:[1-9]\d*: .|… and \d+ more)/u);
    return undefined;
  }
}

const word = fc.oneof(
  fc.constantFrom('tunnels', 'vx42', 'id', 'vni', 'local', 'remote', 'remotes', 'mtu', 'ageing'),
  fc.constantFrom(
    'workers',
    'port-range',
    'offload',
    'auto',
    'off',
    'true',
    '42',
    '10.0.0.1',
    'fe80::1%a',
  ),
  fc.constantFrom(
    '10.0.0.1/24',
    '::',
    '*a',
    '&a x',
    '!t',
    '"',
    "'",
    '|',
    '>-',
    '@',
    '%YAML 1.1',
    '<<',
    '~',
  ),
  fc.string({ maxLength: 8, unit: 'binary' }),
);
const glue = fc.constantFrom(
  ': ',
  ':\n  ',
  '\n',
  '\n  ',
  '\n    ',
  ', ',
  '[',
  ']',
  '{',
  '}',
  '- ',
  ' #',
  '\t',
);
const yamlLike = fc
  .array(fc.tuple(word, glue), { maxLength: 40 })
  .map((parts) => parts.map((part) => part.join('')).join(''));

const scalar = fc.oneof(
  word,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(word, { maxLength: 4 }),
);
/** Mostly what is right, so that whole documents are. */
function mostly<T>(right: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof({ arbitrary: right, weight: 30 }, { arbitrary: scalar, weight: 1 });
}
const ip = fc.ipV4();
const cidr = ip.map((text) => `${text}/24`);
const tunnel = fc.record(
  {
    id: mostly(fc.integer({ min: 1, max: 9 })),
    mode: mostly(fc.constant('vxlan')),
    local: mostly(ip),
    remotes: mostly(fc.array(ip, { maxLength: 2 })),
    addresses: mostly(fc.array(cidr, { maxLength: 2 })),
    mtu: mostly(fc.oneof(fc.constant('auto'), fc.integer({ min: 68, max: 65485 }))),
    'mac-learning': mostly(fc.boolean()),
    ageing: mostly(fc.nat(1000)),
    port: mostly(fc.integer({ min: 1, max: 65535 })),
    offload: mostly(fc.constantFrom('auto', 'off')),
  },
  { requiredKeys: ['id'] },
);
const tunnelName = fc.stringMatching(/^[a-z0-9._]{1,16}$/);
const portRange = fc.tuple(fc.integer({ min: 1, max: 40_000 }), fc.nat(65_535));
const document = fc.record(
  {
    tunnels: fc.dictionary(tunnelName, tunnel, { minKeys: 1, maxKeys: 3 }),
    workers: mostly(fc.constant('auto')),
    socket: mostly(fc.constant('/run/s')),
    'port-range': mostly(portRange),
    'transmit-sockets': mostly(fc.integer({ min: 1, max: 64 })),
  },
  { requiredKeys: ['tunnels'] },
);

describe('loadConfig()', () => {
  it('turns any bytes into a configuration or a ConfigError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        load(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it('turns any text that resembles YAML into a configuration or a ConfigError', () => {
    fc.assert(
      fc.property(yamlLike, (text) => {
        load(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('accepts of well-formed documents only those that keep every promise of Config', () => {
    let accepted = 0;
    fc.assert(
      fc.property(document, (data) => {
        const config = load(JSON.stringify(data));
        if (config === undefined) return;
        accepted += 1;
        const vnis = config.tunnels.map(({ vni }) => vni);
        expect(new Set(vnis).size).toBe(vnis.length);
        expect(config.tunnels.length).toBeGreaterThan(0);
        expect(config.sourcePorts.high).toBeGreaterThanOrEqual(config.sourcePorts.low);
        for (const { name, vni, remotes, locals, families, port } of config.tunnels) {
          expect(name).toMatch(/^[!-~]{1,15}$/);
          expect(vni >= 1 && vni <= 0xff_ffff && port >= 1 && port <= 65535).toBe(true);
          expect(remotes.every((remote) => families.includes(remote.family))).toBe(true);
          const own = locals.map(({ text }) => text);
          expect(remotes.some((remote) => own.includes(remote.text))).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
    // Otherwise the promises were never looked at.
    expect(accepted).toBeGreaterThan(100);
  });

  it('survives what is long, deep, cyclic or all mistakes', () => {
    const texts = [
      '[',
      '{',
      ']',
      '- ',
      '? ',
      '&a ',
      '!a ',
      '"',
      'a: ',
      '---\n',
      '*a ',
      '%',
      '|\n',
      '\0',
    ];
    for (const text of texts) expect(load(text.repeat(20_000))).toBeUndefined();
    expect(load('&a {tunnels: *a}')).toBeUndefined();
    expect(load('tunnels: &a {b: *a}')).toBeUndefined();
  });
});

describe('parseDaemonArguments()', () => {
  const flag = fc.constantFrom(
    ...DAEMON_OPTIONS.flatMap(({ flags }) => flags.split(/,? /)),
    '--help',
    '--',
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    word,
    fc.ipV4(),
    fc.ipV6(),
    fc.constant('7'),
  );

  it('turns any words into arguments or ERR_USAGE', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(flag, value), { maxLength: 12 }), (argv) => {
        try {
          const result = parseDaemonArguments(argv);
          expect(['run', 'file', 'help', 'version']).toContain(result.kind);
        } catch (error) {
          if (!(error instanceof VtepError)) throw error;
          expect(error.code).toBe('ERR_USAGE');
          expect(error.message.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
