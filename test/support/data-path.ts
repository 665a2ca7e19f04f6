/** One worker's data path over memory devices: the forwarding core as the daemon puts it together. */
import { Answers } from '../../src/dataplane/answers.ts';
import { COUNTER_DROPS, Counters } from '../../src/dataplane/counters.ts';
import { DROP_REASONS } from '../../src/dataplane/drop-reasons.ts';
import { GroupTable } from '../../src/dataplane/group-table.ts';
import { PathMtuTable } from '../../src/dataplane/path-mtu.ts';
import { Receiver } from '../../src/dataplane/receive.ts';
import { Policers } from '../../src/dataplane/policers.ts';
import { SEGMENT_HEADER_AREA_BYTES, Segmenter } from '../../src/dataplane/segment.ts';
import type { SharedTables } from '../../src/dataplane/shared-tables.ts';
import { Strangers } from '../../src/dataplane/strangers.ts';
import { Transmitter } from '../../src/dataplane/transmit.ts';
import {
  TUNNEL_COALESCE,
  TUNNEL_LEARNING,
  TUNNEL_SEGMENTS,
  TunnelTable,
} from '../../src/dataplane/tunnel-table.ts';
import { VlanTable } from '../../src/dataplane/vlan-table.ts';
import { VniMap } from '../../src/dataplane/vni-map.ts';
import { DestinationLists } from '../../src/fdb/destination-lists.ts';
import { Grace } from '../../src/fdb/grace.ts';
import { LearnLimits } from '../../src/fdb/learn-limits.ts';
import { MacMoves } from '../../src/fdb/mac-moves.ts';
import { NeighbourTable } from '../../src/fdb/neighbours.ts';
import { RemoteTable } from '../../src/fdb/remotes.ts';
import { FdbTable, ORIGIN_STATIC, STATE_PERMANENT } from '../../src/fdb/table.ts';
import { type Arena, ArenaAllocator, heapArena } from '../../src/packet/arena.ts';
import { DatagramBatch } from '../../src/packet/datagram-batch.ts';
import { DeliveryPlan } from '../../src/packet/delivery-plan.ts';
import { FrameBatch } from '../../src/packet/frame-batch.ts';
import { SLOT_VNET_OFFSET } from '../../src/packet/slot.ts';
import { SEGMENTS_MAX, TransmitPlan } from '../../src/packet/transmit-plan.ts';
import { ipBytes, macBytes } from './packets.ts';
import { MemorySender, MemoryWriter, type VnetHeader } from './memory-underlay.ts';

export const VNI = 42;
export const OWN_MAC = '02:00:00:00:00:ff';
export const NOW_SECONDS = 1000;

const NO_LANES = -1;
const LANES_PER_POOL = 4;
const TUNNELS = 4;
const FLAGS = TUNNEL_LEARNING | TUNNEL_COALESCE | TUNNEL_SEGMENTS;

/** A frame as a TAP hands it over. */
export interface TapFrame {
  readonly frame: Uint8Array;
  readonly vnet?: Partial<VnetHeader> | undefined;
}

/** A datagram, or several merged ones, as an underlay socket hands it over. */
export interface Arrival {
  readonly bytes: Uint8Array;
  readonly source?: string;
  readonly stride?: number;
  readonly tos?: number;
}

export interface DataPathOptions {
  readonly frames?: number;
  readonly datagrams?: number;
  readonly messages?: number;
  readonly deliveries?: number;
  readonly deliveryIovecs?: number;
  readonly fdbEntries?: number;
}

/** Tunnel 0 has VNI 42 and lanes of both families; it has no remotes until they are added. */
export class DataPath {
  readonly sender = new MemorySender();
  readonly writer = new MemoryWriter();
  readonly vnis = new VniMap();
  readonly tables: SharedTables;
  readonly arena: Arena;
  readonly frames: FrameBatch;
  readonly datagrams: DatagramBatch;
  readonly plan: TransmitPlan;
  readonly deliveries: DeliveryPlan;
  readonly answers: Answers;
  readonly transmitter: Transmitter;
  readonly receiver: Receiver;
  /** What the policers' clock says. */
  nowMs = 0;

  constructor(options: DataPathOptions = {}) {
    const { frames = 8, datagrams = 8, messages = 32, deliveries = 32 } = options;
    const { deliveryIovecs = 512, fdbEntries = 64 } = options;
    const grace = Grace.create(1);
    const shape = { workers: 1, tunnels: TUNNELS, remotes: 16 };
    const remotes = RemoteTable.create(shape.remotes, 1);
    const limits = new LearnLimits(TUNNELS, remotes);
    const fdb = FdbTable.create(fdbEntries, 1, (slots) => {
      return { limits, moves: new MacMoves(TUNNELS, slots, remotes) };
    });
    this.tables = {
      fdb,
      remotes,
      lists: DestinationLists.create(256, grace),
      neighbours: NeighbourTable.create(64, TUNNELS, 1),
      grace,
      tunnels: new TunnelTable(TUNNELS),
      groups: new GroupTable(1, TUNNELS),
      vlans: new VlanTable(TUNNELS),
      counters: new Counters(shape),
      pathMtus: new PathMtuTable(shape.remotes),
      limits,
      moves: fdb.guards!.moves,
      policers: new Policers(TUNNELS, () => this.nowMs),
      strangers: new Strangers(TUNNELS),
    };
    const lanes = 2 * LANES_PER_POOL;
    const sizes = [
      FrameBatch.bytesFor(frames),
      DatagramBatch.bytesFor(datagrams),
      TransmitPlan.bytesFor(messages),
      DeliveryPlan.bytesFor(deliveries, deliveryIovecs),
      SEGMENT_HEADER_AREA_BYTES,
      Answers.bytes,
    ];
    this.arena = heapArena(sizes.reduce((sum, size) => sum + size + 64, 0));
    const memory = new ArenaAllocator(this.arena);
    const [a, b, c, d, e, f] = sizes.map((size) => memory.take(size));
    this.frames = new FrameBatch(this.arena, a!, frames);
    this.datagrams = new DatagramBatch(this.arena, b!, datagrams);
    this.plan = new TransmitPlan(this.arena, c!, messages, lanes);
    this.plan.laneSegments.fill(SEGMENTS_MAX);
    this.deliveries = new DeliveryPlan(this.arena, d!, deliveries, deliveryIovecs);
    const segmenter = new Segmenter(this.arena, e!);
    const { tables, plan, sender, writer } = this;
    this.answers = new Answers(0, tables.counters, tables.vlans, this.arena, f!, writer);
    this.transmitter = new Transmitter(
      0,
      tables,
      plan,
      segmenter,
      sender,
      LANES_PER_POOL,
      this.answers,
    );
    this.receiver = new Receiver(0, tables, this.deliveries, writer);
    this.tunnel(0, VNI);
  }

