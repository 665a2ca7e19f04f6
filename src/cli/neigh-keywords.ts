import { isIP } from 'node:net';
import type {
  NeighbourFlushRequest,
  NeighbourRequest,
  NeighbourStateWord,
  NeighbourVerb,
} from '../api/protocol.ts';
import { parseMac } from '../wire/mac.ts';
import { usageError } from './usage.ts';

/** Our states, and iproute2's other words that come to the same. */
const STATES: Readonly<Record<string, NeighbourStateWord>> = {
  permanent: 'permanent',
  static: 'permanent',
  reachable: 'reachable',
  dynamic: 'reachable',
};

/** iproute2's keywords that mean something which this table does not have. */
const FOREIGN: Readonly<Record<string, string>> = {
  proxy: 'entries answer for all who ask: write IP lladdr LLADDR, without "proxy"',
  vrf: 'name the device: dev NAME',
  nomaster: 'name the device: dev NAME',
  extern_learn: 'entries of a control plane cannot be added by hand; leave it out',
  managed: 'entries are not resolved by the daemon; leave it out',
  use: 'entries are not resolved by the daemon; leave it out',
  protocol: 'entries have no protocol; leave it out',
};

interface Words {
  dst?: string;
  dev?: string;
  lladdr?: string;
  router?: boolean;
  states?: ReadonlySet<NeighbourStateWord>;
}

/** `[to] IP lladdr LLADDR dev NAME [nud STATE] [router]` in any order. Throws ERR_USAGE. */
export function parseNeighbour(verb: NeighbourVerb, tokens: readonly string[]): NeighbourRequest {
  const { dst, dev, states, ...rest } = parseWords(tokens);
  if (dst === undefined) throw missing(verb, 'the IP address', 'IP lladdr LLADDR dev NAME');
  if (dev === undefined) throw missing(verb, 'the device', 'dev NAME');
  if (rest.lladdr === undefined && verb !== 'del') {
    throw missing(verb, 'the MAC address', 'lladdr LLADDR');
  }
  if (states !== undefined && states.size > 1) {
    throw usageError(`Cannot ${verb} a neighbour in all states`, 'write: nud permanent');
  }
  const [state] = states ?? [];
  return { dst, dev, ...rest, ...(state !== undefined && { state }) };
}

/** `[[to] IP] [dev NAME] [lladdr LLADDR] [nud STATE]`, as query parameters. Throws ERR_USAGE. */
export function parseNeighbourShow(
  tokens: readonly string[],
): Record<string, string | number | undefined> {
  const { dst, dev, lladdr, states } = parseWords(tokens);
  return { dev, dst, lladdr, state: states?.size === 1 ? [...states][0] : undefined };
}

/**
 * `dev NAME [[to] IP] [lladdr LLADDR] [nud STATE]`. As with `ip neigh flush`, permanent entries stay unless
 * they are named. Throws ERR_USAGE.
 */
export function parseNeighbourFlush(tokens: readonly string[]): NeighbourFlushRequest {
  const { dst, dev, lladdr, states } = parseWords(tokens);
  if (dev === undefined) throw missing('flush', 'the device', 'dev NAME');
  return {
    dev,
    ...(dst !== undefined && { dst }),
    ...(lladdr !== undefined && { lladdr }),
    states: [...(states ?? ['reachable' as const])],
  };
}

function parseWords(tokens: readonly string[]): Words {
  const words: Words = {};
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i]!;
    if (token === 'dev' || token === 'lladdr' || token === 'nud' || token === 'to') {
      const value = tokens[(i += 1)];
      if (value === undefined) throw usageError(`Missing value behind "${token}"`);
      setValued(words, token, value);
    } else if (token === 'router') {
      words.router = true;
    } else if (Object.hasOwn(STATES, token) || token === 'all') {
      setValued(words, 'nud', token);
    } else {
      setValued(words, 'to', token);
    }
  }
  return words;
}

function setValued(words: Words, name: 'dev' | 'lladdr' | 'nud' | 'to', value: string): void {
  switch (name) {
    case 'dev':
      once(words.dev, name);
      words.dev = value;
      return;
    case 'lladdr':
      once(words.lladdr, name);
      if (parseMac(value) === undefined) {
        throw usageError(
          `Cannot parse the MAC address "${value}" of "lladdr"`,
          'a MAC address is six bytes in hexadecimal, for example 52:54:00:3f:e6:43',
        );
      }
      words.lladdr = value;
      return;
    case 'nud':
      once(words.states, 'state');
      words.states = statesOf(value);
      return;
    case 'to':
      setAddress(words, value);
  }
}

function setAddress(words: Words, value: string): void {
  if (Object.hasOwn(FOREIGN, value)) {
    throw usageError(`Cannot use the keyword "${value}" here`, FOREIGN[value]);
  }
  if (isIP(value) === 0 || value.includes('%')) {
    throw usageError(
      `Cannot understand "${value}": neither a keyword nor an IP address`,
      'write an IPv4 or IPv6 address, for example 10.0.0.2 or fd00:42::2',
    );
  }
  once(words.dst, 'IP address');
  words.dst = value;
}

function statesOf(word: string): ReadonlySet<NeighbourStateWord> {
  if (word === 'all') return new Set(['permanent', 'reachable']);
  const state = Object.hasOwn(STATES, word) ? STATES[word] : undefined;
  if (state !== undefined) return new Set([state]);
  throw usageError(`Unknown state "${word}"`, 'known: permanent, reachable, all');
}

function once(value: unknown, name: string): void {
  if (value !== undefined) throw usageError(`"${name}" is given twice`);
}

function missing(verb: string, what: string, how: string): Error {
  return usageError(`Cannot ${verb} without ${what}`, `write: vtep neigh ${verb} … ${how}`);
}
