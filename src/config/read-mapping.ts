import type { ConfigPath, Place, Problem } from './problem.ts';
import { quote } from './problem.ts';
import type { Field, Shape } from './schema.ts';
import { FOREIGN_KEYS } from './schema.ts';
import { suggest } from './suggest.ts';
import { type ConfigNode, describeNode, type MappingEntry, scalarOf } from './tree.ts';

/** A valid value and where it stands, for problems that show later. */
export interface Item<T> {
  readonly value: T;
  readonly path: ConfigPath;
  readonly place: Place;
}

/** The valid values of a list, and how many there were with the others. */
export interface ItemList<T> {
  readonly items: readonly Item<T>[];
  readonly given: number;
  readonly path: ConfigPath;
  readonly place: Place;
}

/** What a mapping holds: of every key its valid value, or undefined without one. */
export type Values<S extends Shape> = {
  readonly [Key in keyof S]: S[Key] extends Field<infer T, infer Many>
    ? Many extends true
      ? ItemList<T> | undefined
      : Item<T> | undefined
    : never;
};

export type Report = (problem: Problem) => void;

/**
 * Reads the entries of a mapping by a shape. What is wrong is reported and left out of the result,
 * so that the rest can still be checked. `elsewhere` are keys that are known, but in another place,
 * each with the words that say where.
 */
export function readMapping<S extends Shape>(
  entries: readonly MappingEntry[],
  shape: S,
  path: ConfigPath,
  report: Report,
  elsewhere: ReadonlyMap<string, string>,
): Values<S> {
  const names = new Map<string, string>();
  for (const [key, field] of Object.entries(shape)) {
    for (const name of [key, ...field.aliases]) names.set(name, key);
  }
  const values: Record<string, unknown> = {};
  const repeated = findRepeated(entries, names, path, report);
  for (const entry of entries) {
    const at = [...path, entry.key];
    const key = names.get(entry.key);
    if (key === undefined) {
      const message = unknownKey(entry.key, Object.keys(shape), [...names.keys()], elsewhere);
      report({ path: at, place: entry.keyPlace, message });
      continue;
    }
    const field = shape[key]!;
    const value = field.many
      ? readList(field.pairs ? pairsOf(entry.value) : entry.value, field.type, at, report)
      : readOne(entry.value, field.type, at, report);
    if (!repeated.has(entry)) values[key] = value;
  }
  return values as Values<S>;
}

/**
 * Reports the entries whose key was there before, and returns them.
 * `names` maps every spelling of a key to the key; what is not in it stands for itself.
 */
export function findRepeated(
  entries: readonly MappingEntry[],
  names: ReadonlyMap<string, string>,
  path: ConfigPath,
  report: Report,
): ReadonlySet<MappingEntry> {
  const first = new Map<string, MappingEntry>();
  const repeated = new Set<MappingEntry>();
  for (const entry of entries) {
    const key = names.get(entry.key) ?? entry.key;
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, entry);
      continue;
    }
    const again =
      earlier.key === entry.key
        ? 'is there twice'
        : `is another word for ${quote(earlier.key)}, which is there too`;
    const message = `${again}, first in line ${earlier.keyPlace.line}; allowed: once`;
    report({ path: [...path, entry.key], place: entry.keyPlace, message });
    repeated.add(entry);
  }
  return repeated;
}

function readOne<T>(
  node: ConfigNode,
  type: Field<T, boolean>['type'],
  path: ConfigPath,
  report: Report,
): Item<T> | undefined {
  const result = type.safeParse(scalarOf(node));
  if (result.success) return { value: result.data, path, place: node.place };
  const message = `${describeNode(node)} ${result.error.issues[0]!.message}`;
  report({ path, place: node.place, message });
  return undefined;
}

function readList<T>(
  node: ConfigNode,
  type: Field<T, boolean>['type'],
  path: ConfigPath,
  report: Report,
): ItemList<T> {
  const isList = node.kind === 'list';
  const read = isList
    ? node.items.map((item, index) => readOne(item, type, [...path, index], report))
    : [readOne(node, type, path, report)];
  const items = read.filter((item) => item !== undefined);
  return { items, given: read.length, path, place: node.place };
}

/** The entries of a mapping as a list of `key:value`; anything else as it is. */
function pairsOf(node: ConfigNode): ConfigNode {
  if (node.kind !== 'mapping') return node;
  const items = node.entries.map(({ key, keyPlace, value }): ConfigNode => {
    if (value.kind !== 'scalar') return value;
    const text = `${key}:${value.source}`;
    return { kind: 'scalar', place: keyPlace, value: text, source: text };
  });
  return { kind: 'list', place: node.place, items };
}

function unknownKey(
  key: string,
  keys: readonly string[],
  spellings: readonly string[],
  elsewhere: ReadonlyMap<string, string>,
): string {
  const known = elsewhere.get(key) ?? FOREIGN_KEYS.get(key);
  if (known !== undefined) return known;
  const nearest = suggest(key, spellings);
  if (nearest !== undefined) return `is not a known key, did you mean ${quote(nearest)}?`;
  return `is not a known key; allowed: ${keys.join(', ')}`;
}
