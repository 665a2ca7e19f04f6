/** What `ip -d link show` prints of interfaces, read with one question for all of them. */
import { formatMac, readMacHigh, readMacLow } from '../wire/mac.ts';
import { netlinkFailure, netlinkRequest } from './netlink.ts';
import {
  RequestBuilder,
  numberAttribute,
  parseAttributes,
  textAttribute,
  type NetlinkMessage,
} from './netlink-message.ts';
import * as uapi from './uapi.ts';

/** linux/rtnetlink.h, struct ifinfomsg: family, pad, type (16), index, flags, change mask. */
const IFINFOMSG_LENGTH = 16;
const INDEX_OFFSET = 4;
const FLAGS_OFFSET = 8;

/** linux/if.h, IFF_*, in the order in which ip prints them; IFF_UP and what follows comes last. */
const FLAGS: readonly (readonly [number, string])[] = [
  [0x8, 'LOOPBACK'],
  [0x2, 'BROADCAST'],
  [0x10, 'POINTOPOINT'],
  [0x1000, 'MULTICAST'],
  [0x80, 'NOARP'],
  [0x200, 'ALLMULTI'],
  [0x100, 'PROMISC'],
  [0x400, 'MASTER'],
  [0x800, 'SLAVE'],
  [0x4, 'DEBUG'],
  [0x8000, 'DYNAMIC'],
  [0x4000, 'AUTOMEDIA'],
  [0x2000, 'PORTSEL'],
  [0x20, 'NOTRAILERS'],
  [0x1, 'UP'],
  [0x10000, 'LOWER_UP'],
  [0x20000, 'DORMANT'],
  [0x40000, 'ECHO'],
];
const FLAG_UP = 0x1;
const FLAG_RUNNING = 0x40;

/** linux/if.h, IF_OPER_*. */
const OPERSTATES = ['UNKNOWN', 'NOTPRESENT', 'DOWN', 'LOWERLAYERDOWN', 'TESTING', 'DORMANT', 'UP'];
const LINKMODES = ['DEFAULT', 'DORMANT'];

/** In the words of `ip -j -d link show`. */
export interface LinkDetails {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly qdisc: string;
  /** Index of the bridge or bond it belongs to. */
  readonly master: number | undefined;
  readonly operstate: string;
  readonly linkmode: string;
  readonly group: string;
  readonly txqlen: number;
  readonly address: string;
  readonly broadcast: string;
  readonly min_mtu: number;
  readonly max_mtu: number;
}

/** Every interface of the network namespace by its index. Throws ERR_SYSCALL. */
export function listLinkDetails(): Map<number, LinkDetails> {
  const request = new RequestBuilder(Buffer.alloc(IFINFOMSG_LENGTH));
  request.uint32(uapi.IFLA_EXT_MASK, uapi.RTEXT_FILTER_SKIP_STATS);
  try {
    const messages = netlinkRequest(uapi.RTM_GETLINK, uapi.NLM_F_DUMP, request);
    return new Map(messages.map(parseDetails).map((link) => [link.ifindex, link]));
  } catch (error) {
    throw netlinkFailure('list the interfaces', error);
  }
}

/** The details in one RTM_NEWLINK message. */
export function parseDetails({ body }: NetlinkMessage): LinkDetails {
  const attributes = parseAttributes(body, IFINFOMSG_LENGTH);
  const number = (type: number): number => numberAttribute(attributes, type) ?? 0;
  const group = number(uapi.IFLA_GROUP);
  return {
    ifindex: body.readInt32LE(INDEX_OFFSET),
    ifname: textAttribute(attributes, uapi.IFLA_IFNAME) ?? '',
    flags: flagNames(body.readUInt32LE(FLAGS_OFFSET)),
    mtu: number(uapi.IFLA_MTU),
    qdisc: textAttribute(attributes, uapi.IFLA_QDISC) ?? '',
    master: numberAttribute(attributes, uapi.IFLA_MASTER),
    operstate: OPERSTATES[number(uapi.IFLA_OPERSTATE)] ?? 'UNKNOWN',
    linkmode: LINKMODES[number(uapi.IFLA_LINKMODE)] ?? 'DEFAULT',
    group: group === 0 ? 'default' : String(group),
    txqlen: number(uapi.IFLA_TXQLEN),
    address: macText(attributes.get(uapi.IFLA_ADDRESS)),
    broadcast: macText(attributes.get(uapi.IFLA_BROADCAST)),
    min_mtu: number(uapi.IFLA_MIN_MTU),
    max_mtu: number(uapi.IFLA_MAX_MTU),
  };
}

function flagNames(flags: number): string[] {
  const names = FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  return (flags & FLAG_UP) !== 0 && (flags & FLAG_RUNNING) === 0 ? ['NO-CARRIER', ...names] : names;
}

function macText(bytes: Buffer | undefined): string {
  if (bytes?.length !== 6) return '';
  const view = new DataView(bytes.buffer, bytes.byteOffset, 6);
  return formatMac(readMacHigh(view, 0), readMacLow(view, 0));
}