  /** Sets up a tunnel; `flags` are the TUNNEL_ constants, by default learning and both offloads. */
  tunnel(index: number, vni: number, { flags = FLAGS, mtu = 1450, six = true } = {}): void {
    const mac = macBytes(OWN_MAC);
    const view = new DataView(mac.buffer);
    const row = { flags, vni, mtu, macHigh: view.getUint16(0), macLow: view.getUint32(2) };
    this.tables.tunnels.write(index, row);
    this.vnis.set(vni, index);
    this.transmitter.lanes4[index] = 0;
    this.transmitter.lanes6[index] = six ? LANES_PER_POOL : NO_LANES;
  }

  /** Adds a remote that may send to us, unless it is a stranger; returns its row. */
  remote(text: string, { tunnel = 0, vni = VNI, port = 4789, stranger = false } = {}): number {
    const address = mappedAddress(text);
    const index = this.tables.remotes.acquire({ tunnel, address, scope: 0, port, vni });
    if (!stranger) this.tables.remotes.allow(index);
    return index;
  }

  /** A static FDB entry; the zero MAC names the flood list. */
  entry(mac: string, remotes: readonly number[] | number, vni = VNI): void {
    const { fdb, lists } = this.tables;
    const destination = typeof remotes === 'number' ? remotes : lists.create(remotes);
    const { high, low } = macNumbers(mac);
    const value = { destination, origin: ORIGIN_STATIC, state: STATE_PERMANENT };
    fdb.set(vni, high, low, value, NOW_SECONDS);
  }

  flood(remotes: readonly number[], vni = VNI): void {
    this.entry('00:00:00:00:00:00', remotes, vni);
  }

  /** Puts frames into the batch as a read from a TAP would. */
  load(frames: readonly TapFrame[]): void {
    frames.forEach(({ frame, vnet = {} }, index) => {
      const at = this.frames.slots[index]! + SLOT_VNET_OFFSET;
      this.arena.bytes.set(vnetBytes(vnet), at);
      this.arena.bytes.set(frame, at + 10);
      this.frames.lengths[index] = frame.length;
    });
    this.frames.count = frames.length;
  }

  transmit(frames: readonly TapFrame[], tunnel = 0): void {
    this.load(frames);
    this.transmitter.transmit(this.frames, tunnel, NOW_SECONDS);
  }

  /** Puts datagrams into the batch as a receive from a socket would. */
  arrive(arrivals: readonly Arrival[]): void {
    const batch = this.datagrams;
    arrivals.forEach(({ bytes, source = '192.0.2.1', stride = 0, tos = 0 }, index) => {
      this.arena.bytes.set(bytes, batch.offsets[index]);
      batch.lengths[index] = bytes.length;
      batch.strides[index] = stride;
      batch.tos[index] = tos;
      batch.sources.set(mappedAddress(source), index * 16);
    });
    batch.count = arrivals.length;
  }

  receive(arrivals: readonly Arrival[], nowSeconds = NOW_SECONDS): void {
    this.arrive(arrivals);
    this.receiver.receive(this.datagrams, this.vnis, nowSeconds);
  }

  counter(column: number, tunnel = 0): number {
    return this.tables.counters.tunnelTotal(tunnel, column);
  }

  /** Drop counters that are not 0, by name; `tunnel` 4 for those before a tunnel is known. */
  drops(tunnel = 0): Record<string, number> {
    const counts = DROP_REASONS.map((name, reason): [string, number] => [
      name,
      this.counter(COUNTER_DROPS + reason, tunnel),
    ]);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }
}

/** Index of the counters for what happens before a tunnel is known. */
export const NO_TUNNEL_ROW = TUNNELS;

export function vnetBytes(header: Partial<VnetHeader>): Uint8Array {
  const view = new DataView(new ArrayBuffer(10));
  view.setUint8(0, header.flags ?? 0);
  view.setUint8(1, header.gsoType ?? 0);
  view.setUint16(2, header.hdrLen ?? 0, true);
  view.setUint16(4, header.gsoSize ?? 0, true);
  view.setUint16(6, header.csumStart ?? 0, true);
  view.setUint16(8, header.csumOffset ?? 0, true);
  return new Uint8Array(view.buffer);
}

/** 16 bytes, IPv4 mapped. */
export function mappedAddress(text: string): Uint8Array {
  const bytes = ipBytes(text);
  if (bytes.length === 16) return bytes;
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes);
}

export function macNumbers(text: string): { high: number; low: number } {
  const view = new DataView(macBytes(text).buffer);
  return { high: view.getUint16(0), low: view.getUint32(2) };
}
