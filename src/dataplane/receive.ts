// Hot path: no allocation, no throw, no await.

/**
 * Underlay to overlay. What happens to a datagram, in this order:
 *
 * 1. what the kernel merged is taken apart (see merged-datagram.ts);
 * 2. its VXLAN header is checked and its VNI names the tunnel;
 * 3. the sender must be an allowed remote of that tunnel;
 * 4. length and source MAC of the inner frame are checked, the outer ECN is combined into it (RFC 6040);
 * 5. the source MAC is learned: it lives behind the outer source address (never: and port);
 * 6. the frame joins the delivery plan, coalesced with the one before where both are TCP of one flow.
 *
 * What arrived from the underlay never returns to it: delivery is to the overlay only (split horizon).
 */
import { ADDRESS_BYTES, type DatagramBatch } from '../packet/datagram-batch.ts';
import { DELIVERED, SUPER_FRAME_REFUSED, type DeliveryPlan } from '../packet/delivery-plan.ts';
import { combineEcn, ECN_MASK } from '../wire/ecn.ts';
import { ETHERNET_HEADER_LENGTH, ETHERNET_SOURCE_OFFSET } from '../wire/ethernet.ts';
import { updateIpv4Tos } from '../wire/ipv4.ts';
import { writeIpv6TrafficClass } from '../wire/ipv6.ts';
import { isMulticastMac, isZeroMac, readMacHigh, readMacLowSigned } from '../wire/mac.ts';
import { isVxlan, readVni, VXLAN_HEADER_LENGTH } from '../wire/vxlan.ts';
import { Coalescer } from './coalesce.ts';
import { COUNTER_RX_PACKETS } from './counters.ts';
import type { OverlayWriter } from './devices.ts';
import {
  DROP_ECN,
  DROP_INNER_SHORT,
  DROP_MALFORMED,
  DROP_NONE,
  DROP_NO_I_FLAG,
  DROP_OWN_ECHO,
  DROP_OWN_MAC,
  DROP_RATE_RECEIVE,
  DROP_REMOTE_DENIED,
  DROP_RESERVED_BITS,
  DROP_SHORT,
  DROP_SMAC_INVALID,
  DROP_TAP_WRITE,
  DROP_VLAN_TAG,
  DROP_VNI_UNKNOWN,
} from './drop-reasons.ts';
import { OWN_ECHO } from './group-senders.ts';
import { InnerPacket } from './inner-packet.ts';
import { Learner, NO_ROW } from './learner.ts';
import { clampReceivedMss } from './mss-clamp.ts';
import { AMBIGUOUS, classifyMerged, SUPER_FRAME } from './merged-datagram.ts';
import { NeighbourLearner } from './neighbour-learner.ts';
import { passUnfinished } from './pass-unfinished.ts';
import { payloadSum } from './payload-sum.ts';
import { POLICE_RECEIVE } from './policers.ts';
import type { SharedTables } from './shared-tables.ts';
import { TUNNEL_ANY_SENDER, TUNNEL_POLICE_RECEIVE } from './tunnel-table.ts';
import { refusesTag, tagForDevice } from './vlan-tag.ts';
import { NO_TUNNEL, type VniMap } from './vni-map.ts';

const STRANGER = -1;

export class Receiver {
  readonly #worker: number;
  readonly #tables: SharedTables;
  readonly #plan: DeliveryPlan;
  readonly #writer: OverlayWriter;
  readonly #view: DataView;
  readonly #inner = new InnerPacket();
  readonly #coalescer: Coalescer;
  readonly #learner: Learner;
  readonly #neighbours: NeighbourLearner;

  // The datagram in hand.
  #outerEcn = 0;
  #nowSeconds = 0;

  // The sender and the source MAC of the frame before, which nearly every frame shares with it.
  #lastTunnel = NO_TUNNEL;
  #lastSender = STRANGER;
  /** The sender has no row yet; the one it has here stands for all of its kind. */
  #isNewcomer = false;
  #learnedHigh = -1;
  #learnedLow = -1;
  /** The sender of the delivery that may grow. */
  #openSender = STRANGER;

  constructor(worker: number, tables: SharedTables, plan: DeliveryPlan, writer: OverlayWriter) {
    this.#worker = worker;
    this.#tables = tables;
    this.#plan = plan;
    this.#writer = writer;
    this.#view = plan.arena.view;
    this.#coalescer = new Coalescer(payloadSum(plan.arena));
    this.#learner = new Learner(worker, tables);
    this.#neighbours = new NeighbourLearner(worker, tables, plan.arena);
  }

