import { isIP } from 'node:net';
import type { FdbRequest, FdbStateName, FlushRequest } from '../api/protocol.ts';
import { parseMac } from '../wire/mac.ts';
import { usageError } from './usage.ts';

const PORT_MAX = 0xffff;
const VNI_MAX = 0xff_ffff;
const VLAN_MAX = 4094;
const STATES: readonly FdbStateName[] = ['dynamic', 'static', 'permanent'];

/** iproute2's keywords that mean something which a VTEP does not have. */
const FOREIGN: Readonly<Record<string, string>> = {
  master: "entries of a bridge are the bridge's: use bridge fdb … master",
  br: "entries of a bridge are the bridge's: use bridge fdb show br …",
  nhid: 'nexthop groups are not supported; append one dst per remote to a list',
  extern_learn: 'entries of a control plane cannot be added by hand; use static or permanent',
  router: 'router entries are not supported',
  use: 'use is not supported; dynamic entries age from the moment they are added',
  sticky: 'static entries never move; use static or permanent',
};

/** What the words behind a verb said; each keyword at most once. */
interface Words {
  mac?: string;
  dev?: string;
  dst?: string;
  vlan?: number;
  port?: number;
  vni?: number;
  src_vni?: number;
  via?: string;
  states: Set<FdbStateName>;
}

/** Which keywords a verb knows. */
interface Grammar {
  readonly verb: string;
  /** Keywords with a value. */
  readonly valued: ReadonlySet<string>;
  /** `nodynamic` and its like. */
  readonly negated?: boolean;
}

const CHANGE_KEYWORDS = new Set(['dev', 'dst', 'vlan', 'port', 'vni', 'src_vni', 'via']);
const GET_KEYWORDS = new Set(['dev', 'brport', 'vlan', 'vni', 'src_vni']);
const SHOW_KEYWORDS = new Set(['dev', 'brport', 'dst', 'vlan', 'port', 'vni', 'state']);
const FLUSH_KEYWORDS = new Set(['dev', 'brport', 'dst', 'vlan', 'port', 'vni', 'src_vni']);

/**
 * `LLADDR dev NAME [dst IP] [vlan N] [port N] [vni N] [src_vni N] [via DEV] [self]
 * [static|dynamic|permanent]` in any order, as `bridge fdb` reads it.
 * `verb` is for messages. Throws ERR_USAGE.
 */
export function parseChange(verb: string, tokens: readonly string[]): FdbRequest {
  const { mac, dev, states, ...rest } = parseWords({ verb, valued: CHANGE_KEYWORDS }, tokens);
  if (mac === undefined) throw missing(verb, 'the MAC address', 'LLADDR dev NAME dst IP');
  if (dev === undefined) throw missing(verb, 'the device', 'dev NAME');
  if (rest.dst === undefined && verb !== 'del') throw missing(verb, 'the destination', 'dst IP');
  const [state] = states;
  return { mac, dev, ...rest, ...(state !== undefined && { state }) };
}

/** `[to] LLADDR dev NAME [vlan N] [vni N] [self]`. Throws ERR_USAGE. */
export function parseGet(tokens: readonly string[]): {
  mac: string;
  dev: string;
  vlan?: number;
  vni?: number;
} {
  const words = parseWords({ verb: 'get', valued: GET_KEYWORDS }, tokens);
  if (words.mac === undefined) throw missing('get', 'the MAC address', 'LLADDR dev NAME');
  if (words.dev === undefined) throw missing('get', 'the device', 'dev NAME');
  const vni = words.vni ?? words.src_vni;
  const { mac, dev, vlan } = words;
  return { mac, dev, ...(vlan !== undefined && { vlan }), ...(vni !== undefined && { vni }) };
}

/**
 * `[LLADDR] [dev NAME] [dst IP] [port N] [vni N] [[state] STATE] [self]`, as query parameters. Throws
 * ERR_USAGE.
 */
export function parseShow(tokens: readonly string[]): Record<string, string | number | undefined> {
  const { mac, dev, dst, vlan, port, vni, states } = parseWords(
    { verb: 'show', valued: SHOW_KEYWORDS },
    tokens,
  );
  return { dev, mac, dst, vlan, port, vni, state: [...states][0] };
}

