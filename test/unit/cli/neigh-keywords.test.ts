import { describe, expect, it } from 'vitest';
import {
  parseNeighbour,
  parseNeighbourFlush,
  parseNeighbourShow,
} from '../../../src/cli/neigh-keywords.ts';

const MAC = '52:54:00:3f:e6:43';
const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');

describe('parseNeighbour()', () => {
  it.each<[string, object]>([
    [`10.0.0.2 lladdr ${MAC} dev vx42`, {}],
    [`dev vx42 lladdr ${MAC} to 10.0.0.2 nud permanent`, { state: 'permanent' }],
    [`10.0.0.2 dev vx42 lladdr ${MAC} nud reachable router`, { state: 'reachable', router: true }],
  ])('understands "%s"', (line, more) => {
    const wanted = { dst: '10.0.0.2', dev: 'vx42', lladdr: MAC, ...more };
    expect(parseNeighbour('add', words(line))).toEqual(wanted);
  });

  it('needs no MAC to delete', () => {
    expect(parseNeighbour('del', words('fd00::2 dev vx42'))).toEqual({
      dst: 'fd00::2',
      dev: 'vx42',
    });
  });

  it.each([
    ['', 'Cannot add without the IP address'],
    ['10.0.0.2', 'Cannot add without the device'],
    ['10.0.0.2 dev vx42', 'Cannot add without the MAC address'],
    ['10.0.0.2 dev', 'Missing value behind "dev"'],
    ['10.0.0.2 dev a dev b', '"dev" is given twice'],
    ['10.0.0.2 10.0.0.3 dev a', '"IP address" is given twice'],
    ['10.0.0.2 dev a lladdr 52:54', 'Cannot parse the MAC address "52:54" of "lladdr"'],
    [`10.0.0.2 dev a lladdr ${MAC} nud stale`, 'Unknown state "stale"'],
    [`10.0.0.2 dev a lladdr ${MAC} nud all`, 'Cannot add a neighbour in all states'],
    ['proxy 10.0.0.2 dev a', 'Cannot use the keyword "proxy" here'],
    ['10.0.0.2/24 dev a', 'Cannot understand "10.0.0.2/24": neither a keyword nor an IP address'],
  ])('refuses "%s"', (line, message) => {
    const parse = (): unknown => parseNeighbour('add', words(line));
    expect(parse).toThrow(expect.objectContaining({ code: 'ERR_USAGE', message }));
  });
});

describe('parseNeighbourShow()', () => {
  it('takes filters in any order, and all states for no filter', () => {
    const none = { dev: undefined, dst: undefined, lladdr: undefined, state: undefined };
    expect(parseNeighbourShow([])).toEqual(none);
    expect(parseNeighbourShow(words('nud all'))).toEqual(none);
    const filters = { dst: '10.0.0.2', dev: 'vx42', lladdr: MAC, state: 'reachable' };
    expect(parseNeighbourShow(words(`dev vx42 10.0.0.2 lladdr ${MAC} dynamic`))).toEqual(filters);
  });
});

describe('parseNeighbourFlush()', () => {
  it('spares permanent entries unless they are named', () => {
    const flush = (line: string): unknown => parseNeighbourFlush(words(line));
    expect(flush('dev vx42')).toEqual({ dev: 'vx42', states: ['reachable'] });
    expect(flush('dev vx42 nud all')).toEqual({ dev: 'vx42', states: ['permanent', 'reachable'] });
    const wanted = { dev: 'vx42', dst: '10.0.0.2', lladdr: MAC, states: ['permanent'] };
    expect(flush(`dev vx42 10.0.0.2 lladdr ${MAC} permanent`)).toEqual(wanted);
    expect(() => flush('')).toThrow('Cannot flush without the device');
  });
});
