import { describe, expect, it } from 'vitest';
import { COMMANDS, findCommand } from '../../../src/cli/commands.ts';

function find(line: string): string {
  const request = findCommand(line.split(' ').filter((word) => word !== ''));
  return request.kind === 'help'
    ? `help:${request.topic}`
    : `${request.command.name}|${request.words.join(' ')}`;
}

describe('findCommand()', () => {
  it.each([
    ['fdb add a b', 'fdb add|a b'],
    ['f s dev vx42', 'fdb show|dev vx42'],
    ['fdb', 'fdb show|'],
    ['fd r x', 'fdb replace|x'],
    ['fdb delete x', 'fdb del|x'],
    ['fdb list', 'fdb show|'],
    ['fdb lst', 'fdb show|'],
    ['fdb ap x', 'fdb append|x'],
    ['l', 'link show|'],
    ['link a vx42 up', 'link add|vx42 up'],
    ['li delete vx42', 'link del|vx42'],
    ['link se vx42 up', 'link set|vx42 up'],
    ['link lst', 'link show|'],
    ['help link', 'help:link'],
    ['link help', 'help:link'],
    ['n s dev vx42', 'neigh show|dev vx42'],
    ['neigh', 'neigh show|'],
    ['neighbour list', 'neigh show|'],
    ['neigh delete x', 'neigh del|x'],
    ['help neigh', 'help:neigh'],
    ['help n add', 'help:neigh add'],
    ['s', 'show|'],
    ['v', 'version|'],
    ['', 'help:'],
    ['help', 'help:'],
    ['help fdb', 'help:fdb'],
    ['help fdb add', 'help:fdb add'],
    ['fdb help', 'help:fdb'],
    ['fdb add help', 'help:fdb add'],
  ])('understands "vtep %s"', (line, expected) => {
    expect(find(line)).toBe(expected);
  });

  it.each([
    ['fdb a x', 'Ambiguous verb of "fdb" "a"', 'it can mean add or append'],
    ['bogus', 'Unknown command "bogus"', 'known: fdb, link, neigh, show, version, help'],
    ['fdb bogus', 'Unknown verb of "fdb" "bogus"', expect.stringContaining('flush') as string],
  ])('refuses "vtep %s"', (line, message, hint) => {
    expect(() => find(line)).toThrow(expect.objectContaining({ code: 'ERR_USAGE', message, hint }));
  });

  it('has an example for every command', () => {
    for (const command of COMMANDS) {
      expect(command.examples.length).toBeGreaterThan(0);
      for (const example of command.examples) expect(example).toContain(command.name);
    }
  });
});
