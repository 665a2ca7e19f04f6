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
import { NO_MESSAGE, SEGMENTS_MAX, type TransmitPlan } from '../packet/transmit-plan.ts';
import type { Sum } from '../wire/checksum-simd.ts';
import { ETHERNET_HEADER_LENGTH, ETHERNET_SOURCE_OFFSET } from '../wire/ethernet.ts';
import { isMulticastMac, isSourceMac, readMacHigh, readMacLowSigned } from '../wire/mac.ts';
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
import type { UnderlaySender } from './devices.ts';
import {
  DROP_CIRCULAR_ROUTE,
  DROP_MTU,
  DROP_NONE,
  DROP_NO_REMOTE,
  DROP_TX_MALFORMED,
  DROP_TX_SHORT,
  DROP_TX_SMAC_INVALID,
  DROP_UNKNOWN_UNICAST,
  DROP_UNREACHABLE,
  DROP_VLAN_TAG,
} from './drop-reasons.ts';
import { flowHash } from './flow-hash.ts';
import { InnerPacket } from './inner-packet.ts';
import { clampMss } from './mss-clamp.ts';
import { NeighbourSuppressor } from './neighbour-suppressor.ts';
import { OuterHeader } from './outer-header.ts';
import { PathLimit } from './path-limit.ts';
import { payloadSum } from './payload-sum.ts';
import { SEGMENT_NO_ROOM, type Segmenter } from './segment.ts';
import type { SharedTables } from './shared-tables.ts';
import { policeTransmit } from './storm-control.ts';
import { TUNNEL_KNOWN_ONLY, TUNNEL_POLICE_TRANSMIT } from './tunnel-table.ts';
import { countResults } from './transmit-results.ts';
import { VlanFrames } from './vlan-frames.ts';

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
  readonly #outer: OuterHeader;
  readonly #vlanFrames: VlanFrames;
  readonly #circular: CircularFrames;
  readonly #pathLimit: PathLimit;
  readonly #neighbours: NeighbourSuppressor;

  // The tunnel in hand.
  #tunnel = 0;
  #suppresses = false;

  // The frame in hand.
  #hash = 0;
  #vni = 0;
  /** Its destination MAC has an entry of its own. */
  #isKnown = false;
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
    this.#outer = new OuterHeader(tables.tunnels.outer, plan);
    this.#vlanFrames = new VlanFrames(tables.vlans);
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
    const vlanMode = this.#tables.vlans.mode(tunnel);
    this.#outer.begin(tunnel);
    for (let index = 0; index < batch.count; index += 1) {
      const slot = batch.slots[index]!;
      const length = batch.lengths[index]!;
      if (vlanMode === 0) this.#frame(slot, length);
      else this.#vlanFrame(slot, length, tunnel, vlanMode);
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

  /** A frame from a device that does not pass every tag. */
  #vlanFrame(slot: number, length: number, device: number, mode: number): void {
    const frames = this.#vlanFrames;
    const isWanted = frames.take(this.#arena.view, slot, length, device, mode);
    this.#tunnel = frames.tunnel;
    if (isWanted) this.#frame(frames.slot, frames.length);
    else this.#drop(DROP_VLAN_TAG, 1);
  }

  #frame(slot: number, length: number): void {
    const { view } = this.#arena;
    const frame = slot + SLOT_FRAME_OFFSET;
    if (length < ETHERNET_HEADER_LENGTH) return this.#drop(DROP_TX_SHORT, 1);
    if (!isSourceMac(view, frame + ETHERNET_SOURCE_OFFSET))
      return this.#drop(DROP_TX_SMAC_INVALID, 1);
    if (this.#suppresses && this.#neighbours.take(this.#tunnel, frame, length, this.#nowSeconds))
      return;
    const { fdb, lists, tunnels } = this.#tables;
    this.#vni = tunnels.vni(this.#tunnel);
    const macHigh = readMacHigh(view, frame);
    const destination = this.#lookup(macHigh, readMacLowSigned(view, frame));
    if (!this.#isKnown && !isMulticastMac(macHigh) && tunnels.has(this.#tunnel, TUNNEL_KNOWN_ONLY))
      return this.#drop(DROP_UNKNOWN_UNICAST, 1);
    if (destination === NO_DESTINATION) return this.#drop(DROP_NO_REMOTE, 1);
    const matched = fdb.matchedSlot;
    const pieces = this.#prepare(slot, length);
    if (pieces === CIRCULAR) return this.#drop(DROP_CIRCULAR_ROUTE, 1);
    if (pieces < 0) return this.#drop(DROP_TX_MALFORMED, 1);
    if (tunnels.has(this.#tunnel, TUNNEL_POLICE_TRANSMIT) && !this.#mayLeave(frame, pieces)) return;
    fdb.touch(matched, this.#nowSeconds, pieces);
    if (!isList(destination)) return this.#sendTo(destination);
    const count = lists.length(destination);
    if (count === 0) this.#drop(DROP_NO_REMOTE, 1);
    for (let index = 0; index < count; index += 1) this.#sendTo(lists.at(destination, index));
  }

  /** Known unicast and multicast first; the rest takes the all-zeros entry, the tunnel's flood list. */
  #lookup(macHigh: number, macLow: number): number {
    const { fdb } = this.#tables;
    const destination = fdb.lookup(this.#vni, macHigh, macLow);
    this.#isKnown = destination !== NO_DESTINATION;
    return this.#isKnown ? destination : fdb.lookup(this.#vni, 0, 0);
  }

  /** Storm control and bit rate; false when the frame in hand was dropped. */
  #mayLeave(frame: number, pieces: number): boolean {
    const { view } = this.#arena;
    const bytes = this.#segmenter.bytes() - pieces * VXLAN_HEADER_LENGTH;
    const high = readMacHigh(view, frame);
    const low = readMacLowSigned(view, frame);
    const { policers } = this.#tables;
    const tunnel = this.#tunnel;
    const reason = policeTransmit(policers, tunnel, high, low, this.#isKnown, pieces, bytes);
    if (reason === DROP_NONE) return true;
    this.#drop(reason, pieces);
    return false;
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
    this.#outer.take(view, inner);
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
    const lanes4 = this.#outer.withoutDf ? this.lanes4WithoutDf : this.lanes4;
    const base = (remotes.family(remote) === 4 ? lanes4 : this.lanes6)[tunnel]!;
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
      let message = plan.open(lane, tunnel, remote, this.#outer.tos, size);
      if (message === NO_MESSAGE) {
        this.#flush();
        message = plan.open(lane, tunnel, remote, this.#outer.tos, size);
      }
      plan.add(message, headOffset[piece]!, headLength[piece]!);
      if (tailLength[piece]! > 0) plan.add(message, tailOffset[piece]!, tailLength[piece]!);
    }
  }

  /** Sends the plan and counts what became of it. */
  #flush(): void {
    const plan = this.#plan;
    if (plan.count === 0) return;
    const failuresBefore = plan.segmentationFailures;
    this.#sender.send(plan);
    const tables = this.#tables;
    if (plan.segmentationFailures !== failuresBefore) tables.tunnels.failSegmentation(this.#tunnel);
    countResults(plan, tables, this.#worker, this.#pathLimit, this.#nowSeconds);
    plan.clear();
  }

  #drop(reason: number, frames: number): void {
    this.#tables.counters.drop(this.#worker, this.#tunnel, reason, frames);
  }
}
