// Hot path: no allocation, no throw, no await.
import type { Arena } from './arena.ts';
import { IOVEC_BYTES, writeIovec } from './iovec.ts';
import { UDP_PAYLOAD_BYTES_MAX } from './slot.ts';

/** Segments one message may carry: the kernel's UDP_MAX_SEGMENTS before 6.9 (linux/udp.h). */
export const SEGMENTS_MAX = 64;

/** A segment is a copied header and a stretch of payload: two iovecs. */
export const MESSAGE_IOVECS = SEGMENTS_MAX * 2;

export const NO_MESSAGE = -1;

// What became of a message when its plan was sent; the underlay writes it.
export const SENT = 0;
/** Larger than the path takes. */
export const SEND_TOO_BIG = 1;
/** No route, or the remote's host refused it. */
export const SEND_UNREACHABLE = 2;
/** The socket's buffer stayed full. */
export const SEND_FULL = 3;
export const SEND_FAILED = 4;

/**
 * What one batch sends: messages, each one or several datagrams of equal size (the last may be shorter)
 * from one lane to one remote. A lane is a transmit socket: one outer source port.
 *
 * Iovecs hold absolute addresses (see {@link Arena}) in the kernel's own layout, so that an underlay can
 * hand them over as they are. The plan owns the iovecs, never what they point to: that must stay until
 * the plan has been sent and cleared. Messages of one lane keep their order.
 */
export class TransmitPlan {
  readonly arena: Arena;
  readonly capacity: number;
  count = 0;

  // One element a message.
  readonly lane: Int32Array;
  readonly tunnel: Int32Array;
  readonly remote: Int32Array;
  /** Outer TOS or traffic class. */
  readonly tos: Uint8Array;
  /** Outer TTL or hop limit, 0 for the route's default. */
  readonly ttl: Uint8Array;
  /** Outer IPv6 flow label, 0 for what the socket does by itself. */
  readonly flowLabel: Int32Array;
  /** Bytes of each datagram but the last. */
  readonly segmentBytes: Int32Array;
  readonly segments: Int32Array;
  /** Bytes of all datagrams. */
  readonly bytes: Int32Array;
  readonly iovecs: Int32Array;
  /** Arena offset of the first iovec. */
  readonly iovecOffset: Int32Array;
  /** SENT, or why not: of all datagrams of the message. */
  readonly result: Int32Array;
  /** With SEND_TOO_BIG: the largest IP packet that the path takes, 0 when the kernel did not say. */
  readonly pathMtu: Int32Array;
  /** The next message of the same lane, or NO_MESSAGE. */
  readonly next: Int32Array;

  // One element a lane.
  readonly head: Int32Array;
  /** Segments the lane's socket takes in one message; 1 while segmentation is off. */
  readonly laneSegments: Uint8Array;
  /** Lanes that have messages, in order of their first. */
  readonly activeLanes: Int32Array;
  activeLaneCount = 0;
  /** Segments of one message, whatever the lane takes: 1 for a tunnel with offloads off. */
  segmentsMax = SEGMENTS_MAX;
  /** What {@link ttl} and {@link flowLabel} of the datagrams to be opened are. */
  outerTtl = 0;
  outerFlowLabel = 0;
  /** Counts the sockets whose segmentation the underlay switched off after a failure. */
  segmentationFailures = 0;

  readonly #tail: Int32Array;
  /** 1 when the last datagram of the message is shorter, so that nothing may follow it. */
  readonly #closed: Uint8Array;

