import type { FdbVerb } from '../api/protocol.ts';
import type { Command } from './command.ts';
import { LINK_COMMANDS } from './link-commands.ts';
import { NEIGH_COMMANDS, NEIGH_VERBS } from './neigh-commands.ts';
import { resolvePrefix } from './usage.ts';

const ENTRY = 'LLADDR dev NAME dst IP [vlan N] [port N] [vni N] [src_vni N] [via DEV]';
const STATES = '[self] [static|dynamic|permanent]';

function changeCommand(
  verb: FdbVerb,
  summary: string,
  usage: readonly string[],
  details: Pick<Command, 'notes' | 'examples'>,
): Command {
  return {
    name: `fdb ${verb}`,
    summary,
    usage: [...usage, `fdb ${verb} --batch FILE`],
    ...details,
    takesBatch: true,
    run: async (invocation) => (await import('./fdb-change.ts')).changeFdb(verb, invocation),
  };
}

/** Every verb, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  changeCommand('add', 'add an entry', [`fdb add ${ENTRY} ${STATES}`], {
    notes: [
      'Keywords may come in any order. Entries are permanent unless told otherwise; dynamic ones age.',
      'port and vni default to those of the device. An entry that exists is an error (exit 5); one that was',
      'only learned is replaced by a static or permanent one.',
      '--batch FILE (or - for standard input) takes one entry a line, without the verb, # starts a comment.',
      'All are applied or none, and the error names the line.',
    ],
    examples: [
      'vtep fdb add 52:54:00:3f:e6:43 dev vx42 dst 192.168.120.20',
      'vtep fdb add --batch entries.txt',
    ],
  }),
  changeCommand(
    'append',
    'add one more destination to a list',
    [`fdb append ${ENTRY} [self] [static|permanent]`],
    {
      notes: [
        '00:00:00:00:00:00 owns the flood list: where broadcast, multicast and unknown MACs go. Multicast MACs',
        'may own lists too; all other MACs have one destination.',
      ],
      examples: ['vtep fdb append 00:00:00:00:00:00 dev vx42 dst 192.168.120.30'],
    },
  ),
  changeCommand('replace', 'add or overwrite an entry', [`fdb replace ${ENTRY} ${STATES}`], {
    notes: ['The list of the zero MAC or of a multicast MAC becomes this one destination.'],
    examples: ['vtep fdb replace 52:54:00:3f:e6:43 dev vx42 dst 192.168.120.30'],
  }),
  changeCommand(
    'del',
    'delete an entry',
    ['fdb del LLADDR dev NAME [dst IP] [vlan N] [port N] [vni N] [src_vni N] [via DEV] [self]'],
    {
      notes: [
        'With dst, only an entry with this destination is deleted, or this destination of a list.',
        'An entry that does not exist is an error (exit 4).',
      ],
      examples: [
        'vtep fdb del 52:54:00:3f:e6:43 dev vx42',
        'vtep fdb del 00:00:00:00:00:00 dev vx42 dst 192.168.120.30',
      ],
    },
  ),
  {
    name: 'fdb get',
    summary: 'show the entry of one MAC',
    usage: ['fdb get [to] LLADDR dev NAME [self]'],
    notes: ['An entry that does not exist is an error (exit 4).'],
    examples: ['vtep fdb get 52:54:00:3f:e6:43 dev vx42'],
    run: async (invocation) => (await import('./fdb-show.ts')).showEntry(invocation),
  },
  {
    name: 'fdb show',
    summary: 'show entries',
    usage: [
      'fdb [show] [LLADDR] [dev NAME] [dst IP] [vlan N] [port N] [vni N] [static|dynamic|permanent]',
    ],
    notes: [
      '-j prints the keys that bridge -j fdb show prints; -s adds the seconds since an entry was used and',
      'updated, and the frames sent to it. Learned entries and those added as dynamic have no state word.',
    ],
    examples: ['vtep fdb show dev vx42', 'vtep -j fdb show dev vx42 | jq -r ".[].mac"'],
    run: async (invocation) => (await import('./fdb-show.ts')).showFdb(invocation),
  },
  {
    name: 'fdb flush',
    summary: 'delete all entries that match',
    usage: [
      'fdb flush dev NAME [LLADDR] [dst IP] [vlan N] [port N] [vni N] [src_vni N] [self]',
      '          [[no]static] [[no]dynamic] [[no]permanent]',
    ],
    notes: [
      'Without a state, entries of every state go. Remotes that the configuration names stay on the flood',
      'list; fdb del removes them. -s prints how many entries were removed.',
    ],
    examples: ['vtep fdb flush dev vx42 dynamic'],
    run: async (invocation) => (await import('./fdb-flush.ts')).flushFdb(invocation),
  },
  ...LINK_COMMANDS,
  ...NEIGH_COMMANDS,
  {
    name: 'show',
    summary: 'show tunnels, remotes, counters and offloads',
    usage: ['show [NAME]'],
    notes: ['-j prints everything as JSON.'],
    examples: ['vtep show', 'vtep -j -p show vx42'],
    run: async (invocation) => (await import('./show.ts')).showStatus(invocation),
  },
  {
    name: 'version',
    summary: 'show the versions of this program and of the daemon',
    usage: ['version'],
    notes: [],
    examples: ['vtep version'],
    run: async (invocation) => (await import('./version.ts')).showVersion(invocation),
  },
];

/** iproute2's other words for the same verbs. */
const ALIASES: Readonly<Record<string, string>> = { delete: 'del', list: 'show', lst: 'show' };
const OBJECT_ALIASES: Readonly<Record<string, string>> = { neighbour: 'neigh', neighbor: 'neigh' };
const OBJECTS = ['fdb', 'link', 'neigh', 'show', 'version', 'help'];
/** The verbs of those objects that have some; each has show and help. */
const VERBS: Readonly<Record<string, readonly string[]>> = {
  fdb: ['add', 'append', 'replace', 'del', 'get', 'show', 'flush', 'help'],
  link: ['add', 'set', 'del', 'show', 'help'],
  neigh: NEIGH_VERBS,
};

