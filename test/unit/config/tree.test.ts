import { describe, expect, it } from 'vitest';
import {
  type ConfigNode,
  describeNode,
  NOWHERE,
  scalarOf,
  treeOf,
} from '../../../src/config/tree.ts';

function scalar(value: string | number | boolean | null, source = String(value)): ConfigNode {
  return { kind: 'scalar', place: NOWHERE, value, source };
}

describe('treeOf()', () => {
  it('makes mappings, lists and texts of plain data', () => {
    const place = NOWHERE;
    expect(treeOf({ a: ['x'] })).toEqual({
      kind: 'mapping',
      place,
      entries: [
        { key: 'a', keyPlace: place, value: { kind: 'list', place, items: [scalar('x')] } },
      ],
    });
  });
});

describe('describeNode()', () => {
  it('quotes text, and shows other values as they were written', () => {
    expect(describeNode(scalar('vm2'))).toBe('"vm2"');
    expect(describeNode(scalar(10.1, '10.10'))).toBe('10.10');
    expect(describeNode(scalar(true))).toBe('true');
    expect(describeNode(scalar(null, ''))).toBe('an empty value');
    expect(describeNode(treeOf([]))).toBe('a list');
    expect(describeNode(treeOf({}))).toBe('a mapping');
  });
});

describe('scalarOf()', () => {
  it('is undefined for what is no scalar', () => {
    expect(scalarOf(scalar(7))).toBe(7);
    expect(scalarOf(treeOf(['7']))).toBeUndefined();
  });
});
