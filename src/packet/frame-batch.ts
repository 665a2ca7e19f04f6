import type { Arena } from './arena.ts';
import { SLOT_BYTES } from './slot.ts';

/**
 * Frames read from one overlay device in one go: frame `i` lies in slot `i`.
 *
 * The slots belong to the batch and are written over by the next read: whoever needs a frame longer
 * than until then copies it.
 */
export class FrameBatch {
  readonly arena: Arena;
  readonly capacity: number;
  /** Arena offset of each slot. */
  readonly slots: Uint32Array;
  /** Bytes of each frame, from its destination MAC on, without the virtio_net_hdr. */
  readonly lengths: Uint32Array;
  count = 0;

  /** `offset` is where `capacity` slots of SLOT_BYTES each begin in `arena`. */
  constructor(arena: Arena, offset: number, capacity: number) {
    this.arena = arena;
    this.capacity = capacity;
    this.slots = new Uint32Array(capacity);
    this.lengths = new Uint32Array(capacity);
    for (let index = 0; index < capacity; index += 1)
      this.slots[index] = offset + index * SLOT_BYTES;
  }

  static bytesFor(capacity: number): number {
    return capacity * SLOT_BYTES;
  }
}
