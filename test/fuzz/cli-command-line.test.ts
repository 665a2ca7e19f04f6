import fc from 'fast-check';
import { describe, it } from 'vitest';
import { VtepError } from '../../src/base/errors.ts';
import { tokenize } from '../../src/cli/batch.ts';
import { findCommand } from '../../src/cli/commands.ts';
import { parseChange, parseFlush, parseGet, parseShow } from '../../src/cli/keywords.ts';
import { parseCommandLine } from '../../src/cli/options.ts';

const WORDS = [
  'fdb', 'add', 'a', 'del', 'show', 'get', 'flush', 'help', 'dev', 'dst', 'port', 'vni', 'src_vni',
  'via', 'to', 'self', 'static', 'dynamic', 'nodynamic', 'permanent', 'local', 'state', 'master', 'vx42',
  '10.0.0.1', '::1', '52:54:00:3f:e6:43', '00:00:00:00:00:00', '42', '0', '-1', '-j', '--json', '-jps',
  '--socket', '--batch=x', '--', '-', '--=', '', '__proto__', 'constructor', 'toString',
]; // prettier-ignore
const tokens = fc.array(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...WORDS) }, fc.string()),
  {
    maxLength: 12,
  },
);

/** Anything but a VtepError of wrong usage is a bug. */
function refuses(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof VtepError) || error.code !== 'ERR_USAGE') throw error;
  }
}

describe('the command line', () => {
  it('is understood or refused as wrong usage, whatever the words', () => {
    fc.assert(
      fc.property(tokens, (words) => {
        refuses(() => findCommand(parseCommandLine(words, {}).words));
        refuses(() => parseChange('add', words));
        refuses(() => parseChange('del', words));
        refuses(() => parseGet(words));
        refuses(() => parseShow(words));
        refuses(() => parseFlush(words));
      }),
      { numRuns: 3000 },
    );
  });

  it('is read the same in any order of keywords', () => {
    const pairs = [
      ['52:54:00:3f:e6:43'],
      ['dev', 'vx42'],
      ['dst', '10.0.0.1'],
      ['port', '1'],
      ['self'],
      ['static'],
    ];
    const expected = JSON.stringify(sorted(parseChange('add', pairs.flat())));
    fc.assert(
      fc.property(fc.shuffledSubarray(pairs, { minLength: pairs.length }), (shuffled) => {
        return JSON.stringify(sorted(parseChange('add', shuffled.flat()))) === expected;
      }),
    );
  });

  it('splits any batch line into words without blanks or comments', () => {
    fc.assert(
      fc.property(fc.string(), (line) => tokenize(line).every((word) => /^[^\s#]+$/.test(word))),
    );
  });
});

function sorted(value: object): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
