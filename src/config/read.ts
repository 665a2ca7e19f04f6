import { VNI_MAX } from '../wire/vxlan.ts';
import { takeAnyRemote } from './any-remote.ts';
import { checkGroups } from './check-groups.ts';
import { checkVlans } from './check-vlans.ts';
import { checkGlobal, checkTunnel, checkTunnels, type ReadTunnel } from './checks.ts';
import {
  type Config,
  type ConfigOverrides,
  DEFAULT_AGEING_SECONDS,
  DEFAULT_LEARNING,
  DEFAULT_LOG_LEVEL,
  DEFAULT_MSS_CLAMP,
  DEFAULT_MTU,
  DEFAULT_MULTICAST_TTL,
  DEFAULT_NEIGH_SUPPRESS,
  DEFAULT_OFFLOAD,
  DEFAULT_PORT,
  DEFAULT_SOCKET,
  DEFAULT_SOURCE_PORTS,
  DEFAULT_TRANSMIT_SOCKETS,
  DEFAULT_UNDERLAY,
  DEFAULT_WORKERS,
  type Offload,
  type TunnelConfig,
  type UnderlayAddress,
  VNI_MIN,
} from './config.ts';
import { interfaceName } from './fields.ts';
import { familiesOf, resolveOuter } from './outer.ts';
import { checkOuter } from './outer-checks.ts';
import { type ConfigPath, type Problem, quote } from './problem.ts';
import { isRemoteName } from './remote-name.ts';
import { type Report, readMapping, type Values, findRepeated } from './read-mapping.ts';
import { resolveSafety } from './safety.ts';
import { GLOBAL_SHAPE, type Shape, TUNNEL_SHAPE } from './schema.ts';
import { type ConfigNode, describeNode, type MappingEntry } from './tree.ts';

/**
 * A whole configuration from its tree, or everything that is wrong with it. The overrides take the
 * place of what the tree says.
 */
export function readConfig(
  tree: ConfigNode,
  overrides: ConfigOverrides,
): { config: Config } | { problems: Problem[] } {
  const problems: Problem[] = [];
  const report: Report = (problem) => void problems.push(problem);
  const top = topLevel(tree, report);
  const others = top.filter((entry) => entry.key !== TUNNELS);
  const sections = top.filter((entry) => entry.key === TUNNELS);
  const globals = readMapping(others, GLOBAL_SHAPE, [], report, OF_TUNNELS);
  findRepeated(sections, new Map(), [], report);
  const tunnels = sections.flatMap((entry) => readTunnels(entry, report));
  if (sections.length === 0 && tree.kind === 'mapping') {
    const message = `is missing; allowed: at least one tunnel, ${EXAMPLE}`;
    report({ path: [TUNNELS], place: tree.place, message });
  }
  const config = { ...resolveGlobals(globals), ...overrides };
  checkGlobal(globals, config, report);
  checkTunnels(tunnels, report);
  for (const tunnel of tunnels) {
    checkTunnel(tunnel, report);
    checkOuter(tunnel, config, report);
  }
  checkGroups(tunnels, report);
  checkVlans(tunnels, report);
  if (problems.length > 0) return { problems };
  const resolved = tunnels.map((tunnel) => resolveTunnel(tunnel, config.offload));
  return { config: { tunnels: resolved, ...config } };
}

function topLevel(tree: ConfigNode, report: Report): readonly MappingEntry[] {
  if (tree.kind === 'mapping') return tree.entries;
  const isEmpty = tree.kind === 'scalar' && tree.value === null;
  const what = isEmpty ? 'the file is empty' : `${describeNode(tree)} is not a configuration`;
  const message = `${what}; allowed: at least one tunnel, ${EXAMPLE}`;
  report({ path: [], place: tree.place, message });
  return [];
}

function readTunnels({ value }: MappingEntry, report: Report): ReadTunnel[] {
  if (value.kind !== 'mapping' || value.entries.length === 0) {
    const what = value.kind === 'mapping' ? 'an empty mapping' : describeNode(value);
    const message = `${what} names no tunnel; allowed: at least one, ${EXAMPLE}`;
    report({ path: [TUNNELS], place: value.place, message });
    return [];
  }
  const repeated = findRepeated(value.entries, new Map(), [TUNNELS], report);
  const tunnels = value.entries.map((entry) => readTunnel(entry, report));
  return tunnels.filter((_, index) => !repeated.has(value.entries[index]!));
}

