import type { NeighbourVerb } from '../api/protocol.ts';
import type { Command } from './command.ts';

const ENTRY = 'IP lladdr LLADDR dev NAME [nud permanent|reachable] [router]';

function changeCommand(
  verb: NeighbourVerb,
  summary: string,
  usage: string,
  details: Pick<Command, 'notes' | 'examples'>,
): Command {
  return {
    name: `neigh ${verb}`,
    summary,
    usage: [usage, `neigh ${verb} --batch FILE`],
    ...details,
    takesBatch: true,
    run: async (invocation) =>
      (await import('./neigh-change.ts')).changeNeighbours(verb, invocation),
  };
}

/** The verbs of `neigh`, in the order of the help. */
export const NEIGH_COMMANDS: readonly Command[] = [
  changeCommand('add', 'add a neighbour that the tunnel answers for', `neigh add ${ENTRY}`, {
    notes: [
      'Where neigh-suppress is on, ARP requests and neighbour solicitations for the address are answered here',
      'and not flooded. Entries are permanent unless told otherwise; reachable ones age and follow what passes.',
      'One that exists as permanent is an error (exit 5). router sets the R flag of the answers over IPv6.',
    ],
    examples: ['vtep neigh add 10.0.0.2 lladdr 52:54:00:3f:e6:43 dev vx42'],
  }),
  changeCommand('replace', 'add or overwrite a neighbour', `neigh replace ${ENTRY}`, {
    notes: ['The entry becomes what is written, whatever it was.'],
    examples: ['vtep neigh replace 10.0.0.2 lladdr 52:54:00:3f:e6:44 dev vx42'],
  }),
  changeCommand('del', 'delete a neighbour', 'neigh del IP dev NAME [lladdr LLADDR]', {
    notes: ['One that does not exist is an error (exit 4).'],
    examples: ['vtep neigh del 10.0.0.2 dev vx42'],
  }),
  {
    name: 'neigh show',
    summary: 'show neighbours',
    usage: ['neigh [show] [[to] IP] [dev NAME] [lladdr LLADDR] [nud permanent|reachable]'],
    notes: [
      '-j prints the keys that ip -j neigh show prints; -s adds the seconds since an entry answered, was',
      'confirmed and was updated. "local" marks a neighbour on this side, which answers for itself.',
    ],
    examples: ['vtep neigh show dev vx42', 'vtep -j neigh show | jq -r ".[].dst"'],
    run: async (invocation) => (await import('./neigh-show.ts')).showNeighbours(invocation),
  },
  {
    name: 'neigh flush',
    summary: 'delete all neighbours that match',
    usage: ['neigh flush dev NAME [[to] IP] [lladdr LLADDR] [nud permanent|reachable|all]'],
    notes: [
      'Permanent ones stay unless they are named, as with ip neigh flush. -s prints how many were removed.',
    ],
    examples: ['vtep neigh flush dev vx42', 'vtep neigh flush dev vx42 nud all'],
    run: async (invocation) => (await import('./neigh-flush.ts')).flushNeighbours(invocation),
  },
];

export const NEIGH_VERBS = ['add', 'replace', 'del', 'show', 'flush', 'help'];
