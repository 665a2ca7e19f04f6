// Hot path: no allocation, no throw, no await.
import type { Arena } from './arena.ts';
import { IOVEC_BYTES, writeIovec } from './iovec.ts';

// What became of a delivery when its plan was written; the overlay device writes it.
export const DELIVERED = 0;
export const DELIVERY_REFUSED = 1;
/** The device took no super-frame: coalescing must be switched off. */
export const SUPER_FRAME_REFUSED = 2;

const VNET_HEADER_BYTES = 10;
/** Distance between virtio_net_hdrs in their small arena. */
const VNET_STRIDE = 16;

/**
 * What one batch writes to overlay devices: deliveries in order, each a virtio_net_hdr and one frame or
 * super-frame in one or more pieces.
 *
 * The virtio_net_hdr has memory of its own: inside a merged receive buffer it would overwrite the end
 * of the datagram before it. Iovecs of a delivery are contiguous, so only the newest delivery can grow.
 */
export class DeliveryPlan {
  readonly arena: Arena;
  readonly capacity: number;
  readonly iovecCapacity: number;
  count = 0;
  iovecCount = 0;

  // One element a delivery.
  readonly tunnel: Int32Array;
  /** The row of the remote it came from. */
  readonly remote: Int32Array;
  /** Frames of the wire in it, for the counters. */
  readonly frames: Int32Array;
  readonly bytes: Int32Array;
  /** Arena offset of the virtio_net_hdr. */
  readonly vnet: Int32Array;
  /** Arena offset of the first iovec, which is the virtio_net_hdr's. */
  readonly iovecOffset: Int32Array;
  readonly iovecs: Int32Array;
  /** DELIVERED, or why not. */
  readonly result: Int32Array;

  readonly #iovecBase: number;

  constructor(arena: Arena, offset: number, capacity: number, iovecCapacity: number) {
    this.arena = arena;
    this.capacity = capacity;
    this.iovecCapacity = iovecCapacity;
    this.tunnel = new Int32Array(capacity);
    this.remote = new Int32Array(capacity);
    this.frames = new Int32Array(capacity);
    this.bytes = new Int32Array(capacity);
    this.vnet = new Int32Array(capacity);
    this.iovecOffset = new Int32Array(capacity);
    this.iovecs = new Int32Array(capacity);
    this.result = new Int32Array(capacity);
    this.#iovecBase = offset;
    const vnetBase = offset + iovecCapacity * IOVEC_BYTES;
    for (let index = 0; index < capacity; index += 1)
      this.vnet[index] = vnetBase + index * VNET_STRIDE;
  }

  static bytesFor(capacity: number, iovecCapacity: number): number {
    return iovecCapacity * IOVEC_BYTES + capacity * VNET_STRIDE;
  }

  /** True when a delivery of one frame no longer fits: write, clear, go on. */
  get full(): boolean {
    return this.count === this.capacity || this.iovecCount + 2 > this.iovecCapacity;
  }

  /** Begins a delivery of the `length` bytes at arena offset `frame`, with an all-zero virtio_net_hdr. */
  begin(tunnel: number, remote: number, frame: number, length: number): number {
    const { view, base } = this.arena;
    const delivery = this.count;
    this.count = delivery + 1;
    const vnet = this.vnet[delivery]!;
    view.setUint32(vnet, 0);
    view.setUint32(vnet + 4, 0);
    view.setUint16(vnet + 8, 0);
    this.tunnel[delivery] = tunnel;
    this.remote[delivery] = remote;
    this.frames[delivery] = 1;
    this.bytes[delivery] = length;
    this.result[delivery] = DELIVERED;
    this.iovecs[delivery] = 2;
    const at = this.#iovecBase + this.iovecCount * IOVEC_BYTES;
    this.iovecOffset[delivery] = at;
    writeIovec(view, at, base + vnet, VNET_HEADER_BYTES);
    writeIovec(view, at + IOVEC_BYTES, base + frame, length);
    this.iovecCount += 2;
    return delivery;
  }

  /**
   * Appends `length` bytes to the newest delivery; false when no iovec is left. `frameLength` counts for
   * the counters.
   */
  extend(offset: number, length: number, frameLength: number): boolean {
    if (this.iovecCount === this.iovecCapacity) return false;
    const delivery = this.count - 1;
    const at = this.#iovecBase + this.iovecCount * IOVEC_BYTES;
    writeIovec(this.arena.view, at, this.arena.base + offset, length);
    this.iovecCount += 1;
    this.iovecs[delivery] = this.iovecs[delivery]! + 1;
    this.frames[delivery] = this.frames[delivery]! + 1;
    this.bytes[delivery] = this.bytes[delivery]! + frameLength;
    return true;
  }

  clear(): void {
    this.count = 0;
    this.iovecCount = 0;
  }
}
