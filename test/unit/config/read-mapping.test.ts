import { describe, expect, it } from 'vitest';
import { formatPath, type Problem } from '../../../src/config/problem.ts';
import { readMapping } from '../../../src/config/read-mapping.ts';
import { TUNNEL_SHAPE } from '../../../src/config/schema.ts';
import { parseYaml } from '../../../src/config/yaml-tree.ts';

function read(text: string) {
  const parsed = parseYaml(text);
  if (!('tree' in parsed) || parsed.tree.kind !== 'mapping') throw new Error('not a mapping');
  const problems: Problem[] = [];
  const report = (problem: Problem) => void problems.push(problem);
  const elsewhere = new Map([['workers', 'is elsewhere']]);
  const values = readMapping(parsed.tree.entries, TUNNEL_SHAPE, ['t'], report, elsewhere);
  const said = problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
  return { values, said };
}

describe('readMapping()', () => {
  it('gives every valid value with its path as written and its place', () => {
    const { values, said } = read('vni: 5\nremote: 10.0.0.1');
    expect(said).toEqual([]);
    expect(values.id).toEqual({ value: 5, path: ['t', 'vni'], place: { line: 1, column: 6 } });
    expect(values.remotes).toMatchObject({ given: 1, path: ['t', 'remote'], items: [{}] });
    expect(values.local).toBeUndefined();
    expect(values.addresses).toBeUndefined();
  });

  it('keeps the valid items of a list that has others', () => {
    const { values, said } = read('remotes: [10.0.0.1, x/y, 10.0.0.3]');
    expect(values.remotes!.given).toBe(3);
    expect(values.remotes!.items.map(({ value }) => value.text)).toEqual(['10.0.0.1', '10.0.0.3']);
    expect(said).toEqual([expect.stringMatching(/^t\.remotes\[1\]: "x\/y" is not an IP address/)]);
  });

  it('reports a key that is there twice, keeps the first and still checks the second', () => {
    const { values, said } = read('id: 1\nid: 2\nvni: x');
    expect(values.id!.value).toBe(1);
    expect(said).toEqual([
      't.id: is there twice, first in line 1; allowed: once',
      't.vni: is another word for "id", which is there too, first in line 1; allowed: once',
      't.vni: "x" is not a whole number; allowed: 1 to 16777215',
    ]);
  });

  it('says of an unknown key where it belongs, what was meant, or which there are', () => {
    const { said } = read(
      'workers: 1\nlocl: x\nMAC_learning: x\ndstport: 1\nextensions: 3\nfoo: 1\n__proto__: 1',
    );
    expect(said).toEqual([
      't.workers: is elsewhere',
      't.locl: is not a known key, did you mean "local"?',
      't.MAC_learning: is not a known key, did you mean "mac-learning"?',
      't.dstport: is the word of ip-link; allowed: "port"',
      't.extensions: is not supported in this version; allowed: a configuration without it',
      expect.stringMatching(/^t\.foo: is not a known key; allowed: mode, id, local, remotes, /),
      expect.stringMatching(/^t\.__proto__: is not a known key; allowed: /),
    ]);
  });
});
