import {
  AGEING_SECONDS_MAX,
  DEFAULT_AGEING_SECONDS,
  DEFAULT_PORT,
  DEFAULT_SOCKET,
  LOG_LEVELS,
  MSS_MIN,
  MTU_MAX,
  MTU_MIN,
  OFFLOADS,
  UNDERLAYS,
  VLAN_POLICIES,
  WORKERS_MAX,
} from './config.ts';
import { DEFAULT_LIMIT, LIMIT_MAX } from './safety.ts';

/** An option of vtepd's command line. */
export interface DaemonOption {
  readonly name: string;
  /** The name with its value, for commander. */
  readonly flags: string;
  readonly text: string;
  /** The key of schema.ts that it sets, or a word of its own. */
  readonly key: string;
  /** `repeats` may be given several times. */
  readonly kind: 'value' | 'repeats' | 'switch';
  /** Describes the one tunnel of the command line, so it cannot go together with a file. */
  readonly ofTunnel: boolean;
}

/** Every option, in the order of the help. */
export const DAEMON_OPTIONS: readonly DaemonOption[] = [
  tunnel('--vni <number>', 'id', 'VXLAN network identifier, the same at both ends: 1..16777215'),
  repeated('--local <address>', 'local', 'address of this host (repeat it: one of each family)'),
  repeated(
    '--remote <address>',
    'remotes',
    'address or name of another VTEP (repeat it for several)',
  ),
  tunnel('--group <address>', 'group', 'multicast group to flood to and hear, with --link'),
  tunnel('--multicast-ttl <hops>', 'multicast-ttl', 'how far --group is sent: 1..255 (default: 1)'),
  tunnel('--name <name>', 'name', 'name of the TAP device (default: vx and the VNI)'),
  repeated('--address <cidr>', 'addresses', 'address of the TAP device, 10.0.0.1/24 (may repeat)'),
  tunnel(
    '--mtu <bytes>',
    'mtu',
    `MTU of the TAP device: auto, ${MTU_MIN}..${MTU_MAX} (auto: that of the underlay minus 50, ` +
      'or minus 70 over IPv6)',
  ),
  tunnel(
    '--tcp-mss-clamp <bytes>',
    'tcp-mss-clamp',
    `lower the segment size that TCP connections agree on: true (to what fits), ${MSS_MIN}..${MTU_MAX}`,
  ),
  tunnel('--port <port>', 'port', `UDP port of VXLAN at both ends (default: ${DEFAULT_PORT})`),
  {
    ...tunnel('--no-learning', 'mac-learning', 'do not learn MACs from received frames'),
    kind: 'switch',
  },
  tunnel(
    '--ageing <seconds>',
    'ageing',
    `when to forget a learned MAC, 0 for never: 0..${AGEING_SECONDS_MAX} ` +
      `(default: ${DEFAULT_AGEING_SECONDS})`,
  ),
  tunnel(
    '--limit <number>',
    'limit',
    `most MACs to learn, 0 for no limit: 0..${LIMIT_MAX} (default: ${DEFAULT_LIMIT})`,
  ),
  tunnel('--vlan <policy>', 'vlan', `tagged frames: ${VLAN_POLICIES.join(', ')} (default: pass)`),
  repeated('--vlan-map <vlan:vni>', 'vlans', 'VLAN of the device that is a VNI (may repeat)'),
  tunnel('--ttl <number>', 'ttl', 'outer TTL or hop limit: auto, inherit, 1..255 (default: auto)'),
  tunnel('--tos <number>', 'type-of-service', 'outer TOS: inherit, 0..252 (default: 0)'),
  tunnel('--do-not-fragment <mode>', 'do-not-fragment', 'outer DF: true, false, inherit'),
  tunnel('--link <device>', 'link', 'underlay device to send and receive on'),
  {
    ...tunnel(
      '--neigh-suppress',
      'neigh-suppress',
      'answer ARP and neighbour solicitations for known neighbours instead of flooding them',
    ),
    kind: 'switch',
  },
  daemon('-c, --config <file>', 'config', 'read tunnels and settings from a YAML file'),
  daemon('--workers <number>', 'workers', `forwarding threads: auto, 1..${WORKERS_MAX}`),
  daemon('--socket <path>', 'socket', `unix socket of the API (default: ${DEFAULT_SOCKET})`),
  daemon('--log-level <level>', 'log-level', `${LOG_LEVELS.join(', ')} (default: info)`),
  daemon('--underlay <kind>', 'underlay', `how to send and receive: ${UNDERLAYS.join(', ')}`),
  daemon(
    '--offload <mode>',
    'offload',
    `segmentation and checksum offloads: ${OFFLOADS.join(', ')}`,
  ),
  { ...daemon('-V, --version', 'version', 'show the version'), kind: 'switch' },
];

export const HELP_BEFORE =
  'Userspace VXLAN tunnel endpoint: a TAP device whose frames travel over UDP.';

export const HELP_AFTER = `
Examples:
  One tunnel between two hosts; on the other one, --local and --remote change places:
    vtepd --vni 42 --local 192.168.120.10 --remote 192.168.120.20 --name vx42 --address 10.0.0.1/24

  The other end may be the Linux kernel, with the same port:
    ip link add vx42 type vxlan id 42 dev eth0 \\
      local 192.168.120.20 remote 192.168.120.10 dstport 4789

  Several tunnels, and settings for all of them:
    vtepd --config /etc/vtepd/vtepd.yaml

--config goes together with the options that follow it in the list, which then win over the file.
Exit status: 0 stopped by a signal, 1 failed, 2 wrong command line, 65 invalid configuration.
`;

function tunnel(flags: string, key: string, text: string): DaemonOption {
  return { name: nameOf(flags), flags, text, key, kind: 'value', ofTunnel: true };
}

function repeated(flags: string, key: string, text: string): DaemonOption {
  return { ...tunnel(flags, key, text), kind: 'repeats' };
}

function daemon(flags: string, key: string, text: string): DaemonOption {
  return { ...tunnel(flags, key, text), ofTunnel: false };
}

function nameOf(flags: string): string {
  return /--[a-z-]+/.exec(flags)![0];
}
