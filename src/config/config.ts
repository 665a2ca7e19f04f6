import { VXLAN_PORT } from '../wire/vxlan.ts';
import type { OuterConfig } from './outer.ts';
import type { SafetyConfig } from './safety.ts';

/**
 * The configuration as the daemon consumes it: plain data with every default filled in.
 *
 * All of it survives structuredClone(), so that it can be handed to a worker as it is. How it is
 * written in a file says schema.ts.
 */

export interface Config {
  /** At least one; names and VNIs are unique. */
  readonly tunnels: readonly TunnelConfig[];
  /** Forwarding threads; `auto` leaves the number to the daemon. */
  readonly workers: number | 'auto';
  /** Absolute path of the API's unix socket. */
  readonly socket: string;
  readonly logLevel: LogLevel;
  readonly underlay: Underlay;
  /** The global switch; already applied to {@link TunnelConfig.offload}. */
  readonly offload: Offload;
  /** Transmit sockets, thus outer source ports, per worker. */
  readonly transmitSockets: number;
  /** Where the outer source ports are taken from, both ends included. */
  readonly sourcePorts: PortRange;
}

export interface TunnelConfig {
  /** The TAP device's name. */
  readonly name: string;
  readonly mode: 'vxlan';
  /** 1..VNI_MAX */
  readonly vni: number;
  /**
   * Outer source addresses, at most one of each family; a family without one listens on every address
   * of the host.
   */
  readonly locals: readonly UnderlayAddress[];
  /** All of `families`, without duplicates. */
  readonly remotes: readonly UnderlayAddress[];
  /** Remotes by host name, to be resolved at run time; without duplicates. */
  readonly remoteNames: readonly string[];
  /** Multicast group that floods beside the remotes, whose members may send; then there is `outer.link`. */
  readonly group: UnderlayAddress | undefined;
  /** TTL or hop limit of datagrams to `group`, 1..255. */
  readonly multicastTtl: number;
  /** What is done with a VLAN tag that no `vlans` names. */
  readonly vlan: VlanPolicy;
  /** VLANs of the device that are VNIs of their own. */
  readonly vlans: readonly VlanMapping[];
  /** Of the underlay, one or both: those of `locals`, of the remotes and of `group`, else 4. */
  readonly families: readonly (4 | 6)[];
  /** UDP destination port, and the one to listen on. */
  readonly port: number;
  /** Addresses of the TAP device. */
  readonly addresses: readonly OverlayAddress[];
  /** Of the TAP device; `auto` is the egress device's MTU minus the overhead. */
  readonly mtu: number | 'auto';
  /** False when `mtu` is the default: a device that is taken over then keeps its MTU. */
  readonly mtuGiven: boolean;
  /** TCP segments that a SYN may announce: a number of bytes, or what the tunnel carries; false is off. */
  readonly mssClamp: boolean | number;
  readonly learning: boolean;
  /** 0 never ages. */
  readonly ageingSeconds: number;
  readonly offload: Offload;
  readonly safety: SafetyConfig;
  readonly outer: OuterConfig;
  /** Answers ARP requests and neighbour solicitations from the table of neighbours. */
  readonly neighSuppress: boolean;
}

/** An address of a VTEP. */
export interface UnderlayAddress {
  /** Canonical form, with `%interface` when it is link-local. */
  readonly text: string;
  /** 16 bytes, IPv4 mapped into IPv6. */
  readonly bytes: Uint8Array;
  readonly family: 4 | 6;
  /** The scope of an IPv6 link-local address, an interface name; undefined otherwise. */
  readonly interfaceName: string | undefined;
}

/** An address with its prefix length, for a TAP device. */
export interface OverlayAddress {
  /** Canonical form, `10.0.0.1/24`. */
  readonly text: string;
  /** 16 bytes, IPv4 mapped into IPv6. */
  readonly bytes: Uint8Array;
  /** 0..32 for IPv4, 0..128 for IPv6. */
  readonly prefixLength: number;
  readonly family: 4 | 6;
}

/** The frames of VLAN `vid`, 1..4094, on the device are those of `vni`, without the tag. */
export interface VlanMapping {
  readonly vid: number;
  readonly vni: number;
}

export interface PortRange {
  readonly low: number;
  readonly high: number;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const UNDERLAYS = ['auto', 'fast', 'portable'] as const;
export type Underlay = (typeof UNDERLAYS)[number];

export const OFFLOADS = ['auto', 'off'] as const;
export type Offload = (typeof OFFLOADS)[number];

/** RFC 7348 section 6.1; `strip` is what it recommends, `pass` what the Linux kernel does. */
export const VLAN_POLICIES = ['pass', 'strip', 'drop'] as const;
export type VlanPolicy = (typeof VLAN_POLICIES)[number];

/** What the command line may lay over a file. */
export type ConfigOverrides = {
  -readonly [Key in 'workers' | 'socket' | 'logLevel' | 'underlay' | 'offload']?: Config[Key];
};

export const DEFAULT_SOCKET = '/run/vtepd/vtepd.sock';
export const DEFAULT_WORKERS = 'auto';
export const DEFAULT_LOG_LEVEL: LogLevel = 'info';
export const DEFAULT_UNDERLAY: Underlay = 'auto';
export const DEFAULT_OFFLOAD: Offload = 'auto';
export const DEFAULT_TRANSMIT_SOCKETS = 16;
/** RFC 7348 section 5 recommends the dynamic range for the outer source port. */
export const DEFAULT_SOURCE_PORTS: PortRange = { low: 49152, high: 65535 };
/** `ip link add … type vxlan` without `dstport` uses 8472. */
export const DEFAULT_PORT = VXLAN_PORT;
export const DEFAULT_MTU = 'auto';
export const DEFAULT_MSS_CLAMP = false;
export const DEFAULT_LEARNING = true;
export const DEFAULT_AGEING_SECONDS = 300;
/** As far as the kernel's device sends multicast: the own segment. */
export const DEFAULT_MULTICAST_TTL = 1;
export const DEFAULT_NEIGH_SUPPRESS = false;

export const VNI_MIN = 1;
export const PORT_MAX = 65535;
export const WORKERS_MAX = 64;
export const TRANSMIT_SOCKETS_MAX = 64;
/** Least MTU of IPv4, RFC 791; also the kernel's for a TAP. */
export const MTU_MIN = 68;
/** Least MTU of IPv6, RFC 8200 section 5. */
export const MTU_MIN_IPV6 = 1280;
/** What fits an IPv4 datagram of 65,535 bytes beside 20 IPv4 + 8 UDP + 8 VXLAN + 14 Ethernet. */
export const MTU_MAX = 65485;
/** The least that Linux believes, TCP_MIN_MSS of net/tcp.h. */
export const MSS_MIN = 88;
/** A year: enough for anybody, and far from the end of the FDB's 32-bit seconds. */
export const AGEING_SECONDS_MAX = 31_536_000;
export const TUNNELS_MAX = 4096;
export const REMOTES_MAX = 4096;
/** IFNAMSIZ of linux/if.h without the terminating zero. */
export const INTERFACE_NAME_MAX = 15;
/** `sun_path` of linux/un.h without the terminating zero. */
export const SOCKET_PATH_MAX = 107;