/** `dev NAME [LLADDR] [dst IP] [port N] [vni N] [src_vni N] [[no]STATE …] [self]`. Throws ERR_USAGE. */
export function parseFlush(tokens: readonly string[]): FlushRequest {
  const { dev, states, ...rest } = parseWords(
    { verb: 'flush', valued: FLUSH_KEYWORDS, negated: true },
    tokens,
  );
  if (dev === undefined) throw missing('flush', 'the device', 'dev NAME');
  return { dev, ...rest, ...(states.size > 0 && { states: [...states] }) };
}

function parseWords(grammar: Grammar, tokens: readonly string[]): Words {
  const words: Words = { states: new Set() };
  const seen = new Set<string>();
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i]!;
    if (grammar.valued.has(token)) {
      const value = tokens[(i += 1)];
      if (value === undefined) throw usageError(`Missing value behind "${token}"`);
      const name = token === 'brport' ? 'dev' : token;
      if (seen.has(name)) throw usageError(`"${token}" is given twice`);
      seen.add(name);
      setValued(words, name, value);
    } else if (token === 'to' && words.mac === undefined && tokens[i + 1] !== undefined) {
      setMac(words, tokens[(i += 1)]!);
    } else if (!isFlag(words, grammar, token)) {
      setMac(words, token);
    }
  }
  return words;
}

/** Words that stand alone: `self`, and the states. */
function isFlag(words: Words, grammar: Grammar, token: string): boolean {
  if (token === 'self') return true;
  const state = stateOf(token);
  if (state !== undefined) {
    if (words.states.size > 0 && !grammar.negated) {
      throw usageError(`More than one state: "${[...words.states][0]}" and "${token}"`);
    }
    words.states.add(state);
    return true;
  }
  const refused = grammar.negated && token.startsWith('no') ? stateOf(token.slice(2)) : undefined;
  if (refused === undefined) return false;
  if (words.states.size === 0) for (const other of STATES) words.states.add(other);
  words.states.delete(refused);
  if (words.states.size === 0) throw usageError('Nothing to flush: every state is excluded');
  return true;
}

/** `local` is iproute2's other word for permanent. */
function stateOf(token: string): FdbStateName | undefined {
  return token === 'local' ? 'permanent' : STATES.find((state) => state === token);
}

function setMac(words: Words, token: string): void {
  if (Object.hasOwn(FOREIGN, token)) {
    throw usageError(`Cannot use the keyword "${token}" here`, FOREIGN[token]);
  }
  if (parseMac(token) === undefined) {
    throw usageError(
      `Cannot understand "${token}": neither a keyword nor a MAC address`,
      'a MAC address is six bytes in hexadecimal, for example 52:54:00:3f:e6:43',
    );
  }
  if (words.mac !== undefined) throw usageError(`More than one MAC: "${words.mac}" and "${token}"`);
  words.mac = token;
}

function setValued(words: Words, name: string, value: string): void {
  switch (name) {
    case 'dev':
      words.dev = value;
      break;
    case 'via':
      words.via = value;
      break;
    case 'dst':
      if (isIP(value) === 0 || value.includes('%')) {
        throw usageError(
          `Cannot parse the IP address "${value}" of "dst"`,
          'write an IPv4 or IPv6 address, for example 192.168.120.20 or 2001:db8::20',
        );
      }
      words.dst = value;
      break;
    case 'vlan':
      words.vlan = parseNumber(name, value, VLAN_MAX);
      break;
    case 'port':
      words.port = parseNumber(name, value, PORT_MAX);
      break;
    case 'vni':
      words.vni = parseNumber(name, value, VNI_MAX);
      break;
    case 'src_vni':
      words.src_vni = parseNumber(name, value, VNI_MAX);
      break;
    case 'state':
      words.states.add(requireState(value));
      break;
  }
}

function requireState(value: string): FdbStateName {
  const state = stateOf(value);
  if (state === undefined) {
    throw usageError(`Unknown state "${value}"`, `known: ${STATES.join(', ')}`);
  }
  return state;
}

function parseNumber(name: string, value: string, max: number): number {
  const number = /^(0x[0-9a-f]{1,6}|[0-9]{1,8})$/i.test(value) ? Number(value) : NaN;
  if (number >= 1 && number <= max) return number;
  throw usageError(`Invalid value "${value}" of "${name}"`, `expected a number from 1 to ${max}`);
}

function missing(verb: string, what: string, how: string): Error {
  return usageError(`Cannot ${verb} without ${what}`, `write: vtep fdb ${verb} … ${how}`);
}
