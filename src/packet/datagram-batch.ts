import type { Arena } from './arena.ts';
import { SLOT_BYTES } from './slot.ts';

/** Bytes of one address in {@link DatagramBatch.sources}: IPv6, or IPv4 mapped into it. */
export const ADDRESS_BYTES = 16;

/**
 * Datagrams received from one underlay socket in one go, each possibly several that the kernel merged.
 *
 * Memory belongs to the batch and is written over by the next receive.
 */
export class DatagramBatch {
  readonly arena: Arena;
  readonly capacity: number;
  /** Arena offset of each datagram's UDP payload. */
  readonly offsets: Uint32Array;
  /** Bytes of each payload, all merged datagrams together. */
  readonly lengths: Uint32Array;
  /** Distance between merged datagrams as the kernel's UDP_GRO message says it, 0 without a message. */
  readonly strides: Uint32Array;
  /** Outer TOS or traffic class. */
  readonly tos: Uint8Array;
  /** Outer source addresses, ADDRESS_BYTES each. */
  readonly sources: Uint8Array;
  count = 0;

  constructor(arena: Arena, offset: number, capacity: number) {
    this.arena = arena;
    this.capacity = capacity;
    this.offsets = new Uint32Array(capacity);
    this.lengths = new Uint32Array(capacity);
    this.strides = new Uint32Array(capacity);
    this.tos = new Uint8Array(capacity);
    this.sources = new Uint8Array(capacity * ADDRESS_BYTES);
    for (let index = 0; index < capacity; index += 1)
      this.offsets[index] = offset + index * SLOT_BYTES;
  }

  static bytesFor(capacity: number): number {
    return capacity * SLOT_BYTES;
  }
}
