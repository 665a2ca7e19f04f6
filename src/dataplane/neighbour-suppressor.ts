// Hot path: no allocation, no throw, no await.
import {
  NEIGHBOUR_LOCAL,
  NEIGHBOUR_ROUTER,
  NEIGHBOUR_STATIC,
  NO_NEIGHBOUR,
} from '../fdb/neighbour-rows.ts';
import {
  ARP_LENGTH,
  ARP_REQUEST,
  ARP_SENDER_IP_OFFSET,
  ARP_SENDER_MAC_OFFSET,
  ARP_TARGET_IP_OFFSET,
  isArpIpv4,
  isHostIpv4,
  readArpOperation,
  writeArpReply,
} from '../wire/arp.ts';
import {
  ETHERNET_HEADER_LENGTH,
  ETHERNET_SOURCE_OFFSET,
  ETHERNET_TYPE_OFFSET,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  readEtherType,
} from '../wire/ethernet.ts';
import { IPV4_MAPPED_OFFSET } from '../wire/ip.ts';
import { IPV6_HEADER_LENGTH, IPV6_NEXT_HEADER_OFFSET, IPV6_SOURCE_OFFSET } from '../wire/ipv6.ts';
import { isMulticastMac, readMacHigh, readMacLowSigned, writeMac } from '../wire/mac.ts';
import {
  IPPROTO_ICMPV6,
  isHostIpv6,
  isSourceUnspecified,
  NA_OVERRIDE,
  NA_PACKET_LENGTH,
  NA_ROUTER,
  NA_SOLICITED,
  ndTargetOffset,
  NEIGHBOUR_SOLICITATION,
  neighbourMessage,
  writeNeighbourAdvertisement,
} from '../wire/ndp.ts';
import type { Answers } from './answers.ts';
import { COUNTER_NEIGH_ANSWERED } from './counters.ts';
import { NeighbourLearner } from './neighbour-learner.ts';
import type { SharedTables } from './shared-tables.ts';

const NO_ROOM = -1;

/**
 * ARP and ND suppression: answers requests of the overlay from the table of neighbours, so that they need not
 * be flooded. Works on what comes from the tunnel's own device only.
 *
 * What passes, and why:
 * - requests to a unicast MAC: they ask whether the neighbour is still there, and only it knows (so does
 *   the kernel's bridge);
 * - probes (sender 0.0.0.0, RFC 5227; source ::, RFC 4862) and announcements (sender = target, unsolicited
 *   advertisements): the kernel's bridge holds them back, because a control plane is to spread the news.
 *   Here nobody else would, and a conflict would stay undetected;
 * - requests for a neighbour of this side, which answers for itself;
 * - requests for a learned neighbour whose MAC the FDB does not know (any more): the answer would make the
 *   asker send what has to be flooded, and the neighbour's own answer teaches the FDB;
 * - what has a VLAN tag, is malformed, or asks in somebody else's name.
 */
export class NeighbourSuppressor {
  readonly #worker: number;
  readonly #tables: SharedTables;
  readonly #answers: Answers;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #learner: NeighbourLearner;
  /** An IPv4 address in the form that the table wants. */
  readonly #mapped = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]);

  constructor(worker: number, tables: SharedTables, answers: Answers) {
    this.#worker = worker;
    this.#tables = tables;
    this.#answers = answers;
    this.#view = answers.arena.view;
    this.#bytes = answers.arena.bytes;
    this.#learner = new NeighbourLearner(worker, tables, answers.arena);
  }

  /** True when the frame was a request and is answered: it must not go on. Its source MAC is valid. */
  take(tunnel: number, frame: number, length: number, nowSeconds: number): boolean {
    const view = this.#view;
    const etherType = readEtherType(view, frame);
    if (etherType !== ETHERTYPE_ARP && etherType !== ETHERTYPE_IPV6) return false;
    const l3 = frame + ETHERNET_HEADER_LENGTH;
    const available = length - ETHERNET_HEADER_LENGTH;
    if (etherType === ETHERTYPE_IPV6) {
      if (available < IPV6_HEADER_LENGTH) return false;
      if (view.getUint8(l3 + IPV6_NEXT_HEADER_OFFSET) !== IPPROTO_ICMPV6) return false;
    }
    this.#learner.look(tunnel, frame, length, NEIGHBOUR_LOCAL, nowSeconds);
    if (!isMulticastMac(readMacHigh(view, frame))) return false;
    return etherType === ETHERTYPE_ARP
      ? this.#arp(tunnel, frame, l3, available, nowSeconds)
      : this.#nd(tunnel, frame, l3, available, nowSeconds);
  }

