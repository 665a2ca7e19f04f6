import { describe, expect, it } from 'vitest';
import { formatPath } from '../../../src/config/problem.ts';
import { readConfig } from '../../../src/config/read.ts';
import { parseYaml } from '../../../src/config/yaml-tree.ts';

function check(settings: string, underlay = 'fast'): string[] {
  const parsed = parseYaml(`underlay: ${underlay}\ntunnels: { a: { id: 1, ${settings} } }`);
  if (!('tree' in parsed)) throw new Error('not YAML');
  const result = readConfig(parsed.tree, {});
  if ('config' in result) return [];
  return result.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

describe('checkOuter()', () => {
  it('lets nobody fragment what has DF', () => {
    const message =
      'tunnels.a.fragment: true contradicts "do-not-fragment", which is true unless it is given; ' +
      'allowed: together with "do-not-fragment: false" or "do-not-fragment: inherit"';
    expect(check('fragment: true')).toEqual([message]);
    expect(check('fragment: true, do-not-fragment: true')).toEqual([message]);
    expect(check('fragment: true, do-not-fragment: false')).toEqual([]);
    expect(check('fragment: true, do-not-fragment: inherit')).toEqual([]);
    expect(check('fragment: false')).toEqual([]);
  });

  it('wants link-local addresses on the device of link', () => {
    expect(check('link: eth1, remotes: [fe80::2%eth0]')).toEqual([
      'tunnels.a.remotes[0]: "fe80::2%eth0" is not on the device of "link"; allowed: %eth1',
    ]);
    expect(check('link: eth0, local: fe80::1%eth0, remotes: [fe80::2%eth0]')).toEqual([]);
  });

  it('refuses on the portable underlay what node:dgram cannot do', () => {
    const settings = [
      'ttl: inherit',
      'tos: inherit',
      'tos: 4',
      'do-not-fragment: true',
      'fragment: true',
      'flow-label: 1',
      'checksums: [udp]',
      'link: eth0',
    ];
    for (const setting of settings) {
      expect(check(setting, 'portable'), setting).toEqual([
        expect.stringContaining(
          'needs the fast underlay; allowed: a configuration without it, or "underlay: fast"',
        ),
      ]);
    }
    expect(check('ttl: 9, tos: 0, flow-label: auto, reserved-bits: strict', 'portable')).toEqual(
      [],
    );
  });
});
