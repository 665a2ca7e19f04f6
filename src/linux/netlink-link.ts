/** Network interfaces: what they are, and their few settings that we touch. */
import { VtepError } from '../base/errors.ts';
import { MAC_LENGTH, formatMac, readMacHigh, readMacLow, writeMac, type Mac } from '../wire/mac.ts';
import { EINVAL, ENODEV, EPERM } from './errno.ts';
import { NetlinkError, netlinkFailure, netlinkRequest } from './netlink.ts';
import {
  RequestBuilder,
  nestedAttributes,
  numberAttribute,
  parseAttributes,
  textAttribute,
  type Attributes,
  type NetlinkMessage,
} from './netlink-message.ts';
import * as uapi from './uapi.ts';

/** linux/rtnetlink.h, struct ifinfomsg: family, pad, type (16), index, flags, change mask. */
const IFINFOMSG_LENGTH = 16;
const INDEX_OFFSET = 4;
const FLAGS_OFFSET = 8;
const CHANGE_OFFSET = 12;

const NAME_BYTES_MAX = uapi.IFNAMSIZ - 1;

/**
 * What a tun or TAP device says of itself (linux/if_link.h, IFLA_TUN_*); absent before Linux 4.18.
 */
export interface TunInfo {
  readonly type: 'tun' | 'tap';
  readonly persistent: boolean;
  readonly multiQueue: boolean;
  /**
   * Descriptors attached now, detached queues included; 0 for a device without multi_queue, which
   * does not tell.
   */
  readonly queues: number;
}

/** What a kernel vxlan device says of itself. */
export interface VxlanInfo {
  readonly vni: number;
  /** UDP port it receives on. */
  readonly port: number;
}

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly mtu: number;
  /** Undefined for a device whose hardware address is not of 6 bytes. */
  readonly mac: Mac | undefined;
  readonly up: boolean;
  /** `tun`, `vxlan`, `veth`, `bridge` …; undefined for hardware and loopback. */
  readonly kind: string | undefined;
  /** Index of the bridge or bond it belongs to. */
  readonly master: number | undefined;
  /** Index of the interface that it is made on, of a VLAN, macvlan or ipvlan. */
  readonly lower: number | undefined;
  readonly tun: TunInfo | undefined;
  readonly vxlan: VxlanInfo | undefined;
}

export interface LinkChange {
  readonly mtu?: number;
  readonly mac?: Mac;
  readonly up?: boolean;
  /** Most segments of a super-frame that the kernel hands to the interface. */
  readonly segments?: number;
}

/** The interface of that name, or undefined. */
export function linkByName(name: string): Link | undefined {
  // The kernel would answer ERANGE: no interface has such a name.
  if (name === '' || Buffer.byteLength(name) > NAME_BYTES_MAX) return undefined;
  return oneLink(linkRequest(0).text(uapi.IFLA_IFNAME, name), `interface '${name}'`);
}

/** The interface of that index, or undefined. */
export function linkByIndex(index: number): Link | undefined {
  return index <= 0 ? undefined : oneLink(linkRequest(index), `interface ${index}`);
}

/** Every interface of the network namespace. */
export function listLinks(): Link[] {
  const request = linkRequest(0).uint32(uapi.IFLA_EXT_MASK, uapi.RTEXT_FILTER_SKIP_STATS);
  try {
    return netlinkRequest(uapi.RTM_GETLINK, uapi.NLM_F_DUMP, request).map(parseLink);
  } catch (error) {
    throw netlinkFailure('list the interfaces', error);
  }
}

/** Index of the interface; throws ERR_NOT_FOUND. */
export function resolveInterface(name: string): number {
  const link = linkByName(name);
  if (link !== undefined) return link.index;
  throw new VtepError('ERR_NOT_FOUND', `Cannot find the interface '${name}'`, {
    hint: 'list them with: ip link',
  });
}

/** Changes what is given and leaves the rest; throws ERR_PERMISSION, ERR_SYSCALL. */
export function setLink(index: number, change: LinkChange): void {
  const { mtu, mac, up, segments } = change;
  const fixed = ifinfomsg(index);
  if (up !== undefined) {
    fixed.writeUInt32LE(up ? uapi.IFF_UP : 0, FLAGS_OFFSET);
    fixed.writeUInt32LE(uapi.IFF_UP, CHANGE_OFFSET);
  }
  const request = new RequestBuilder(fixed);
  if (mtu !== undefined) request.uint32(uapi.IFLA_MTU, mtu);
  if (mac !== undefined) request.bytes(uapi.IFLA_ADDRESS, macBytes(mac));
  if (segments !== undefined) request.uint32(uapi.IFLA_GSO_MAX_SEGS, segments);
  try {
    netlinkRequest(uapi.RTM_NEWLINK, 0, request);
  } catch (error) {
    throw netlinkFailure(
      `set ${describe(change)} of interface ${index}`,
      error,
      hintFor(change, error),
    );
  }
}

