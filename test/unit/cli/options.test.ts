import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/cli/options.ts';

function parse(line: string, environment: Record<string, string> = {}) {
  return parseCommandLine(line === '' ? [] : line.split(' '), environment);
}

describe('parseCommandLine()', () => {
  it('takes options before, between and after the words', () => {
    for (const line of ['-j fdb show dev vx42', 'fdb -j show dev vx42', 'fdb show dev vx42 -j']) {
      const { options, words } = parse(line);
      expect(words).toEqual(['fdb', 'show', 'dev', 'vx42']);
      expect(options.json).toBe(true);
      expect(options.statistics).toBe(false);
    }
  });

  it('takes long options with one dash, two dashes, by prefix, and letters joined', () => {
    for (const line of ['-json -statistics', '--json --stats', '-js', '--js --stat', '-j -stats']) {
      expect(parse(line).options).toMatchObject({ json: true, statistics: true, pretty: false });
    }
    expect(parse('-jps').options).toMatchObject({ json: true, statistics: true, pretty: true });
  });

  it('takes the socket from the option, then VTEP_SOCKET, then the default', () => {
    expect(parse('show').options.socket).toBe('/run/vtepd/vtepd.sock');
    expect(parse('show', { VTEP_SOCKET: '/tmp/a' }).options.socket).toBe('/tmp/a');
    expect(parse('show', { VTEP_SOCKET: '' }).options.socket).toBe('/run/vtepd/vtepd.sock');
    expect(parse('show --socket /tmp/b', { VTEP_SOCKET: '/tmp/a' }).options.socket).toBe('/tmp/b');
    expect(parse('--socket=/tmp/c show').options.socket).toBe('/tmp/c');
  });

  it('takes a lone dash as a value and as a word', () => {
    expect(parse('fdb add --batch -').options.batch).toBe('-');
    expect(parse('fdb add -b -').options.batch).toBe('-');
    expect(parse('fdb -').words).toEqual(['fdb', '-']);
  });

  it('takes everything behind -- as words', () => {
    expect(parse('fdb -- -j').words).toEqual(['fdb', '-j']);
  });

  it.each([
    ['--bogus', 'Unknown option "bogus"'],
    ['-x', 'Unknown option "x"'],
    ['--s', 'Ambiguous option "s"'],
    ['--socket', 'Option "--socket" needs a value'],
    ['--socket=', 'Option "--socket=" needs a value'],
    ['--json=yes', 'Option "--json" takes no value'],
    ['-jb', 'Unknown option "jb"'],
  ])('refuses %s', (line, message) => {
    expect(() => parse(line)).toThrow(expect.objectContaining({ code: 'ERR_USAGE', message }));
  });
});
