import { isIP } from 'node:net';
import { suggest } from '../config/suggest.ts';
import { parseMac } from '../wire/mac.ts';
import { usageError } from './usage.ts';

/** A link as it goes over the socket: `name`, `up`, `lladdr`, and keys of the configuration. */
export interface LinkWords {
  name: string;
  [key: string]: string | number | boolean | string[];
}

/** Reads what stands behind a word into `link`; takes `values` from its front. */
type Reader = (link: LinkWords, word: string, values: string[]) => void;

const PORT_MAX = 0xffff;
const VNI_MAX = 0xff_ffff;
const SECONDS_MAX = 0x7fff_ffff;

/**
 * The words of `ip link … type vxlan`, each with the key of the configuration that it sets; one line
 * makes a word. The daemon judges the values: what it does not know it refuses by its key.
 */
const VXLAN_WORDS: Readonly<Record<string, Reader>> = {
  id: number('id', 1, VNI_MAX),
  vni: number('id', 1, VNI_MAX),
  local: address('local'),
  remote: addresses('remotes'),
  dstport: number('port', 1, PORT_MAX),
  port: number('port', 1, PORT_MAX),
  dev: text('link'),
  group: text('group'),
  ttl: text('ttl'),
  hoplimit: text('ttl'),
  tos: text('type-of-service'),
  dsfield: text('type-of-service'),
  df: text('do-not-fragment'),
  flowlabel: text('flow-label'),
  maxaddress: number('limit', 0, SECONDS_MAX),
  learning: onOff('mac-learning'),
  nolearning: flag('mac-learning', false),
  ageing: number('ageing', 0, SECONDS_MAX),
};

/** The words of `ip link add` and `set` themselves, and the addresses of `ip address`. */
const DEVICE_WORDS: Readonly<Record<string, Reader>> = {
  mtu: text('mtu'),
  address: addressOfDevice,
  up: flag('up', true),
  down: flag('up', false),
};

const WORDS: Readonly<Record<string, Reader>> = { ...DEVICE_WORDS, ...VXLAN_WORDS };

/** Words of `ip link` that mean something we leave to ip, or that no tunnel of ours has. */
const FOREIGN: Readonly<Record<string, string>> = {
  srcport: 'the source ports are those of the whole daemon: port-range in the configuration',
  external: 'a tunnel has one VNI: add one for each',
  vnifilter: 'a tunnel has one VNI: add one for each',
  gbp: 'the group policy extension is not supported',
  gpe: 'VXLAN-GPE is not supported',
  proxy: 'neighbour suppression is a setting of the configuration',
  rsc: 'route short circuit is not supported',
  l2miss: 'misses are not reported; fill the FDB with: vtep fdb add',
  l3miss: 'misses are not reported',
  remcsumtx: 'remote checksum offload is not supported',
  remcsumrx: 'remote checksum offload is not supported',
  udpcsum: 'the UDP checksum is always sent',
  udp6zerocsumtx: 'the UDP checksum is always sent',
  udp6zerocsumrx: 'the UDP checksum is always demanded over IPv6',
  link: 'write the underlay device behind "type vxlan", as dev DEV',
  txqueuelen: 'make it so afterwards: ip link set NAME txqueuelen N',
  txqlen: 'make it so afterwards: ip link set NAME txqueuelen N',
  qlen: 'make it so afterwards: ip link set NAME txqueuelen N',
  index: 'the kernel numbers the devices',
  numtxqueues: 'the number of queues is that of the workers',
  numrxqueues: 'the number of queues is that of the workers',
  netns: 'the device is made in the network namespace of the daemon',
  master: 'make it so afterwards: ip link set NAME master BRIDGE',
  nomaster: 'that is for ip: ip link set NAME nomaster',
  vrf: 'make it so afterwards: ip link set NAME vrf VRF',
  alias: 'make it so afterwards: ip link set NAME alias TEXT',
  broadcast: 'the broadcast MAC of a TAP is ff:ff:ff:ff:ff:ff',
  arp: 'that is for ip: ip link set NAME arp on|off',
  promisc: 'that is for ip: ip link set NAME promisc on|off',
  multicast: 'that is for ip: ip link set NAME multicast on|off',
  allmulticast: 'that is for ip: ip link set NAME allmulticast on|off',
};

/**
 * `[dev|name] NAME [WORD …] type vxlan [WORD …]` in any order, as `ip link add` has it. Throws ERR_USAGE.
 */
export function parseLinkAdd(tokens: readonly string[]): LinkWords {
  const { link, typed } = parseWords('add', tokens);
  if (!typed) throw missing('add', 'its type', 'type vxlan id N');
  if (link['id'] === undefined) throw missing('add', 'its VNI', 'type vxlan id N');
  return link;
}

/** `[dev] NAME WORD …`. Throws ERR_USAGE. */
export function parseLinkSet(tokens: readonly string[]): LinkWords {
  const { link } = parseWords('set', tokens);
  if (Object.keys(link).length === 1) {
    throw missing(
      'set',
      'something to change',
      'mtu N, up, down, ageing S, [no]learning or address A',
    );
  }
  return link;
}

/** `[dev] NAME [type vxlan]`; for `show` (`filter`) the name may be left out. Throws ERR_USAGE. */
export function parseLinkName(verb: string, tokens: readonly string[]): string | undefined {
  const rest = [...tokens];
  const name = takeName(rest);
  if (rest[0] === 'type') takeType(rest.slice(1), verb);
  const extra = rest[0] === 'type' ? rest[2] : rest[0];
  if (extra !== undefined) {
    throw usageError(`Unexpected "${extra}"`, `write: vtep link ${verb} [dev] NAME`);
  }
  return name;
}

