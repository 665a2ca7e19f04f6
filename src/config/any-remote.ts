import type { MappingEntry, ConfigNode } from './tree.ts';

const KEYS = new Set(['remotes', 'remote']);
const ANY = 'any';

/**
 * Takes the word `any` out of a tunnel's remotes: it is no address, but says that everybody may send.
 * Returns the settings without it, and whether it was there.
 */
export function takeAnyRemote(entries: readonly MappingEntry[]): {
  readonly entries: readonly MappingEntry[];
  readonly any: boolean;
} {
  let any = false;
  const rest = entries.flatMap((entry) => {
    if (!KEYS.has(entry.key)) return [entry];
    const { value } = entry;
    const nodes = value.kind === 'list' ? value.items : [value];
    const others = nodes.filter((node) => !isAny(node));
    if (others.length === nodes.length) return [entry];
    any = true;
    if (value.kind !== 'list' || others.length === 0) return [];
    return [{ ...entry, value: { ...value, items: others } }];
  });
  return { entries: rest, any };
}

function isAny(node: ConfigNode): boolean {
  return node.kind === 'scalar' && String(node.value).toLowerCase() === ANY;
}