  /** Delivers all datagrams of `batch`, received on the socket whose VNIs `vnis` holds. */
  receive(batch: DatagramBatch, vnis: VniMap, nowSeconds: number): void {
    this.#nowSeconds = nowSeconds;
    for (let index = 0; index < batch.count; index += 1) this.#datagram(batch, index, vnis);
    this.#flush();
  }

  /** The tunnel of the newest datagram, NO_TUNNEL when it had none. */
  get newestTunnel(): number {
    return this.#lastTunnel;
  }

  /** Forgets a batch that could not be finished. */
  discard(): void {
    this.#coalescer.discard();
    this.#plan.clear();
  }

  #datagram(batch: DatagramBatch, index: number, vnis: VniMap): void {
    const offset = batch.offsets[index]!;
    const length = batch.lengths[index]!;
    const stride = batch.strides[index]!;
    this.#outerEcn = batch.tos[index]! & ECN_MASK;
    this.#lastTunnel = NO_TUNNEL;
    if (stride === 0 || stride >= length) {
      this.#segment(batch, index, vnis, offset, length, 0);
      return;
    }
    const kind = this.#classify(offset, length, stride);
    if (kind === SUPER_FRAME) {
      this.#segment(batch, index, vnis, offset, length, stride);
    } else if (kind === AMBIGUOUS) {
      this.#dropWithoutTunnel(DROP_MALFORMED);
    } else {
      const end = offset + length;
      for (let at = offset; at < end; at += stride) {
        this.#segment(batch, index, vnis, at, end - at < stride ? end - at : stride, 0);
      }
    }
  }

  #classify(offset: number, length: number, stride: number): number {
    this.#inner.parse(this.#view, offset + VXLAN_HEADER_LENGTH, length - VXLAN_HEADER_LENGTH);
    return classifyMerged(this.#view, offset, length, stride, this.#inner);
  }

  /** One datagram as it was on the wire; `segmentBytes` is not 0 when it holds a UDP super-frame. */
  #segment(
    batch: DatagramBatch,
    index: number,
    vnis: VniMap,
    offset: number,
    length: number,
    segmentBytes: number,
  ): void {
    const view = this.#view;
    const { tunnels, vlans } = this.#tables;
    if (length < VXLAN_HEADER_LENGTH) return this.#dropWithoutTunnel(DROP_SHORT);
    if (!isVxlan(view, offset, length)) return this.#dropWithoutTunnel(DROP_NO_I_FLAG);
    const tunnel = vnis.find(readVni(view, offset));
    if (tunnel === NO_TUNNEL) return this.#dropWithoutTunnel(DROP_VNI_UNKNOWN);
    if (tunnel !== this.#lastTunnel) {
      this.#lastTunnel = tunnel;
      this.#lastSender = this.#senderOf(tunnel, batch.sources, index * ADDRESS_BYTES);
      this.#learnedHigh = -1;
    }
    const sender = this.#lastSender;
    if (sender < 0) {
      return this.#drop(tunnel, sender === OWN_ECHO ? DROP_OWN_ECHO : DROP_REMOTE_DENIED);
    }
    if (tunnels.outer.refuses(tunnel, view, offset)) return this.#drop(tunnel, DROP_RESERVED_BITS);

    let frame = offset + VXLAN_HEADER_LENGTH;
    let frameLength = length - VXLAN_HEADER_LENGTH;
    if (frameLength < ETHERNET_HEADER_LENGTH) return this.#drop(tunnel, DROP_INNER_SHORT);
    const sourceHigh = readMacHigh(view, frame + ETHERNET_SOURCE_OFFSET);
    const sourceLow = readMacLowSigned(view, frame + ETHERNET_SOURCE_OFFSET);
    if (isMulticastMac(sourceHigh) || isZeroMac(sourceHigh, sourceLow)) {
      return this.#drop(tunnel, DROP_SMAC_INVALID);
    }
    if (tunnels.isOwnMac(tunnel, sourceHigh, sourceLow)) return this.#drop(tunnel, DROP_OWN_MAC);
    const vlanMode = vlans.mode(tunnel);
    if (vlanMode !== 0 && refusesTag(view, frame, frameLength, vlanMode))
      return this.#drop(tunnel, DROP_VLAN_TAG);
    this.#inner.parse(view, frame, frameLength);
    if (this.#outerEcn !== 0 && !this.#combineEcn()) return this.#drop(tunnel, DROP_ECN);
    if (tunnels.has(tunnel, TUNNEL_POLICE_RECEIVE)) {
      if (!this.#tables.policers.take(tunnel, POLICE_RECEIVE, frameLength * 8))
        return this.#drop(tunnel, DROP_RATE_RECEIVE);
    }
    if (sourceLow !== this.#learnedLow || sourceHigh !== this.#learnedHigh) {
      const reason = this.#learn(tunnel, sender, sourceHigh, sourceLow);
      if (reason !== DROP_NONE) return this.#drop(tunnel, reason);
    }
    const mssLimit = tunnels.mssLimit(tunnel, this.#inner.family);
    if (mssLimit !== 0) clampReceivedMss(view, this.#inner, mssLimit);
    if (tunnels.suppresses(tunnel)) {
      this.#neighbours.look(tunnel, frame, frameLength, 0, this.#nowSeconds);
    }
    if (vlanMode !== 0) {
      const untagged = frame;
      frame = tagForDevice(view, frame, vlanMode);
      frameLength += untagged - frame;
    }
    this.#deliver(tunnel, sender, frame, frameLength, segmentBytes);
  }

  /**
   * Row of an allowed sender; for a stranger the row of its multicast group or of all strangers, where the
   * tunnel takes them.
   */
  #senderOf(tunnel: number, bytes: Uint8Array, offset: number): number {
    const { remotes, tunnels, strangers, groups } = this.#tables;
    let sender = remotes.findSender(tunnel, bytes, offset);
    this.#isNewcomer = sender === STRANGER;
    if (!this.#isNewcomer) return sender;
    sender = groups.sender(this.#worker, tunnel, bytes, offset);
    if (sender !== STRANGER || !tunnels.has(tunnel, TUNNEL_ANY_SENDER)) return sender;
    return strangers.note(tunnel, bytes, offset);
  }

  /** RFC 6040 section 4.2; false when the frame must be dropped. */
  #combineEcn(): boolean {
    const inner = this.#inner;
    if (inner.family === 0) return true;
    const before = inner.tos & ECN_MASK;
    const after = combineEcn(before, this.#outerEcn);
    if (after < 0) return false;
    if (after === before) return true;
    const tos = (inner.tos & ~ECN_MASK) | after;
    if (inner.family === 4) updateIpv4Tos(this.#view, inner.l3, tos);
    else writeIpv6TrafficClass(this.#view, inner.l3, tos);
    return true;
  }

  #learn(tunnel: number, sender: number, macHigh: number, macLow: number): number {
    const row = this.#isNewcomer ? NO_ROW : sender;
    const reason = this.#learner.learn(tunnel, row, macHigh, macLow, this.#nowSeconds);
    if (!this.#learner.isSettled) return reason;
    this.#learnedHigh = macHigh;
    this.#learnedLow = macLow;
    return reason;
  }

  #deliver(
    tunnel: number,
    sender: number,
    frame: number,
    length: number,
    segmentBytes: number,
  ): void {
    const plan = this.#plan;
    const inner = this.#inner;
    const coalescer = this.#coalescer;
    const view = this.#view;
    const candidate =
      segmentBytes === 0 &&
      this.#tables.tunnels.coalesces(tunnel) &&
      coalescer.isCandidate(view, inner, frame, length);
    // Of one remote only, so that each frame counts for the one that sent it.
    const joins = candidate && sender === this.#openSender;
    if (joins && coalescer.append(plan, tunnel, inner, frame, length)) return;
    coalescer.close(plan);
    if (plan.full) this.#flush();
    const delivery = plan.begin(tunnel, sender, frame, length);
    if (candidate) {
      coalescer.open(plan, tunnel, inner, frame, length);
      this.#openSender = sender;
    }
    const mtu = this.#tables.tunnels.mtu(tunnel);
    passUnfinished(view, plan.vnet[delivery]!, frame, inner, segmentBytes, mtu);
  }

  /** Writes the plan and counts what became of it. */
  #flush(): void {
    const plan = this.#plan;
    this.#coalescer.close(plan);
    if (plan.count === 0) return;
    this.#writer.write(plan);
    const { counters, tunnels } = this.#tables;
    for (let delivery = 0; delivery < plan.count; delivery += 1) {
      const tunnel = plan.tunnel[delivery]!;
      const frames = plan.frames[delivery]!;
      const result = plan.result[delivery]!;
      if (result === DELIVERED) {
        const bytes = plan.bytes[delivery]!;
        const remote = plan.remote[delivery]!;
        counters.traffic(this.#worker, tunnel, remote, COUNTER_RX_PACKETS, frames, bytes);
      } else {
        if (result === SUPER_FRAME_REFUSED) tunnels.failCoalescing(tunnel);
        counters.drop(this.#worker, tunnel, DROP_TAP_WRITE, frames);
      }
    }
    plan.clear();
  }

  #drop(tunnel: number, reason: number): void {
    this.#tables.counters.drop(this.#worker, tunnel, reason, 1);
  }

  #dropWithoutTunnel(reason: number): void {
    const { counters } = this.#tables;
    counters.drop(this.#worker, counters.shape.tunnels, reason, 1);
  }
}
