import { describe, expect, it } from 'vitest';
import { formatPath } from '../../../src/config/problem.ts';
import { readConfig } from '../../../src/config/read.ts';
import { parseYaml } from '../../../src/config/yaml-tree.ts';

function pair(a: string, b: string): string[] {
  const parsed = parseYaml(`tunnels:\n  a: { id: 1, ${a} }\n  b: { id: 2, ${b} }`);
  if (!('tree' in parsed)) throw new Error('not YAML');
  const result = readConfig(parsed.tree, {});
  if ('config' in result) return [];
  return result.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

describe('checkListeners()', () => {
  it('looks at each family of a tunnel that has both', () => {
    expect(pair('local: [10.0.0.1, fd00::1]', 'remotes: [fd00::2]')).toEqual([
      expect.stringMatching(
        /^tunnels\.a\.local\[1\]: fd00::1 has port 4789 in common with tunnel "b"/,
      ),
    ]);
    expect(pair('local: [10.0.0.1, fd00::1]', 'local: [10.0.0.1, fd00::1]')).toEqual([]);
  });

  it('refuses link and no link where the addresses overlap, and names both', () => {
    const message =
      'tunnels.a.link: eth0 has port 4789 in common with tunnel "b" (line 3), and a tunnel without ' +
      'link listens on every device; allowed: link in all of them or in none';
    expect(pair('link: eth0', 'mtu: auto')).toEqual([message]);
    expect(pair('link: eth0, local: 10.0.0.1', 'local: 10.0.0.1')).toEqual([message]);
    expect(pair('link: eth0, local: 10.0.0.1', 'local: 10.0.0.2')).toEqual([]);
    expect(pair('link: eth0', 'link: eth1')).toEqual([]);
    expect(pair('link: eth0', 'link: eth0')).toEqual([]);
    expect(pair('link: eth0', 'port: 8472')).toEqual([]);
  });

  it('lets addresses and all addresses be side by side on different devices', () => {
    expect(pair('link: eth0, local: 10.0.0.1', 'link: eth1')).toEqual([]);
  });

  it('wants tunnels of one socket to agree on checksums of zero over IPv6, and names both', () => {
    const zero = 'checksums: [udp, zero-udp6-rx]';
    expect(pair(`local: fd00::1, ${zero}`, 'local: fd00::1')).toEqual([
      'tunnels.a.checksums: zero-udp6-rx is set here but not in tunnel "b" (line 3), which shares ' +
        'the socket of port 4789; allowed: in both or in neither',
    ]);
    expect(pair(`local: fd00::1, ${zero}`, `local: fd00::1, ${zero}`)).toEqual([]);
    expect(pair(`local: fd00::1, ${zero}`, 'local: fd00::2')).toEqual([]);
    expect(pair(`local: 10.0.0.1, ${zero}`, 'local: 10.0.0.1')).toEqual([]);
    expect(pair('local: fd00::1, checksums: [zero-udp6-tx]', 'local: fd00::1')).toEqual([]);
  });
});
