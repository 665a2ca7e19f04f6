import type { z } from 'zod';
import { VNI_MAX } from '../wire/vxlan.ts';
import {
  AGEING_SECONDS_MAX,
  LOG_LEVELS,
  MSS_MIN,
  MTU_MAX,
  MTU_MIN,
  OFFLOADS,
  TRANSMIT_SOCKETS_MAX,
  UNDERLAYS,
  VLAN_POLICIES,
  VNI_MIN,
  WORKERS_MAX,
} from './config.ts';
import {
  flag,
  interfaceName,
  multicastGroup,
  oneOf,
  overlayAddress,
  port,
  remote,
  socketPath,
  underlayAddress,
  vlanMapping,
  wholeNumber,
  wholeNumberOrAuto,
  wholeNumberOrFlag,
} from './fields.ts';
import { CHECKSUMS } from './outer.ts';
import { doNotFragment, flowLabel, reservedBits, ttl, typeOfService } from './outer-fields.ts';
import { SAFETY_SHAPE } from './safety.ts';

/**
 * The keys of a configuration file, in netplan's spelling where netplan has the key.
 * read.ts reads a mapping by such a shape; what holds between several keys is in checks.ts.
 */

/** A key with one value, or (`many`) with a list of them; a list of one may be the bare value. */
export interface Field<T, Many extends boolean> {
  readonly type: z.ZodType<T>;
  readonly many: Many;
  /** Other spellings of the key. */
  readonly aliases: readonly string[];
  /** A list whose items may also be written as the entries of a mapping, `10: 1010` for `10:1010`. */
  readonly pairs?: true;
}

export type Shape = Readonly<Record<string, Field<unknown, boolean>>>;

/** The keys of the top level beside `tunnels`. */
export const GLOBAL_SHAPE = {
  workers: one(wholeNumberOrAuto(1, WORKERS_MAX)),
  socket: one(socketPath()),
  'log-level': one(oneOf(LOG_LEVELS)),
  underlay: one(oneOf(UNDERLAYS)),
  offload: one(oneOf(OFFLOADS)),
  'transmit-sockets': one(wholeNumber(1, TRANSMIT_SOCKETS_MAX)),
  'port-range': many(port()),
} as const;

/** The keys of one tunnel; its name is the key in front of them. */
export const TUNNEL_SHAPE = {
  mode: one(oneOf(['vxlan'])),
  id: one(wholeNumber(VNI_MIN, VNI_MAX), 'vni'),
  local: many(underlayAddress('local')),
  remotes: many(remote(), 'remote'),
  group: one(multicastGroup()),
  'multicast-ttl': one(wholeNumber(1, 255)),
  port: one(port()),
  addresses: many(overlayAddress()),
  mtu: one(wholeNumberOrAuto(MTU_MIN, MTU_MAX)),
  'tcp-mss-clamp': one(wholeNumberOrFlag(MSS_MIN, MTU_MAX)),
  'mac-learning': one(flag(), 'learning'),
  ageing: one(wholeNumber(0, AGEING_SECONDS_MAX), 'aging'),
  offload: one(oneOf(OFFLOADS)),
  ...SAFETY_SHAPE,
  vlan: one(oneOf(VLAN_POLICIES)),
  vlans: { ...many(vlanMapping()), pairs: true },
  ttl: one(ttl()),
  'type-of-service': one(typeOfService(), 'tos'),
  'do-not-fragment': one(doNotFragment()),
  fragment: one(flag()),
  'flow-label': one(flowLabel()),
  checksums: many(oneOf(CHECKSUMS)),
  link: one(interfaceName()),
  'reserved-bits': one(reservedBits()),
  'neigh-suppress': one(flag()),
  'arp-proxy': one(flag(), 'proxy'),
} as const;

/**
 * What to say of keys that are not ours but that people bring along from elsewhere: netplan,
 * systemd.netdev and ip-link have them. Continues a sentence that begins with the key.
 */
export const FOREIGN_KEYS: ReadonlyMap<string, string> = new Map([
  ['network', 'is a level of netplan; allowed: its "tunnels" at the top level'],
  ['dstport', 'is the word of ip-link; allowed: "port"'],
  ['destination-port', 'is the word of other programs; allowed: "port"'],
  ['srcport', 'is the word of ip-link; allowed: "port-range" at the top level'],
  ['dst', 'is the word of "bridge fdb"; allowed: "remotes"'],
  ['nolearning', 'is the word of ip-link; allowed: "mac-learning: false"'],
  ['dev', 'is the word of ip-link; allowed: "link"'],
  ['df', 'is the word of ip-link; allowed: "do-not-fragment"'],
  ['flowlabel', 'is the word of ip-link; allowed: "flow-label"'],
  ['udpcsum', 'is the word of ip-link; allowed: "checksums: [udp]"'],
  ['udp6zerocsumtx', 'is the word of ip-link; allowed: "checksums: [udp, zero-udp6-tx]"'],
  ['udp6zerocsumrx', 'is the word of ip-link; allowed: "checksums: [udp, zero-udp6-rx]"'],
  ['name', 'is not a setting: the key in front of the settings is the name of the device'],
  ...['extensions', 'mac', 'macaddress', 'notifications'].map(
    (key) =>
      [key, 'is not supported in this version; allowed: a configuration without it'] as const,
  ),
]);

function one<T>(type: z.ZodType<T>, ...aliases: string[]): Field<T, false> {
  return { type, many: false, aliases };
}

function many<T>(type: z.ZodType<T>, ...aliases: string[]): Field<T, true> {
  return { type, many: true, aliases };
}