function describe({ mtu, mac, up, segments }: LinkChange): string {
  const parts: string[] = [];
  if (mtu !== undefined) parts.push(`mtu ${mtu}`);
  if (mac !== undefined) parts.push(`address ${formatMac(mac.high, mac.low)}`);
  if (up !== undefined) parts.push(up ? 'up' : 'down');
  if (segments !== undefined) parts.push(`gso_max_segs ${segments}`);
  return parts.join(', ');
}

function hintFor({ mtu }: LinkChange, error: unknown): string | undefined {
  if (!(error instanceof NetlinkError)) return undefined;
  if (error.errno === EINVAL && mtu !== undefined) return 'the MTU of a TAP is 68 to 65521';
  return error.errno === EPERM ? 'changing an interface needs CAP_NET_ADMIN' : undefined;
}

function oneLink(request: RequestBuilder, what: string): Link | undefined {
  request.uint32(uapi.IFLA_EXT_MASK, uapi.RTEXT_FILTER_SKIP_STATS);
  try {
    const message = netlinkRequest(uapi.RTM_GETLINK, 0, request)[0];
    return message === undefined ? undefined : parseLink(message);
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === ENODEV) return undefined;
    throw netlinkFailure(`read ${what}`, error);
  }
}

function linkRequest(index: number): RequestBuilder {
  return new RequestBuilder(ifinfomsg(index));
}

function ifinfomsg(index: number): Buffer {
  const fixed = Buffer.alloc(IFINFOMSG_LENGTH);
  fixed.writeInt32LE(index, INDEX_OFFSET);
  return fixed;
}

/** The link of one RTM_NEWLINK message. */
export function parseLink(message: NetlinkMessage): Link {
  const { body } = message;
  const attributes = parseAttributes(body, IFINFOMSG_LENGTH);
  const info = nestedAttributes(attributes, uapi.IFLA_LINKINFO);
  const kind = textAttribute(info, uapi.IFLA_INFO_KIND);
  const data = nestedAttributes(info, uapi.IFLA_INFO_DATA);
  return {
    index: body.readInt32LE(INDEX_OFFSET),
    name: textAttribute(attributes, uapi.IFLA_IFNAME) ?? '',
    mtu: numberAttribute(attributes, uapi.IFLA_MTU) ?? 0,
    mac: parseMacBytes(attributes.get(uapi.IFLA_ADDRESS)),
    up: (body.readUInt32LE(FLAGS_OFFSET) & uapi.IFF_UP) !== 0,
    kind,
    master: numberAttribute(attributes, uapi.IFLA_MASTER),
    lower: STACKED.has(kind) ? numberAttribute(attributes, uapi.IFLA_LINK) : undefined,
    tun: kind === 'tun' ? parseTun(data) : undefined,
    vxlan: kind === 'vxlan' ? parseVxlan(data) : undefined,
  };
}

/** Of other kinds IFLA_LINK means something else: of a veth, its peer, perhaps in another namespace. */
const STACKED: ReadonlySet<string | undefined> = new Set(['vlan', 'macvlan', 'macvtap', 'ipvlan']);

function parseTun(data: Attributes): TunInfo | undefined {
  const type = numberAttribute(data, uapi.IFLA_TUN_TYPE);
  if (type === undefined) return undefined;
  const attached = numberAttribute(data, uapi.IFLA_TUN_NUM_QUEUES) ?? 0;
  const detached = numberAttribute(data, uapi.IFLA_TUN_NUM_DISABLED_QUEUES) ?? 0;
  return {
    type: type === uapi.IFF_TAP ? 'tap' : 'tun',
    persistent: numberAttribute(data, uapi.IFLA_TUN_PERSIST) === 1,
    multiQueue: numberAttribute(data, uapi.IFLA_TUN_MULTI_QUEUE) === 1,
    queues: attached + detached,
  };
}

function parseVxlan(data: Attributes): VxlanInfo {
  const port = data.get(uapi.IFLA_VXLAN_PORT);
  return {
    vni: numberAttribute(data, uapi.IFLA_VXLAN_ID) ?? 0,
    // The one number of these that travels in network order.
    port: port?.length === 2 ? port.readUInt16BE(0) : 0,
  };
}

function parseMacBytes(bytes: Buffer | undefined): Mac | undefined {
  if (bytes?.length !== MAC_LENGTH) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, MAC_LENGTH);
  return { high: readMacHigh(view, 0), low: readMacLow(view, 0) };
}

function macBytes(mac: Mac): Uint8Array {
  const bytes = new Uint8Array(MAC_LENGTH);
  writeMac(new DataView(bytes.buffer), 0, mac.high, mac.low);
  return bytes;
}