/** What the first words of a command line ask for. */
export type Request =
  | { readonly kind: 'run'; readonly command: Command; readonly words: readonly string[] }
  /** `topic` is what the names of the commands to explain begin with. */
  | { readonly kind: 'help'; readonly topic: string };

/**
 * Finds the command that the words name, by unique prefixes, as iproute2 has it: `vtep f s` is
 * `vtep fdb show`, and so is `vtep fdb`. Throws ERR_USAGE.
 */
export function findCommand(words: readonly string[]): Request {
  const [first, ...rest] = words;
  if (first === undefined) return { kind: 'help', topic: '' };
  const object = objectOf(first);
  if (object === 'help') return explain(rest);
  if (!Object.hasOwn(VERBS, object)) return run(object, rest);
  const [second, ...last] = rest;
  if (second === undefined) return run(`${object} show`, []);
  const verb = Object.hasOwn(ALIASES, second)
    ? ALIASES[second]!
    : resolvePrefix(second, VERBS[object]!, `verb of "${object}"`);
  return verb === 'help' ? { kind: 'help', topic: object } : run(`${object} ${verb}`, last);
}

function objectOf(word: string): string {
  if (Object.hasOwn(OBJECT_ALIASES, word)) return OBJECT_ALIASES[word]!;
  return resolvePrefix(word, OBJECTS, 'command');
}

function run(name: string, words: readonly string[]): Request {
  const command = COMMANDS.find((candidate) => candidate.name === name)!;
  if (words[0] === 'help') return { kind: 'help', topic: name };
  return { kind: 'run', command, words };
}

function explain(words: readonly string[]): Request {
  if (words.length === 0) return { kind: 'help', topic: '' };
  const object = words.length === 1 ? objectOf(words[0]!) : '';
  if (Object.hasOwn(VERBS, object)) return { kind: 'help', topic: object };
  const request = findCommand(words);
  return request.kind === 'help' ? request : { kind: 'help', topic: request.command.name };
}
