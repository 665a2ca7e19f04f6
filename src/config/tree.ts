import { type Place, quote } from './problem.ts';

/**
 * A configuration before it is understood: mappings, lists and scalars with their places.
 * Made from YAML by yaml-tree.ts and from the command line by {@link treeOf}. Aliases make it a
 * graph without cycles, so nobody may expand it without a bound on depth.
 */
export type ConfigNode = MappingNode | ListNode | ScalarNode;

export interface MappingNode {
  readonly kind: 'mapping';
  readonly place: Place;
  /** In the order of the file; a key may occur twice. */
  readonly entries: readonly MappingEntry[];
}

export interface MappingEntry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: ConfigNode;
}

export interface ListNode {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly ConfigNode[];
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly place: Place;
  readonly value: string | number | boolean | null;
  /** As it was written: `10.10` although the value is the number 10.1. */
  readonly source: string;
}

/** What a value is, to begin a message with: `"vm2"`, `70000`, `an empty value`, `a list`. */
export function describeNode(node: ConfigNode): string {
  if (node.kind !== 'scalar') return `a ${node.kind}`;
  if (node.value === null) return 'an empty value';
  return typeof node.value === 'string' ? quote(node.value) : quote(node.source).slice(1, -1);
}

/** What a field's schema gets to see; only scalars have a value that could be right. */
export function scalarOf(node: ConfigNode): unknown {
  if (node.kind !== 'scalar') return undefined;
  // A mask of 64 bits is more than a number holds: it is read as it was written.
  const exact = typeof node.value !== 'number' || Math.abs(node.value) <= Number.MAX_SAFE_INTEGER;
  return exact || !node.source.startsWith('0x') ? node.value : node.source;
}

/** A tree from plain data that has no file, so that it can be read like one. */
export function treeOf(data: PlainData): ConfigNode {
  if (typeof data === 'string') {
    return { kind: 'scalar', place: NOWHERE, value: data, source: data };
  }
  if (isList(data)) return { kind: 'list', place: NOWHERE, items: data.map(treeOf) };
  const entries = Object.entries(data).map(([key, value]) => {
    return { key, keyPlace: NOWHERE, value: treeOf(value) };
  });
  return { kind: 'mapping', place: NOWHERE, entries };
}

export type PlainData = string | readonly PlainData[] | { readonly [key: string]: PlainData };

function isList(data: PlainData): data is readonly PlainData[] {
  return Array.isArray(data);
}

/** The place of what has none. */
export const NOWHERE: Place = { line: 1, column: 1 };