  /** `offset` is where bytesFor(capacity) bytes for iovecs begin in `arena`. */
  constructor(arena: Arena, offset: number, capacity: number, lanes: number) {
    this.arena = arena;
    this.capacity = capacity;
    this.lane = new Int32Array(capacity);
    this.tunnel = new Int32Array(capacity);
    this.remote = new Int32Array(capacity);
    this.tos = new Uint8Array(capacity);
    this.ttl = new Uint8Array(capacity);
    this.flowLabel = new Int32Array(capacity);
    this.segmentBytes = new Int32Array(capacity);
    this.segments = new Int32Array(capacity);
    this.bytes = new Int32Array(capacity);
    this.iovecs = new Int32Array(capacity);
    this.iovecOffset = new Int32Array(capacity);
    this.result = new Int32Array(capacity);
    this.pathMtu = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.#closed = new Uint8Array(capacity);
    for (let message = 0; message < capacity; message += 1) {
      this.iovecOffset[message] = offset + message * MESSAGE_IOVECS * IOVEC_BYTES;
    }
    this.head = new Int32Array(lanes).fill(NO_MESSAGE);
    this.#tail = new Int32Array(lanes).fill(NO_MESSAGE);
    this.laneSegments = new Uint8Array(lanes).fill(1);
    this.activeLanes = new Int32Array(lanes);
  }

  static bytesFor(capacity: number): number {
    return capacity * MESSAGE_IOVECS * IOVEC_BYTES;
  }

  /**
   * The message that the next datagram of `size` bytes goes into, opened or extended: the caller adds
   * its iovecs (at most two) with {@link add} at once. NO_MESSAGE when the plan is full: send, clear, try
   * again.
   */
  open(lane: number, tunnel: number, remote: number, tos: number, size: number): number {
    const last = this.#tail[lane]!;
    if (last !== NO_MESSAGE && this.#extends(last, tunnel, remote, tos, size)) {
      this.segments[last] = this.segments[last]! + 1;
      this.bytes[last] = this.bytes[last]! + size;
      if (size < this.segmentBytes[last]!) this.#closed[last] = 1;
      return last;
    }
    const message = this.count;
    if (message === this.capacity) return NO_MESSAGE;
    this.count = message + 1;
    this.lane[message] = lane;
    this.tunnel[message] = tunnel;
    this.remote[message] = remote;
    this.tos[message] = tos;
    this.ttl[message] = this.outerTtl;
    this.flowLabel[message] = this.outerFlowLabel;
    this.segmentBytes[message] = size;
    this.segments[message] = 1;
    this.bytes[message] = size;
    this.iovecs[message] = 0;
    this.result[message] = SENT;
    this.pathMtu[message] = 0;
    this.next[message] = NO_MESSAGE;
    this.#closed[message] = 0;
    if (last === NO_MESSAGE) {
      this.head[lane] = message;
      this.activeLanes[this.activeLaneCount] = lane;
      this.activeLaneCount += 1;
    } else {
      this.next[last] = message;
    }
    this.#tail[lane] = message;
    return message;
  }

  /** Appends `length` bytes at arena offset `offset` to `message`. */
  add(message: number, offset: number, length: number): void {
    const index = this.iovecs[message]!;
    const at = this.iovecOffset[message]! + index * IOVEC_BYTES;
    writeIovec(this.arena.view, at, this.arena.base + offset, length);
    this.iovecs[message] = index + 1;
  }

  /** Forgets all messages. */
  clear(): void {
    for (let index = 0; index < this.activeLaneCount; index += 1) {
      const lane = this.activeLanes[index]!;
      this.head[lane] = NO_MESSAGE;
      this.#tail[lane] = NO_MESSAGE;
    }
    this.activeLaneCount = 0;
    this.count = 0;
  }

  #extends(last: number, tunnel: number, remote: number, tos: number, size: number): boolean {
    return (
      this.#closed[last] === 0 &&
      this.remote[last] === remote &&
      this.tunnel[last] === tunnel &&
      this.tos[last] === tos &&
      this.ttl[last] === this.outerTtl &&
      this.flowLabel[last] === this.outerFlowLabel &&
      size <= this.segmentBytes[last]! &&
      this.segments[last]! < this.segmentsMax &&
      this.segments[last]! < this.laneSegments[this.lane[last]!]! &&
      this.bytes[last]! + size <= UDP_PAYLOAD_BYTES_MAX
    );
  }
}