  #arp(tunnel: number, frame: number, arp: number, available: number, nowSeconds: number): boolean {
    const view = this.#view;
    if (!isArpIpv4(view, arp, available) || readArpOperation(view, arp) !== ARP_REQUEST)
      return false;
    const source = frame + ETHERNET_SOURCE_OFFSET;
    const sender = arp + ARP_SENDER_MAC_OFFSET;
    if (
      readMacLowSigned(view, sender) !== readMacLowSigned(view, source) ||
      readMacHigh(view, sender) !== readMacHigh(view, source)
    ) {
      return false;
    }
    const asker = view.getInt32(arp + ARP_SENDER_IP_OFFSET);
    const target = view.getInt32(arp + ARP_TARGET_IP_OFFSET);
    if (asker === target || !isHostIpv4(asker) || !isHostIpv4(target)) return false;
    const mapped = this.#mapped;
    mapped[IPV4_MAPPED_OFFSET] = target >>> 24;
    mapped[IPV4_MAPPED_OFFSET + 1] = target >>> 16;
    mapped[IPV4_MAPPED_OFFSET + 2] = target >>> 8;
    mapped[IPV4_MAPPED_OFFSET + 3] = target;
    if (!this.#knows(tunnel, mapped, 0, source, nowSeconds)) return false;
    const answer = this.#begin(tunnel, source, ETHERTYPE_ARP);
    if (answer === NO_ROOM) return false;
    const { macHigh, macLow } = this.#tables.neighbours;
    writeArpReply(view, answer + ETHERNET_HEADER_LENGTH, arp, macHigh, macLow);
    return this.#commit(tunnel, ARP_LENGTH);
  }

  #nd(tunnel: number, frame: number, l3: number, available: number, nowSeconds: number): boolean {
    const view = this.#view;
    if (neighbourMessage(view, l3, available) !== NEIGHBOUR_SOLICITATION) return false;
    if (isSourceUnspecified(view, l3) || !isHostIpv6(view, l3 + IPV6_SOURCE_OFFSET)) return false;
    const target = ndTargetOffset(l3);
    const source = frame + ETHERNET_SOURCE_OFFSET;
    if (!isHostIpv6(view, target)) return false;
    if (!this.#knows(tunnel, this.#bytes, target, source, nowSeconds)) return false;
    const answer = this.#begin(tunnel, source, ETHERTYPE_IPV6);
    if (answer === NO_ROOM) return false;
    const { macHigh, macLow, flags } = this.#tables.neighbours;
    // Override is set, as the kernel's bridge and vxlan device do: the asker has asked because it knows
    // no address or no longer trusts it, and without the flag a wrong one would stay for another round.
    const router = (flags & NEIGHBOUR_ROUTER) !== 0 ? NA_ROUTER : 0;
    const naFlags = NA_SOLICITED | NA_OVERRIDE | router;
    writeNeighbourAdvertisement(
      view,
      answer + ETHERNET_HEADER_LENGTH,
      l3,
      naFlags,
      macHigh,
      macLow,
    );
    return this.#commit(tunnel, NA_PACKET_LENGTH);
  }

  /** True when the table has an entry for the address that may answer the owner of the MAC at `source`. */
  #knows(
    tunnel: number,
    bytes: Uint8Array,
    offset: number,
    source: number,
    nowSeconds: number,
  ): boolean {
    const view = this.#view;
    const { neighbours, fdb, tunnels } = this.#tables;
    const row = neighbours.lookup(tunnel, bytes, offset);
    if (row === NO_NEIGHBOUR || (neighbours.flags & NEIGHBOUR_LOCAL) !== 0) return false;
    const { macHigh, macLow } = neighbours;
    // The asker's own address: somebody looks for a duplicate of it, and nobody may answer in its name.
    if (macLow === readMacLowSigned(view, source) && macHigh === readMacHigh(view, source)) {
      return false;
    }
    if (
      (neighbours.flags & NEIGHBOUR_STATIC) === 0 &&
      fdb.lookup(tunnels.vni(tunnel), macHigh, macLow) < 0
    ) {
      return false;
    }
    neighbours.touch(row, nowSeconds);
    return true;
  }

  /**
   * Begins an answer from the neighbour that was looked up to the MAC at `source`. The kernel sends
   * advertisements to the solicitation's source link-layer option: this is the frame's source, so that nobody
   * can have somebody else answered.
   */
  #begin(tunnel: number, source: number, etherType: number): number {
    const view = this.#view;
    const answer = this.#answers.begin(tunnel);
    if (answer === NO_ROOM) return NO_ROOM;
    const { macHigh, macLow } = this.#tables.neighbours;
    writeMac(view, answer, readMacHigh(view, source), readMacLowSigned(view, source));
    writeMac(view, answer + ETHERNET_SOURCE_OFFSET, macHigh, macLow);
    view.setUint16(answer + ETHERNET_TYPE_OFFSET, etherType);
    return answer;
  }

  #commit(tunnel: number, length: number): boolean {
    this.#answers.commit(ETHERNET_HEADER_LENGTH + length);
    this.#tables.counters.increment(this.#worker, tunnel, COUNTER_NEIGH_ANSWERED);
    return true;
  }
}