function readTunnel({ key, keyPlace, value }: MappingEntry, report: Report): ReadTunnel {
  const path: ConfigPath = [TUNNELS, key];
  const name = interfaceName().safeParse(key);
  if (!name.success) {
    const message = `${quote(key)} ${name.error.issues[0]!.message}`;
    report({ path, place: keyPlace, message });
  }
  if (value.kind !== 'mapping') {
    const message = `${describeNode(value)} is no set of settings; allowed: "id" and others, indented below`;
    report({ path, place: value.place, message });
  }
  const given = value.kind === 'mapping' ? value.entries : [];
  const { entries, any: anyRemote } = takeAnyRemote(given);
  const values = readMapping(entries, TUNNEL_SHAPE, path, report, OF_TOP_LEVEL);
  const hasId = entries.some((entry) => entry.key === 'id' || entry.key === 'vni');
  if (value.kind === 'mapping' && !hasId) {
    const message = `is missing; allowed: the VNI, ${VNI_MIN} to ${VNI_MAX}, the same at both ends`;
    report({ path: [...path, 'id'], place: keyPlace, message });
  }
  return { name: key, values, anyRemote };
}

function resolveGlobals(values: Values<typeof GLOBAL_SHAPE>): Omit<Config, 'tunnels'> {
  const [low, high] = values['port-range']?.items ?? [];
  return {
    workers: values.workers?.value ?? DEFAULT_WORKERS,
    socket: values.socket?.value ?? DEFAULT_SOCKET,
    logLevel: values['log-level']?.value ?? DEFAULT_LOG_LEVEL,
    underlay: values.underlay?.value ?? DEFAULT_UNDERLAY,
    offload: values.offload?.value ?? DEFAULT_OFFLOAD,
    transmitSockets: values['transmit-sockets']?.value ?? DEFAULT_TRANSMIT_SOCKETS,
    sourcePorts:
      low === undefined || high === undefined
        ? DEFAULT_SOURCE_PORTS
        : { low: low.value, high: high.value },
  };
}

/** Only for values without problems, of which the id is one. */
function resolveTunnel(
  { name, values, anyRemote }: ReadTunnel,
  globalOffload: Offload,
): TunnelConfig {
  const locals = values.local?.items.map(({ value }) => value) ?? [];
  const named = values.remotes?.items.map(({ value }) => value) ?? [];
  const remotes = named.filter((remote): remote is UnderlayAddress => !isRemoteName(remote));
  const group = values.group?.value;
  const vlans = values.vlans?.items.map(({ value }) => value) ?? [];
  return {
    name,
    mode: 'vxlan',
    vni: values.id!.value,
    locals,
    remotes,
    remoteNames: named.filter(isRemoteName).map(({ name }) => name),
    group,
    multicastTtl: values['multicast-ttl']?.value ?? DEFAULT_MULTICAST_TTL,
    // Whoever says which VLANs there are has said that there are no others.
    vlan: values.vlan?.value ?? (vlans.length > 0 ? 'drop' : 'pass'),
    vlans,
    families: familiesOf(locals, group === undefined ? remotes : [...remotes, group]),
    port: values.port?.value ?? DEFAULT_PORT,
    addresses: values.addresses?.items.map(({ value }) => value) ?? [],
    mtu: values.mtu?.value ?? DEFAULT_MTU,
    mtuGiven: values.mtu !== undefined,
    mssClamp: values['tcp-mss-clamp']?.value ?? DEFAULT_MSS_CLAMP,
    learning: values['mac-learning']?.value ?? DEFAULT_LEARNING,
    ageingSeconds: values.ageing?.value ?? DEFAULT_AGEING_SECONDS,
    offload: globalOffload === 'off' ? 'off' : (values.offload?.value ?? globalOffload),
    safety: resolveSafety(values, anyRemote),
    outer: resolveOuter(values),
    // The kernel's bridge has the one, its vxlan device the other; here both are one table and one answer.
    neighSuppress:
      (values['neigh-suppress']?.value ?? DEFAULT_NEIGH_SUPPRESS) ||
      (values['arp-proxy']?.value ?? DEFAULT_NEIGH_SUPPRESS),
  };
}

/** Every spelling of the shape's keys, each with the sentence about it. */
function misplaced(shape: Shape, sentence: string): ReadonlyMap<string, string> {
  const spellings = Object.entries(shape).flatMap(([key, { aliases }]) => [key, ...aliases]);
  return new Map(spellings.map((key) => [key, sentence]));
}

const TUNNELS = 'tunnels';
const EXAMPLE = 'such as "tunnels: { vx42: { id: 42, local: 192.168.120.10 } }"';
const OF_TUNNELS = misplaced(
  TUNNEL_SHAPE,
  'is a setting of a tunnel; allowed: under "tunnels" and the name of the tunnel',
);
const OF_TOP_LEVEL = misplaced(
  GLOBAL_SHAPE,
  'is a setting of the whole daemon; allowed: at the top level, beside "tunnels"',
);
