// Hot path: no allocation, no throw, no await.

/**
 * Overlay to underlay. What happens to a frame, in this order:
 *
 * 1. its length and source MAC are checked; where neighbours are suppressed, a known one is answered for;
 * 2. the FDB says where its destination MAC lives: one remote, a list, or the tunnel's flood list;
 *    our own datagram that came back is recognised;
 * 3. what the sender's stack left is finished: a partial checksum completed, a super-frame segmented;
 * 4. it is encapsulated: VXLAN header in front, ECN copied out, the inner flow's hash chooses the lane;
 *    what is larger than the path to the remote is answered with an ICMP error instead;
 * 5. its datagrams join the transmit plan, which is sent when it is full and after each batch.
 */
import { isList } from '../fdb/destination-lists.ts';
import type { FrameBatch } from '../packet/frame-batch.ts';
import type { Arena } from '../packet/arena.ts';
import { SLOT_FRAME_OFFSET, SLOT_VNET_OFFSET } from '../packet/slot.ts';
import {
  NO_MESSAGE,
  SEND_FULL,
  SEND_TOO_BIG,
  SEND_UNREACHABLE,
  SENT,
  SEGMENTS_MAX,
  type TransmitPlan,
} from '../packet/transmit-plan.ts';
import type { Sum } from '../wire/checksum-simd.ts';
import { encapsulateEcn } from '../wire/ecn.ts';
import { ETHERNET_HEADER_LENGTH, ETHERNET_SOURCE_OFFSET } from '../wire/ethernet.ts';
import { isMulticastMac, isZeroMac, readMacHigh, readMacLowSigned } from '../wire/mac.ts';
import { VXLAN_HEADER_LENGTH } from '../wire/vxlan.ts';
import {
  VIRTIO_NET_HDR_GSO_ECN,
  VIRTIO_NET_HDR_GSO_NONE,
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  readVnetFlags,
  readVnetGsoSize,
  readVnetGsoType,
} from '../wire/virtio-net.ts';
import type { Answers } from './answers.ts';
import { completeChecksum } from './checksum-offload.ts';
import { CircularFrames } from './circular.ts';
import { COUNTER_TX_PACKETS } from './counters.ts';
import type { UnderlaySender } from './devices.ts';
import {
  DROP_CIRCULAR_ROUTE,
  DROP_MTU,
  DROP_NO_REMOTE,
  DROP_SEND_FAILED,
  DROP_SOCK_FULL,
  DROP_TX_MALFORMED,
  DROP_TX_SHORT,
  DROP_TX_SMAC_INVALID,
  DROP_UNREACHABLE,
} from './drop-reasons.ts';
import { flowHash } from './flow-hash.ts';
import { InheritedHeader } from './inherited-header.ts';
import { InnerPacket } from './inner-packet.ts';
import { clampMss } from './mss-clamp.ts';
import { NeighbourSuppressor } from './neighbour-suppressor.ts';
import { INHERIT_DF, INHERIT_FLOW_LABEL, INHERIT_TTL } from './outer-table.ts';
import { PathLimit } from './path-limit.ts';
import { payloadSum } from './payload-sum.ts';
import { SEGMENT_NO_ROOM, type Segmenter } from './segment.ts';
import type { SharedTables } from './shared-tables.ts';

export const NO_LANES = -1;
const NO_DESTINATION = -1;
/** Of {@link Transmitter}: the frame is our own and must not be sent again. */
const CIRCULAR = -3;

export class Transmitter {
  /** First lane of each tunnel by address family, NO_LANES where its underlay does not speak it. */
  readonly lanes4: Int32Array;
  readonly lanes6: Int32Array;
  /** Of IPv4, for frames without DF of a tunnel whose datagrams inherit it. */
  readonly lanes4WithoutDf: Int32Array;

  readonly #worker: number;
  readonly #arena: Arena;
  readonly #sum: Sum;
  readonly #tables: SharedTables;
  readonly #plan: TransmitPlan;
  readonly #segmenter: Segmenter;
  readonly #sender: UnderlaySender;
  readonly #answers: Answers;
  readonly #lanesPerPool: number;
  readonly #inner = new InnerPacket();
  readonly #inherited = new InheritedHeader();
  readonly #circular: CircularFrames;
  readonly #pathLimit: PathLimit;
  readonly #neighbours: NeighbourSuppressor;

  // The tunnel in hand.
  #tunnel = 0;
  #inherit = 0;
  #dscp = 0;
  #suppresses = false;

  // The frame in hand.
  #hash = 0;
  #tos = 0;
  #vni = 0;
  #nowSeconds = 0;

