// Hot path: no allocation, no throw, no await.

const WORDS = 8;
const INHERIT = 0;
const TTL = 1;
const TOS = 2;
const FLOW_LABEL = 3;
const RESERVED_FIRST = 4;
const RESERVED_SECOND = 5;

/** The TTL is that of the inner IP packet. */
export const INHERIT_TTL = 1;
/** The DSCP is that of the inner IP packet. */
export const INHERIT_TOS = 2;
/** The flow label is that of the inner IPv6 packet. */
export const INHERIT_FLOW_LABEL = 4;
/** DF over IPv4 is that of the inner IPv4 packet, and set for IPv6, as the kernel does. */
export const INHERIT_DF = 8;

export interface OuterRow {
  /** INHERIT_ constants: what is looked up in each frame. */
  readonly inherit: number;
  /** 1..255, or 0 for the route's default. */
  readonly ttl: number;
  /** Without ECN. */
  readonly tos: number;
  /** 0 for what the socket does by itself. */
  readonly flowLabel: number;
  /** Bits of the VXLAN header's two words, signed, that must be zero on receive. */
  readonly reservedFirst: number;
  readonly reservedSecond: number;
}

/** A row of zeros: all as the socket does it, nothing looked at on receive. */
export const DEFAULT_OUTER_ROW: OuterRow = {
  inherit: 0,
  ttl: 0,
  tos: 0,
  flowLabel: 0,
  reservedFirst: 0,
  reservedSecond: 0,
};

/**
 * Per tunnel, what the frame's path has to know of the outer headers, in shared memory: the main thread
 * writes, workers read.
 */
export class OuterTable {
  readonly #words: Int32Array;

  /** Over the part of `memory` that begins at byte `offset`; zeros are the defaults. */
  constructor(memory: SharedArrayBuffer, offset: number, capacity: number) {
    this.#words = new Int32Array(memory, offset, capacity * WORDS);
  }

  static bytesFor(capacity: number): number {
    return capacity * WORDS * 4;
  }

  write(tunnel: number, row: OuterRow): void {
    const at = tunnel * WORDS;
    this.#words[at + TTL] = row.ttl;
    this.#words[at + TOS] = row.tos;
    this.#words[at + FLOW_LABEL] = row.flowLabel;
    this.#words[at + RESERVED_FIRST] = row.reservedFirst;
    this.#words[at + RESERVED_SECOND] = row.reservedSecond;
    this.#words[at + INHERIT] = row.inherit;
  }

  inherit(tunnel: number): number {
    return this.#words[tunnel * WORDS + INHERIT]!;
  }

  ttl(tunnel: number): number {
    return this.#words[tunnel * WORDS + TTL]!;
  }

  tos(tunnel: number): number {
    return this.#words[tunnel * WORDS + TOS]!;
  }

  flowLabel(tunnel: number): number {
    return this.#words[tunnel * WORDS + FLOW_LABEL]!;
  }

  /** True when the header at `offset` has a bit that must be zero. */
  refuses(tunnel: number, view: DataView, offset: number): boolean {
    const at = tunnel * WORDS;
    const first = this.#words[at + RESERVED_FIRST]!;
    const second = this.#words[at + RESERVED_SECOND]!;
    if ((first | second) === 0) return false;
    return ((view.getInt32(offset) & first) | (view.getInt32(offset + 4) & second)) !== 0;
  }
}
