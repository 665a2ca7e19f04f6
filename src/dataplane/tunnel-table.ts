// Hot path: no allocation, no throw, no await.
import { OuterTable } from './outer-table.ts';

const WORDS = 8;
const FLAGS = 0;
const VNI = 1;
const MAC_HIGH = 2;
const MAC_LOW = 3;
const MTU = 4;
const MSS_LIMIT4 = 5;
const MSS_LIMIT6 = 6;

/** The tunnel learns MACs from what arrives. */
export const TUNNEL_LEARNING = 1;
/** Received TCP segments are coalesced into super-frames. */
export const TUNNEL_COALESCE = 2;

/** Datagrams of equal size leave in one message (UDP_SEGMENT), where the sockets can. */
export const TUNNEL_SEGMENTS = 16;
/** A socket refused segmentation (UDP_SEGMENT) and goes on without. */
export const TUNNEL_SEGMENTATION_FAILED = 4;
/** The device refused a super-frame; coalescing is off since. */
export const TUNNEL_COALESCE_FAILED = 8;

/** ARP requests and neighbour solicitations are answered from the table of neighbours. */
export const TUNNEL_NEIGH_SUPPRESS = 1024;
/** Some kind of frame has a limit on transmit: see storm-control.ts. */
export const TUNNEL_POLICE_TRANSMIT = 1 << 20;
/** The bit rate of what arrives is limited. */
export const TUNNEL_POLICE_RECEIVE = 1 << 21;
/** Unicast to unknown MACs is not flooded. */
export const TUNNEL_KNOWN_ONLY = 1 << 22;
/** Everybody may send: `remotes: any`. */
export const TUNNEL_ANY_SENDER = 1 << 23;

export interface TunnelRow {
  flags: number;
  vni: number;
  macHigh: number;
  macLow: number;
  mtu: number;
  /** Largest TCP segments that a SYN may announce, over IPv4 and IPv6; 0 or absent: any. */
  mssLimit4?: number;
  mssLimit6?: number;
}

/**
 * What the frame's path has to know of each tunnel, in shared memory: the main thread writes, workers
 * read. A setting that changes is seen by the next frame; no message is needed.
 */
export class TunnelTable {
  readonly capacity: number;
  readonly memory: SharedArrayBuffer;
  /** What the outer headers of each tunnel look like; in the same memory. */
  readonly outer: OuterTable;
  readonly #words: Int32Array;

  constructor(capacity: number, memory?: SharedArrayBuffer) {
    this.capacity = capacity;
    const bytes = capacity * WORDS * 4;
    this.memory = memory ?? new SharedArrayBuffer(bytes + OuterTable.bytesFor(capacity));
    this.#words = new Int32Array(this.memory, 0, capacity * WORDS);
    this.outer = new OuterTable(this.memory, bytes, capacity);
  }

  write(tunnel: number, row: TunnelRow): void {
    const at = tunnel * WORDS;
    this.#words[at + VNI] = row.vni;
    this.#words[at + MAC_HIGH] = row.macHigh;
    this.#words[at + MAC_LOW] = row.macLow;
    this.#words[at + MTU] = row.mtu;
    this.setMssLimits(tunnel, row.mssLimit4 ?? 0, row.mssLimit6 ?? 0);
    this.#words[at + FLAGS] = row.flags;
  }

  learns(tunnel: number): boolean {
    return (this.#words[tunnel * WORDS + FLAGS]! & TUNNEL_LEARNING) !== 0;
  }

  coalesces(tunnel: number): boolean {
    return (this.#words[tunnel * WORDS + FLAGS]! & TUNNEL_COALESCE) !== 0;
  }

  /** True when any of the flags is set. */
  has(tunnel: number, flags: number): boolean {
    return (this.#words[tunnel * WORDS + FLAGS]! & flags) !== 0;
  }

  segments(tunnel: number): boolean {
    return (this.#words[tunnel * WORDS + FLAGS]! & TUNNEL_SEGMENTS) !== 0;
  }

  suppresses(tunnel: number): boolean {
    return (this.#words[tunnel * WORDS + FLAGS]! & TUNNEL_NEIGH_SUPPRESS) !== 0;
  }

  vni(tunnel: number): number {
    return this.#words[tunnel * WORDS + VNI]!;
  }

  mtu(tunnel: number): number {
    return this.#words[tunnel * WORDS + MTU]!;
  }

  isOwnMac(tunnel: number, macHigh: number, macLow: number): boolean {
    const at = tunnel * WORDS;
    return this.#words[at + MAC_LOW] === (macLow | 0) && this.#words[at + MAC_HIGH] === macHigh;
  }

  flags(tunnel: number): number {
    return Atomics.load(this.#words, tunnel * WORDS + FLAGS);
  }

  /** Switches coalescing off for good, after the device refused a super-frame. */
  failCoalescing(tunnel: number): void {
    Atomics.or(this.#words, tunnel * WORDS + FLAGS, TUNNEL_COALESCE_FAILED);
    Atomics.and(this.#words, tunnel * WORDS + FLAGS, ~TUNNEL_COALESCE);
  }

  /** Notes that a transmit socket of the tunnel goes on without segmentation. */
  failSegmentation(tunnel: number): void {
    Atomics.or(this.#words, tunnel * WORDS + FLAGS, TUNNEL_SEGMENTATION_FAILED);
  }

  setMac(tunnel: number, macHigh: number, macLow: number): void {
    this.#words[tunnel * WORDS + MAC_HIGH] = macHigh;
    this.#words[tunnel * WORDS + MAC_LOW] = macLow;
  }

  setLearning(tunnel: number, on: boolean): void {
    const at = tunnel * WORDS + FLAGS;
    if (on) Atomics.or(this.#words, at, TUNNEL_LEARNING);
    else Atomics.and(this.#words, at, ~TUNNEL_LEARNING);
  }

  setMtu(tunnel: number, mtu: number): void {
    this.#words[tunnel * WORDS + MTU] = mtu;
  }

  /** Largest TCP segment that a SYN inside may announce, 0 for any; `family` is the inner packet's. */
  mssLimit(tunnel: number, family: number): number {
    return this.#words[tunnel * WORDS + (family === 4 ? MSS_LIMIT4 : MSS_LIMIT6)]!;
  }

  setMssLimits(tunnel: number, limit4: number, limit6: number): void {
    this.#words[tunnel * WORDS + MSS_LIMIT4] = limit4;
    this.#words[tunnel * WORDS + MSS_LIMIT6] = limit6;
  }
}