  /**
   * `lanesPerPool` is the number of transmit sockets that each underlay address has; `answers` takes what
   * goes back to the device that a frame came from.
   */
  constructor(
    worker: number,
    tables: SharedTables,
    plan: TransmitPlan,
    segmenter: Segmenter,
    sender: UnderlaySender,
    lanesPerPool: number,
    answers: Answers,
  ) {
    this.#worker = worker;
    this.#arena = plan.arena;
    this.#sum = payloadSum(plan.arena);
    this.#tables = tables;
    this.#plan = plan;
    this.#segmenter = segmenter;
    this.#sender = sender;
    this.#lanesPerPool = lanesPerPool;
    this.#answers = answers;
    this.#circular = new CircularFrames(tables.remotes);
    this.#pathLimit = new PathLimit(tables, answers);
    this.#neighbours = new NeighbourSuppressor(worker, tables, answers);
    this.lanes4 = new Int32Array(tables.tunnels.capacity).fill(NO_LANES);
    this.lanes6 = new Int32Array(tables.tunnels.capacity).fill(NO_LANES);
    this.lanes4WithoutDf = new Int32Array(tables.tunnels.capacity).fill(NO_LANES);
  }

  /**
   * Sends all frames of `batch`, read from the device of `tunnel`; nothing of the batch is needed
   * afterwards.
   */
  transmit(batch: FrameBatch, tunnel: number, nowSeconds: number): void {
    this.#tunnel = tunnel;
    this.#nowSeconds = nowSeconds;
    this.#suppresses = this.#tables.tunnels.suppresses(tunnel);
    this.#plan.segmentsMax = this.#tables.tunnels.segments(tunnel) ? SEGMENTS_MAX : 1;
    const { outer } = this.#tables.tunnels;
    this.#inherit = outer.inherit(tunnel);
    this.#dscp = outer.tos(tunnel);
    this.#plan.outerTtl = outer.ttl(tunnel);
    this.#plan.outerFlowLabel = outer.flowLabel(tunnel);
    for (let index = 0; index < batch.count; index += 1) {
      this.#frame(batch.slots[index]!, batch.lengths[index]!, nowSeconds);
    }
    this.#flush();
    this.#segmenter.reset();
    this.#answers.flush();
  }

  /** Forgets a batch that could not be finished. */
  discard(): void {
    this.#plan.clear();
    this.#segmenter.reset();
    this.#answers.discard();
  }

  #frame(slot: number, length: number, nowSeconds: number): void {
    const { view } = this.#arena;
    const frame = slot + SLOT_FRAME_OFFSET;
    if (length < ETHERNET_HEADER_LENGTH) return this.#drop(DROP_TX_SHORT, 1);
    const sourceHigh = readMacHigh(view, frame + ETHERNET_SOURCE_OFFSET);
    if (
      isMulticastMac(sourceHigh) ||
      isZeroMac(sourceHigh, readMacLowSigned(view, frame + ETHERNET_SOURCE_OFFSET))
    ) {
      return this.#drop(DROP_TX_SMAC_INVALID, 1);
    }
    if (this.#suppresses && this.#neighbours.take(this.#tunnel, frame, length, nowSeconds)) return;
    const { fdb, lists, tunnels } = this.#tables;
    this.#vni = tunnels.vni(this.#tunnel);
    const destination = this.#lookup(readMacHigh(view, frame), readMacLowSigned(view, frame));
    if (destination === NO_DESTINATION) return this.#drop(DROP_NO_REMOTE, 1);
    const matched = fdb.matchedSlot;
    const pieces = this.#prepare(slot, length);
    if (pieces === CIRCULAR) return this.#drop(DROP_CIRCULAR_ROUTE, 1);
    if (pieces < 0) return this.#drop(DROP_TX_MALFORMED, 1);
    fdb.touch(matched, nowSeconds, pieces);
    if (!isList(destination)) return this.#sendTo(destination);
    const count = lists.length(destination);
    if (count === 0) return this.#drop(DROP_NO_REMOTE, 1);
    for (let index = 0; index < count; index += 1) this.#sendTo(lists.at(destination, index));
  }

