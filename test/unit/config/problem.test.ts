import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  countOf,
  formatPath,
  type Problem,
  quote,
} from '../../../src/config/problem.ts';

function problemAt(line: number, column: number, message = 'm'): Problem {
  return { path: ['a', line], place: { line, column }, message };
}

describe('ConfigError', () => {
  it('lists the problems in the order of the file, one line each', () => {
    const error = new ConfigError(
      'f',
      [problemAt(2, 1), problemAt(1, 9), problemAt(1, 2)],
      'do it',
    );
    expect(error.message.split('\n')).toEqual([
      'Configuration "f" has 3 problems, nothing was started or changed',
      'f:1:2: a[1]: m',
      'f:1:9: a[1]: m',
      'f:2:1: a[2]: m',
    ]);
    expect(error).toMatchObject({ code: 'ERR_CONFIG', hint: 'do it', name: 'VtepError' });
    expect(error.problems.map(({ place }) => place.column)).toEqual([2, 9, 1]);
  });

  it('leaves out the path of a problem that is the whole file', () => {
    const error = new ConfigError(
      'f',
      [{ path: [], place: { line: 1, column: 1 }, message: 'm' }],
      '',
    );
    expect(error.message).toMatch(/\nf:1:1: m$/);
  });

  it('prints no more lines than somebody reads, and keeps all as data', () => {
    const problems = Array.from({ length: 250 }, (_, i) => problemAt(i + 1, 1));
    const error = new ConfigError('f', problems, '');
    const lines = error.message.split('\n');
    expect(lines).toHaveLength(202);
    expect(lines.at(-1)).toBe('… and 50 more');
    expect(error.problems).toHaveLength(250);
  });
});

describe('formatPath()', () => {
  it('joins keys and indices, and quotes keys that are not plain words', () => {
    expect(formatPath(['tunnels', 'vx-42', 'remotes', 1])).toBe('tunnels.vx-42.remotes[1]');
    expect(formatPath(['tunnels', 'a b', ''])).toBe('tunnels."a b".""');
    expect(formatPath([])).toBe('');
  });
});

describe('quote()', () => {
  it('leaves nothing in that a terminal could act on', () => {
    expect(quote('a"b\u001b[31m\u0085\u202e\n')).toBe('"a\\"b\\u001b[31m\\u0085\\u202e\\n"');
  });

  it('cuts a long value between characters', () => {
    expect(quote('x'.repeat(61))).toBe(`"${'x'.repeat(60)}…"`);
    expect(quote('😀'.repeat(61))).toBe(`"${'😀'.repeat(60)}…"`);
  });
});

describe('countOf()', () => {
  it('knows the plural', () => {
    expect([0, 1, 2].map((count) => countOf(count, 'problem'))).toEqual([
      '0 problems',
      '1 problem',
      '2 problems',
    ]);
  });
});
