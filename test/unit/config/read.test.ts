import { describe, expect, it } from 'vitest';
import { formatPath } from '../../../src/config/problem.ts';
import { readConfig } from '../../../src/config/read.ts';
import { parseYaml } from '../../../src/config/yaml-tree.ts';

function read(text: string): string[] {
  const parsed = parseYaml(text);
  if (!('tree' in parsed)) throw new Error('not YAML');
  const result = readConfig(parsed.tree, {});
  if ('config' in result) return [];
  return result.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

describe('readConfig()', () => {
  it('keeps the order of the tunnels in the file, also of names that are numbers', () => {
    const parsed = parseYaml('tunnels: { b: {id: 3}, 2: {id: 1}, 1: {id: 2} }');
    const result = 'tree' in parsed ? readConfig(parsed.tree, {}) : parsed;
    expect(result).toMatchObject({
      config: { tunnels: [{ name: 'b' }, { name: '2' }, { name: '1' }] },
    });
  });

  it('tells a default MTU from one that was given', () => {
    const parsed = parseYaml('tunnels: { a: {id: 1, mtu: auto}, b: {id: 2} }');
    const result = 'tree' in parsed ? readConfig(parsed.tree, {}) : parsed;
    const tunnels = [
      { mtu: 'auto', mtuGiven: true },
      { mtu: 'auto', mtuGiven: false },
    ];
    expect(result).toMatchObject({ config: { tunnels } });
  });

  it('sends settings of the other level there', () => {
    expect(read('ageing: 1\ntunnels: { a: { id: 1, workers: 2 } }')).toEqual([
      'ageing: is a setting of a tunnel; allowed: under "tunnels" and the name of the tunnel',
      'tunnels.a.workers: is a setting of the whole daemon; allowed: at the top level, beside "tunnels"',
    ]);
  });

  it('shows the way to who pastes a file of netplan', () => {
    expect(read('network: { version: 2, tunnels: { a: { mode: vxlan, id: 1 } } }')).toEqual([
      'network: is a level of netplan; allowed: its "tunnels" at the top level',
      expect.stringContaining('tunnels: is missing; allowed: at least one tunnel'),
    ]);
  });

  it('reports a tunnel and a section that are there twice, and what is wrong in both', () => {
    expect(read('tunnels: { a: {id: 1}, a: {id: x} }\ntunnels: { b: {id: y} }')).toEqual([
      'tunnels: is there twice, first in line 1; allowed: once',
      'tunnels.a: is there twice, first in line 1; allowed: once',
      'tunnels.a.id: "x" is not a whole number; allowed: 1 to 16777215',
      'tunnels.b.id: "y" is not a whole number; allowed: 1 to 16777215',
    ]);
  });

  it('refuses names that no interface can have', () => {
    expect(read('tunnels: { "a b": {id: 1}, "": {id: 2}, "x/y": {id: 3} }')).toEqual([
      expect.stringContaining(
        'tunnels."a b": "a b" is not a name for an interface; allowed: 1 to 15',
      ),
      expect.stringContaining('tunnels."": "" is not a name for an interface'),
      expect.stringContaining('tunnels."x/y": "x/y" is not a name for an interface'),
    ]);
  });

  it('switches the offloads of all tunnels off together, and of one alone', () => {
    const offloadOf = (global: string, own: string) => {
      const parsed = parseYaml(`offload: ${global}\ntunnels: { a: {id: 1, offload: ${own}} }`);
      const result = 'tree' in parsed ? readConfig(parsed.tree, {}) : parsed;
      return 'config' in result ? result.config.tunnels[0]!.offload : undefined;
    };
    expect(offloadOf('auto', 'auto')).toBe('auto');
    expect(offloadOf('auto', 'off')).toBe('off');
    expect(offloadOf('off', 'auto')).toBe('off');
  });
});
