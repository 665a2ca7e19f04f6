import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
  Parser,
  type YAMLError,
} from 'yaml';
import { printable } from '../base/printable.ts';
import { type Place, type Problem, quote } from './problem.ts';
import type { ConfigNode, MappingEntry } from './tree.ts';

/**
 * YAML 1.2 text as a tree, or the reasons why it is not YAML.
 *
 * Anchors and aliases work; merge keys, tags and several documents do not. Duplicate keys are kept:
 * who knows the path reports them. Throws nothing that the text could cause.
 */
export function parseYaml(text: string): { tree: ConfigNode } | { problems: Problem[] } {
  const lines = new LineCounter();
  const deepOffset = tooDeepAt(text, lines);
  if (deepOffset !== undefined) {
    const message = `nested too deeply; allowed: ${DEPTH_MAX} levels`;
    return { problems: [{ path: [], place: placeAt(lines, deepOffset), message }] };
  }
  const document = parseDocument(text, {
    // Also for a file that says `%YAML 1.1`, where `off` would be a boolean.
    schema: 'core',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  });
  const problems = explainAll([...document.errors, ...document.warnings], lines);
  if (problems.length > 0) return { problems };
  const builder = new TreeBuilder(lines);
  const tree = builder.node(document.contents, 0);
  return builder.problems.length > 0 ? { problems: builder.problems } : { tree };
}

/**
 * Offset at which the text nests deeper than DEPTH_MAX, or undefined; notes the lines on the way.
 *
 * The library's composer is recursive, and at the end of the stack V8 may end the process instead of
 * throwing a RangeError. Its lexer and parser are iterative, so they can look ahead of it.
 */
function tooDeepAt(text: string, lines: LineCounter): number | undefined {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    const tokens = parser.next(lexeme);
    while (tokens.next().done !== true);
    if (parser.stack.length > DEPTH_MAX) return parser.offset;
  }
  return undefined;
}

/** Walks the nodes once, in the order of the file, in which an anchor stands before its aliases. */
class TreeBuilder {
  readonly problems: Problem[] = [];
  readonly #lines: LineCounter;
  /** By anchor; undefined while the anchored node is being built. */
  readonly #anchors = new Map<string, ConfigNode | undefined>();

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  /** `fallbackOffset` places a node that the text leaves out. */
  node(node: unknown, fallbackOffset: number): ConfigNode {
    if (isAlias(node)) return this.#alias(node.source, node.range?.[0] ?? fallbackOffset);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return this.#empty(fallbackOffset);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, undefined);
    const made = this.#make(node, node.range?.[0] ?? fallbackOffset);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, made);
    return made;
  }

  #alias(name: string, offset: number): ConfigNode {
    const target = this.#anchors.get(name);
    if (target !== undefined) return target;
    const message = this.#anchors.has(name)
      ? `the alias ${quote(`*${name}`)} is inside of what it stands for`
      : `the alias ${quote(`*${name}`)} has no anchor before it; allowed: names that "&…" gave`;
    this.problems.push({ path: [], place: placeAt(this.#lines, offset), message });
    return this.#empty(offset);
  }

  #make(node: Node, offset: number): ConfigNode {
    const place = placeAt(this.#lines, offset);
    if (isMap(node)) {
      const entries = node.items.map((pair) => this.#entry(pair.key, pair.value, offset));
      return { kind: 'mapping', place, entries };
    }
    if (isSeq(node)) {
      return { kind: 'list', place, items: node.items.map((item) => this.node(item, offset)) };
    }
    const value = isScalar(node) ? node.value : null;
    const source = isScalar(node) ? (node.source ?? '') : '';
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) {
      return { kind: 'scalar', place, value, source };
    }
    return { kind: 'scalar', place, value: typeof value === 'string' ? value : source, source };
  }

  #entry(key: unknown, value: unknown, mappingOffset: number): MappingEntry {
    const keyNode = this.node(key, mappingOffset);
    // A key counts as it is written: an interface may well be called 042.
    const isText = keyNode.kind === 'scalar' && typeof keyNode.value === 'string';
    const written = keyNode.kind === 'scalar' ? keyNode.source : '{…}';
    const keyOffset = isScalar(key) ? (key.range?.[0] ?? mappingOffset) : mappingOffset;
    return {
      key: isText ? String(keyNode.value) : written,
      keyPlace: keyNode.place,
      value: this.node(value, keyOffset),
    };
  }

  #empty(offset: number): ConfigNode {
    return { kind: 'scalar', place: placeAt(this.#lines, offset), value: null, source: '' };
  }
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** One problem a line: what follows on it is mostly a consequence. */
function explainAll(errors: readonly YAMLError[], lines: LineCounter): Problem[] {
  const byLine = new Map<number, Problem>();
  for (const error of errors) {
    const place = placeAt(lines, error.pos[0]);
    if (byLine.has(place.line)) continue;
    byLine.set(place.line, { path: [], place, message: explain(error) });
  }
  return [...byLine.values()];
}

/** The library's words, or ours where its words speak of its own parts. */
function explain({ code, message }: YAMLError): string {
  if (code === 'BAD_INDENT' && message.startsWith('Flow')) {
    return 'a bracket before this place is not closed; allowed: "]" or "}" at the end of what it opens';
  }
  return WORDS[code] ?? `not YAML: ${printable(message)}`;
}

const WORDS: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'a tab indents this line; allowed: spaces',
  BAD_INDENT: 'this line is indented differently; allowed: keys of one mapping below each other',
  BLOCK_AS_IMPLICIT_KEY:
    'a value with a ": " in it or a ":" at its end; allowed: quotes around it, and one key per line',
  BLOCK_IN_FLOW: 'a value with a ":" at its end; allowed: quotes around it',
  MULTILINE_IMPLICIT_KEY: 'no "key: value"; allowed: a colon and a space after each key',
  MULTIPLE_DOCS: 'a second document begins here; allowed: one, without another "---"',
};
/** A configuration needs about five; some constructs take two places on the parser's stack. */
const DEPTH_MAX = 64;
