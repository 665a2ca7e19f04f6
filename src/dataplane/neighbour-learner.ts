// Hot path: no allocation, no throw, no await.
import {
  NEIGHBOUR_ROUTER,
  SAYS_ALL,
  SAYS_MAC_ONLY,
  SAYS_WEAKLY,
  NEIGHBOUR_ADDED,
  NEIGHBOUR_CHANGED,
} from '../fdb/neighbour-rows.ts';
import type { Arena } from '../packet/arena.ts';
import {
  ARP_REPLY,
  ARP_REQUEST,
  ARP_SENDER_IP_OFFSET,
  ARP_SENDER_MAC_OFFSET,
  isArpIpv4,
  isHostIpv4,
  readArpOperation,
} from '../wire/arp.ts';
import {
  ETHERNET_HEADER_LENGTH,
  ETHERNET_SOURCE_OFFSET,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  readEtherType,
} from '../wire/ethernet.ts';
import { IPV6_NEXT_HEADER_OFFSET, IPV6_HEADER_LENGTH, IPV6_SOURCE_OFFSET } from '../wire/ipv6.ts';
import { IPV4_MAPPED_OFFSET } from '../wire/ip.ts';
import { readMacHigh, readMacLowSigned } from '../wire/mac.ts';
import {
  IPPROTO_ICMPV6,
  isHostIpv6,
  NA_OVERRIDE,
  NA_ROUTER,
  naFlags,
  ndLinkLayerOption,
  ndTargetOffset,
  NEIGHBOUR_SOLICITATION,
  neighbourMessage,
  OPTION_SOURCE_LINK_LAYER,
  OPTION_TARGET_LINK_LAYER,
} from '../wire/ndp.ts';
import { COUNTER_NEIGH_LEARNED } from './counters.ts';
import type { SharedTables } from './shared-tables.ts';

const NOTHING = -1;

/**
 * Fills the table of neighbours with what ARP and neighbour discovery say of their senders. One object
 * per worker and direction.
 *
 * Believed is only what the sender says of itself: the MAC in the message must be the frame's source, and the
 * address one that a host can have, so not that of a probe (RFC 5227) or of duplicate address detection.
 * Frames with a VLAN tag are left alone: their addresses are those of another network.
 */
export class NeighbourLearner {
  readonly #worker: number;
  readonly #tables: SharedTables;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  /** An IPv4 address in the form that the table wants. */
  readonly #mapped = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]);

  constructor(worker: number, tables: SharedTables, arena: Arena) {
    this.#worker = worker;
    this.#tables = tables;
    this.#view = arena.view;
    this.#bytes = arena.bytes;
  }

  /**
   * Looks at a frame whose source MAC is valid; `side` is NEIGHBOUR_LOCAL for one that the tunnel's own
   * device sent, else 0.
   */
  look(tunnel: number, frame: number, length: number, side: number, nowSeconds: number): void {
    const etherType = readEtherType(this.#view, frame);
    const l3 = frame + ETHERNET_HEADER_LENGTH;
    const available = length - ETHERNET_HEADER_LENGTH;
    if (etherType === ETHERTYPE_ARP) this.#arp(tunnel, l3, available, side, nowSeconds);
    else if (
      etherType === ETHERTYPE_IPV6 &&
      available >= IPV6_HEADER_LENGTH &&
      this.#view.getUint8(l3 + IPV6_NEXT_HEADER_OFFSET) === IPPROTO_ICMPV6
    ) {
      this.#nd(tunnel, l3, available, side, nowSeconds);
    }
  }

  #arp(tunnel: number, arp: number, available: number, side: number, nowSeconds: number): void {
    const view = this.#view;
    if (!isArpIpv4(view, arp, available)) return;
    const operation = readArpOperation(view, arp);
    if (operation !== ARP_REQUEST && operation !== ARP_REPLY) return;
    if (!this.#isSource(arp - ETHERNET_HEADER_LENGTH, arp + ARP_SENDER_MAC_OFFSET)) return;
    const address = view.getInt32(arp + ARP_SENDER_IP_OFFSET);
    if (!isHostIpv4(address)) return;
    const mapped = this.#mapped;
    mapped[IPV4_MAPPED_OFFSET] = address >>> 24;
    mapped[IPV4_MAPPED_OFFSET + 1] = address >>> 16;
    mapped[IPV4_MAPPED_OFFSET + 2] = address >>> 8;
    mapped[IPV4_MAPPED_OFFSET + 3] = address;
    const mac = arp + ARP_SENDER_MAC_OFFSET;
    this.#note(tunnel, mapped, 0, mac, side, SAYS_ALL, nowSeconds);
  }

  #nd(tunnel: number, l3: number, available: number, side: number, nowSeconds: number): void {
    const view = this.#view;
    const type = neighbourMessage(view, l3, available);
    if (type === NOTHING) return;
    const isNs = type === NEIGHBOUR_SOLICITATION;
    const address = isNs ? l3 + IPV6_SOURCE_OFFSET : ndTargetOffset(l3);
    if (!isHostIpv6(view, address)) return;
    const option = isNs ? OPTION_SOURCE_LINK_LAYER : OPTION_TARGET_LINK_LAYER;
    const mac = ndLinkLayerOption(view, l3, option);
    if (mac === NOTHING || !this.#isSource(l3 - ETHERNET_HEADER_LENGTH, mac)) return;
    if (isNs) {
      // A solicitation does not say whether its sender is a router. An answer with a wrong R flag would take
      // a host its default route (RFC 4861 §7.2.5): so advertisements make entries, solicitations do not.
      this.#note(tunnel, this.#bytes, address, mac, side, SAYS_MAC_ONLY, nowSeconds);
      return;
    }
    const flags = naFlags(view, l3);
    const says = (flags & NA_OVERRIDE) !== 0 ? SAYS_ALL : SAYS_WEAKLY;
    const router = (flags & NA_ROUTER) !== 0 ? NEIGHBOUR_ROUTER : 0;
    this.#note(tunnel, this.#bytes, address, mac, side | router, says, nowSeconds);
  }

  /** True when the MAC at `mac` is the source of the frame. */
  #isSource(frame: number, mac: number): boolean {
    const view = this.#view;
    const source = frame + ETHERNET_SOURCE_OFFSET;
    return (
      readMacLowSigned(view, mac) === readMacLowSigned(view, source) &&
      readMacHigh(view, mac) === readMacHigh(view, source)
    );
  }

  #note(
    tunnel: number,
    bytes: Uint8Array,
    address: number,
    mac: number,
    flags: number,
    says: number,
    nowSeconds: number,
  ): void {
    const { neighbours, counters } = this.#tables;
    const macHigh = readMacHigh(this.#view, mac);
    const macLow = readMacLowSigned(this.#view, mac);
    const outcome = neighbours.learn(
      tunnel,
      bytes,
      address,
      macHigh,
      macLow,
      flags,
      says,
      nowSeconds,
    );
    if (outcome === NEIGHBOUR_ADDED || outcome === NEIGHBOUR_CHANGED) {
      counters.increment(this.#worker, tunnel, COUNTER_NEIGH_LEARNED);
    }
  }
}