function parseWords(verb: string, tokens: readonly string[]): { link: LinkWords; typed: boolean } {
  const rest = [...tokens];
  const name = takeName(rest);
  if (name === undefined) throw missing(verb, 'the name of the device', 'NAME');
  const link: LinkWords = { name };
  const seen = new Set<string>();
  let typed = false;
  while (rest.length > 0) {
    const word = rest.shift()!;
    if (word === 'type') {
      if (typed) throw usageError('"type" is given twice');
      takeType(rest, verb);
      rest.shift();
      typed = true;
      continue;
    }
    const reader = Object.hasOwn(WORDS, word) ? WORDS[word]! : unknownWord(word);
    if (seen.has(word) && !REPEATED.has(word)) throw usageError(`"${word}" is given twice`);
    seen.add(word);
    reader(link, word, rest);
  }
  return { link, typed };
}

const REPEATED: ReadonlySet<string> = new Set(['remote', 'address']);

/** The name in front, which `dev` or `name` may announce. */
function takeName(rest: string[]): string | undefined {
  const announced = rest[0] === 'dev' || rest[0] === 'name';
  if (announced && rest[1] === undefined) throw usageError(`Missing value behind "${rest[0]}"`);
  if (announced) rest.shift();
  else if (rest[0] === 'type') return undefined;
  return rest.shift();
}

function takeType(rest: readonly string[], verb: string): void {
  if (rest[0] === 'vxlan') return;
  const what =
    rest[0] === undefined
      ? 'Missing value behind "type"'
      : `Cannot ${verb} a link of type "${rest[0]}"`;
  throw usageError(what, 'the one type here is vxlan; for others: ip link');
}

function unknownWord(word: string): never {
  const base = word.startsWith('no') ? word.slice(2) : word;
  const foreign = [word, base].find((name) => Object.hasOwn(FOREIGN, name));
  if (foreign !== undefined)
    throw usageError(`Cannot use the word "${word}" here`, FOREIGN[foreign]);
  const nearest = suggest(word, Object.keys(WORDS));
  throw usageError(
    `Unknown word "${word}"`,
    nearest === undefined
      ? `known: type vxlan, ${Object.keys(WORDS).join(', ')}`
      : `did you mean "${nearest}"?`,
  );
}

function value(word: string, values: string[]): string {
  const next = values.shift();
  if (next === undefined) throw usageError(`Missing value behind "${word}"`);
  return next;
}

function text(key: string): Reader {
  return (link, word, values) => void (link[key] = value(word, values));
}

function number(key: string, min: number, max: number): Reader {
  return (link, word, values) => {
    const given = value(word, values);
    const parsed = /^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(given) ? Number(given) : NaN;
    if (!(parsed >= min && parsed <= max)) {
      throw usageError(
        `Invalid value "${given}" of "${word}"`,
        `expected a number from ${min} to ${max}`,
      );
    }
    // ip lets the last of two words for one thing win; here they may not contradict each other.
    if (link[key] !== undefined && link[key] !== parsed) {
      throw usageError(`"${word} ${given}" contradicts the ${String(link[key])} before it`);
    }
    link[key] = parsed;
  };
}

function flag(key: string, on: boolean): Reader {
  return (link, word) => {
    if (link[key] !== undefined && link[key] !== on) {
      throw usageError(`"${word}" contradicts a word before it`);
    }
    link[key] = on;
  };
}

/** `learning` alone, and `learning on` and `learning off`. */
function onOff(key: string): Reader {
  return (link, word, values) => {
    const isSaid = values[0] === 'on' || values[0] === 'off';
    flag(key, !isSaid || values.shift() === 'on')(link, word, values);
  };
}

/** No top-level domain is a number; what a name may hold the daemon judges. */
const HOST_NAME = /^([a-z0-9_-]+\.)*[a-z][a-z0-9_-]*\.?$/i;

/** An address of the underlay, `fe80::1%eth0` included; `any` is none. */
function address(key: string): Reader {
  return (link, word, values) => {
    const given = value(word, values);
    if (given !== 'any') link[key] = requireIp(given, word);
  };
}

/** The same, and host names. */
function addresses(key: string): Reader {
  return (link, word, values) => {
    const given = value(word, values);
    if (given === 'any') return;
    const remote = HOST_NAME.test(given) ? given : requireIp(given, word);
    link[key] = [...((link[key] as string[] | undefined) ?? []), remote];
  };
}

function requireIp(given: string, word: string): string {
  if (isIP(given) !== 0) return given;
  throw usageError(
    `Cannot parse the IP address "${given}" of "${word}"`,
    'write an IPv4 or IPv6 address, for example 192.168.120.20 or 2001:db8::20',
  );
}

/** ip-link's `address` is the MAC; one with a prefix length is what `ip address add` takes. */
function addressOfDevice(link: LinkWords, word: string, values: string[]): void {
  const given = value(word, values);
  if (parseMac(given) !== undefined) {
    if (link['lladdr'] !== undefined) throw usageError(`More than one MAC behind "${word}"`);
    link['lladdr'] = given;
    return;
  }
  if (!given.includes('/')) {
    throw usageError(
      `Cannot understand "${given}" behind "${word}"`,
      'write a MAC, 02:00:00:00:00:01, or an IP address with its prefix length, 10.0.0.1/24',
    );
  }
  link['addresses'] = [...((link['addresses'] as string[] | undefined) ?? []), given];
}

function missing(verb: string, what: string, how: string): Error {
  return usageError(`Cannot ${verb} a link without ${what}`, `write: vtep link ${verb} … ${how}`);
}
