/** The route the kernel would take, with the MTU it knows for it. */
import { formatIp, isIpv4Mapped } from '../wire/ip.ts';
import { EACCES, EHOSTUNREACH, EINVAL, ENETDOWN, ENODEV, ENETUNREACH } from './errno.ts';
import { NetlinkError, netlinkFailure, netlinkRequest } from './netlink.ts';
import { addressBytes, mappedAddress } from './netlink-address.ts';
import {
  RequestBuilder,
  nestedAttributes,
  numberAttribute,
  parseAttributes,
  type Attributes,
  type NetlinkMessage,
} from './netlink-message.ts';
import * as uapi from './uapi.ts';

/**
 * linux/rtnetlink.h, struct rtmsg: family, destination length, source length, TOS, table … flags.
 */
const RTMSG_LENGTH = 12;

export interface Route {
  /** Index of the interface the packets leave by. */
  readonly oif: number;
  /** MTU of the route or of the path as far as known; absent when only the interface limits it. */
  readonly mtu?: number;
  /** The MTU was learned from the path, by ICMP, and will be forgotten. */
  readonly learned?: true;
  /** Source address the kernel would choose, 16 bytes. */
  readonly preferredSource?: Uint8Array;
}

export interface RouteQuery {
  /** Source address, 16 bytes, of the same family. */
  readonly from?: Uint8Array;
  /** Interface the packets must leave by; needed for IPv6 link-local addresses. */
  readonly oif?: number;
}

/**
 * No route is an answer, not a failure: none, unreachable, blackhole, prohibit, a source not ours, or an
 * interface that has gone.
 */
const NO_ROUTE: ReadonlySet<number> = new Set([
  ENETUNREACH,
  EHOSTUNREACH,
  ENETDOWN,
  ENODEV,
  EINVAL,
  EACCES,
]);

/**
 * The route to an address (16 bytes, IPv4 mapped), or undefined when there is none at the moment.
 */
export function routeTo(address: Uint8Array, query: RouteQuery = {}): Route | undefined {
  const family = isIpv4Mapped(address) ? 4 : 6;
  const bits = family === 4 ? 32 : 128;
  const fixed = Buffer.alloc(RTMSG_LENGTH);
  fixed.writeUInt8(family === 4 ? uapi.AF_INET : uapi.AF_INET6, 0);
  fixed.writeUInt8(bits, 1);
  fixed.writeUInt8(query.from === undefined ? 0 : bits, 2);
  const request = new RequestBuilder(fixed).bytes(uapi.RTA_DST, addressBytes(address, family));
  if (query.from !== undefined) request.bytes(uapi.RTA_SRC, addressBytes(query.from, family));
  if (query.oif !== undefined) request.uint32(uapi.RTA_OIF, query.oif);
  try {
    const message = netlinkRequest(uapi.RTM_GETROUTE, 0, request)[0];
    return message === undefined ? undefined : parseRoute(message);
  } catch (error) {
    if (error instanceof NetlinkError && NO_ROUTE.has(error.errno)) return undefined;
    throw netlinkFailure(`find a route to ${formatIp(address)}`, error);
  }
}

/** The route of one RTM_NEWROUTE message; undefined when it names no interface. */
export function parseRoute(message: NetlinkMessage): Route | undefined {
  const attributes = parseAttributes(message.body, RTMSG_LENGTH);
  const oif = numberAttribute(attributes, uapi.RTA_OIF);
  if (oif === undefined || !USABLE.has(message.body.readUInt8(TYPE_OFFSET))) return undefined;
  const metrics = nestedAttributes(attributes, uapi.RTA_METRICS);
  const mtu = numberAttribute(metrics, uapi.RTAX_MTU);
  const source = attributes.get(uapi.RTA_PREFSRC);
  const preferredSource = source === undefined ? undefined : mappedAddress(source);
  return {
    oif,
    ...(mtu === undefined ? {} : { mtu }),
    ...(mtu !== undefined && isLearned(message.body, attributes) ? { learned: true } : {}),
    ...(preferredSource === undefined ? {} : { preferredSource }),
  };
}

/** What was learned of a path is a cached route that expires (struct rta_cacheinfo, third word). */
function isLearned(body: Buffer, attributes: Attributes): boolean {
  const cache = attributes.get(uapi.RTA_CACHEINFO);
  if (cache === undefined || cache.length < EXPIRES_OFFSET + 4) return false;
  const cloned = (body.readUInt32LE(ROUTE_FLAGS_OFFSET) & uapi.RTM_F_CLONED) !== 0;
  return cloned && cache.readInt32LE(EXPIRES_OFFSET) !== 0;
}

const EXPIRES_OFFSET = 8;
const TYPE_OFFSET = 7;
const ROUTE_FLAGS_OFFSET = 8;
/** IPv6 answers a question about an unreachable address with a route that says so. */
const USABLE: ReadonlySet<number> = new Set([
  uapi.RTN_UNICAST,
  uapi.RTN_LOCAL,
  uapi.RTN_BROADCAST,
  uapi.RTN_ANYCAST,
  uapi.RTN_MULTICAST,
]);