  /** Known unicast and multicast first; the rest takes the all-zeros entry, the tunnel's flood list. */
  #lookup(macHigh: number, macLow: number): number {
    const { fdb } = this.#tables;
    const destination = fdb.lookup(this.#vni, macHigh, macLow);
    return destination !== NO_DESTINATION ? destination : fdb.lookup(this.#vni, 0, 0);
  }

  /** Finishes and encapsulates the frame; returns its number of pieces, or less than 0 when it cannot be. */
  #prepare(slot: number, length: number): number {
    const { view } = this.#arena;
    const frame = slot + SLOT_FRAME_OFFSET;
    const vnet = slot + SLOT_VNET_OFFSET;
    const inner = this.#inner;
    inner.parse(view, frame, length);
    if (this.#circular.recognises(view, inner, this.#tunnel, this.#vni)) return CIRCULAR;
    this.#hash = flowHash(view, frame, inner);
    this.#tos = this.#dscp | encapsulateEcn(inner.tos);
    if (this.#inherit !== 0) this.#inheritFrom(inner);
    const unfinished = (readVnetFlags(view, vnet) & VIRTIO_NET_HDR_F_NEEDS_CSUM) !== 0;
    const mssLimit = this.#tables.tunnels.mssLimit(this.#tunnel, inner.family);
    if (mssLimit !== 0) clampMss(view, inner, mssLimit, unfinished);
    const gsoType = readVnetGsoType(view, vnet);
    if (gsoType !== VIRTIO_NET_HDR_GSO_NONE)
      return this.#segment(slot, gsoType & ~VIRTIO_NET_HDR_GSO_ECN, readVnetGsoSize(view, vnet));
    if (unfinished && !completeChecksum(view, vnet, frame, length, inner, this.#sum)) return -1;
    this.#segmenter.whole(slot, length, this.#vni);
    return 1;
  }

  /** Takes from the inner packet what the tunnel's outer headers inherit. */
  #inheritFrom(inner: InnerPacket): void {
    const plan = this.#plan;
    const inherited = this.#inherited;
    inherited.read(this.#arena.view, inner, this.#inherit);
    this.#tos |= inherited.dscp;
    if ((this.#inherit & INHERIT_TTL) !== 0) plan.outerTtl = inherited.ttl;
    if ((this.#inherit & INHERIT_FLOW_LABEL) !== 0) plan.outerFlowLabel = inherited.flowLabel;
  }

  #segment(slot: number, type: number, size: number): number {
    const pieces = this.#segmenter.segment(slot, this.#inner, type, size, this.#vni);
    if (pieces !== SEGMENT_NO_ROOM) return pieces;
    this.#flush();
    this.#segmenter.reset();
    return this.#segmenter.segment(slot, this.#inner, type, size, this.#vni);
  }

  /** Adds the pieces of the frame in hand to the plan, for one remote. */
  #sendTo(remote: number): void {
    const { remotes } = this.#tables;
    const plan = this.#plan;
    const { headOffset, headLength, tailOffset, tailLength, count } = this.#segmenter;
    const tunnel = this.#tunnel;
    const base = remotes.family(remote) === 4 ? this.#lanes4(tunnel) : this.lanes6[tunnel]!;
    if (base === NO_LANES) return this.#drop(DROP_UNREACHABLE, count);
    if (!this.#pathLimit.admits(this.#segmenter, tunnel, remote, this.#nowSeconds)) {
      return this.#drop(DROP_MTU, count);
    }
    const lane = base + (this.#hash % this.#lanesPerPool);
    const vni = remotes.vni(remote);
    if (vni !== this.#vni) {
      // Datagrams that wait in the plan share these headers: they leave first.
      this.#flush();
      this.#segmenter.rewriteVni(vni);
      this.#vni = vni;
    }
    for (let piece = 0; piece < count; piece += 1) {
      const size = headLength[piece]! + tailLength[piece]!;
      let message = plan.open(lane, tunnel, remote, this.#tos, size);
      if (message === NO_MESSAGE) {
        this.#flush();
        message = plan.open(lane, tunnel, remote, this.#tos, size);
      }
      plan.add(message, headOffset[piece]!, headLength[piece]!);
      if (tailLength[piece]! > 0) plan.add(message, tailOffset[piece]!, tailLength[piece]!);
    }
  }

  #lanes4(tunnel: number): number {
    const inherits = (this.#inherit & INHERIT_DF) !== 0;
    if (inherits && !this.#inherited.dontFragment) return this.lanes4WithoutDf[tunnel]!;
    return this.lanes4[tunnel]!;
  }

  /** Sends the plan and counts what became of it. */
  #flush(): void {
    const plan = this.#plan;
    if (plan.count === 0) return;
    const failuresBefore = plan.segmentationFailures;
    this.#sender.send(plan);
    const { counters, tunnels } = this.#tables;
    if (plan.segmentationFailures !== failuresBefore) tunnels.failSegmentation(this.#tunnel);
    for (let message = 0; message < plan.count; message += 1) {
      const tunnel = plan.tunnel[message]!;
      const segments = plan.segments[message]!;
      const result = plan.result[message]!;
      if (result === SENT) {
        const bytes = plan.bytes[message]! - segments * VXLAN_HEADER_LENGTH;
        counters.traffic(
          this.#worker,
          tunnel,
          plan.remote[message]!,
          COUNTER_TX_PACKETS,
          segments,
          bytes,
        );
      } else {
        if (result === SEND_TOO_BIG) this.#pathLimit.learn(plan, message, this.#nowSeconds);
        counters.drop(this.#worker, tunnel, dropReason(result), segments);
      }
    }
    plan.clear();
  }

  #drop(reason: number, frames: number): void {
    this.#tables.counters.drop(this.#worker, this.#tunnel, reason, frames);
  }
}

function dropReason(result: number): number {
  if (result === SEND_TOO_BIG) return DROP_MTU;
  if (result === SEND_UNREACHABLE) return DROP_UNREACHABLE;
  return result === SEND_FULL ? DROP_SOCK_FULL : DROP_SEND_FAILED;
}
