import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../../src/config/yaml-tree.ts';

function treeOf(text: string): unknown {
  const parsed = parseYaml(text);
  return 'tree' in parsed ? parsed.tree : parsed.problems;
}

function problemsOf(text: string): string[] {
  const parsed = parseYaml(text);
  if ('tree' in parsed) return [];
  return parsed.problems.map(({ place, message }) => `${place.line}:${place.column} ${message}`);
}

describe('parseYaml()', () => {
  it('gives the places of keys and values', () => {
    expect(treeOf('a:\n  - x\n  - 042\n')).toEqual({
      kind: 'mapping',
      place: { line: 1, column: 1 },
      entries: [
        {
          key: 'a',
          keyPlace: { line: 1, column: 1 },
          value: {
            kind: 'list',
            place: { line: 2, column: 3 },
            items: [
              { kind: 'scalar', place: { line: 2, column: 5 }, value: 'x', source: 'x' },
              { kind: 'scalar', place: { line: 3, column: 5 }, value: 42, source: '042' },
            ],
          },
        },
      ],
    });
  });

  it('takes a key as it is written, not as the number it would be', () => {
    expect(treeOf('042: 1\n"0x1": 2\n[a]: 3')).toMatchObject({
      entries: [{ key: '042' }, { key: '0x1' }, { key: '{…}' }],
    });
  });

  it('keeps repeated keys', () => {
    expect(treeOf('a: 1\na: 2')).toMatchObject({ entries: [{ key: 'a' }, { key: 'a' }] });
  });

  it('reads "off" as a word in every version of YAML', () => {
    expect(treeOf('%YAML 1.1\n---\na: off')).toMatchObject({
      entries: [{ value: { value: 'off' } }],
    });
  });

  it('takes the last anchor of a name that stands before the alias', () => {
    const tree = treeOf('a: &x 1\nb: *x\nc: &x 2\nd: *x');
    const values = [1, 1, 2, 2].map((value) => ({ value: { value } }));
    expect(tree).toMatchObject({ entries: values });
  });

  it.each([
    ['a:\n\t- b', '2:1 a tab indents this line; allowed: spaces'],
    ['a\nb: 1', '1:1 no "key: value"; allowed: a colon and a space after each key'],
    ['a: 2001:db8::', '1:4 a value with a ": " in it or a ":" at its end; allowed: quotes'],
    ['a: {b: ::}', 'a value with a ":" at its end; allowed: quotes'],
    ['a: [1,\nb: 2', 'a bracket before this place is not closed; allowed: "]" or "}"'],
    ['a:\n   b: 1\n  c: 2', '3:1 this line is indented differently'],
    ['a: "x', 'not YAML: Missing closing "quote'],
    ['a: !tag b', '1:4 not YAML: Unresolved tag: !tag'],
    ['a: 1\n---\na: 2', '2:1 a second document begins here; allowed: one'],
    ['a: *x', '1:4 the alias "*x" has no anchor before it'],
    ['a: &x [*x]', '1:8 the alias "*x" is inside of what it stands for'],
  ])('explains %j', (text, expected) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(expected)]);
  });

  it('refuses deep nesting before it can exhaust the stack', () => {
    for (const step of ['[', '- ', '{a: ', '? ']) {
      expect(problemsOf(step.repeat(100_000))).toEqual([
        expect.stringMatching(/^1:\d+ nested too deeply; allowed: 64 levels$/),
      ]);
    }
  });

  it('does not expand aliases of aliases', () => {
    const bomb = Array.from({ length: 30 }, (_, i) => {
      return `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`;
    });
    expect(problemsOf(['a0: &a0 x', ...bomb].join('\n'))).toEqual([]);
  });
});
