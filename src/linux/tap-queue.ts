// Hot path: no allocation, no throw, no await.
import type { Arena } from '../packet/arena.ts';
import {
  DELIVERED,
  DELIVERY_REFUSED,
  SUPER_FRAME_REFUSED,
  type DeliveryPlan,
} from '../packet/delivery-plan.ts';
import type { FrameBatch } from '../packet/frame-batch.ts';
import { FRAME_BYTES_MAX, SLOT_VNET_OFFSET } from '../packet/slot.ts';
import { VIRTIO_NET_HDR_LENGTH } from '../wire/virtio-net.ts';
import { EAGAIN, EINTR, EINVAL } from './errno.ts';
import { lastErrno, libc } from './libc.ts';

/** A batch ends when this much was read, so that super-frames are sent while they are in the cache. */
const BATCH_BYTES_MAX = 64 * 1024;
const NO_FD = -1;

/** Reads TAP queues into one frame batch, which all queues of a worker share. */
export class TapReader {
  /** Errno of the last read that failed for another reason than that nothing waits; 0 otherwise. */
  errno = 0;
  /** True when the last read left nothing in the queue. */
  drained = false;
  /** Frames that the last read could not get. */
  refused = 0;

  readonly #arena: Arena;
  readonly #batch: FrameBatch;

  constructor(batch: FrameBatch) {
    this.#arena = batch.arena;
    this.#batch = batch;
  }

  /** Fills the batch with what waits in the queue `fd`, without blocking; returns the number of frames. */
  read(fd: number): number {
    const batch = this.#batch;
    const base = this.#arena.base + SLOT_VNET_OFFSET;
    let count = 0;
    let bytes = 0;
    this.errno = 0;
    this.drained = false;
    this.refused = 0;
    while (count + this.refused < batch.capacity && bytes < BATCH_BYTES_MAX) {
      const length = libc.read(
        fd,
        base + batch.slots[count]!,
        VIRTIO_NET_HDR_LENGTH + FRAME_BYTES_MAX,
      );
      if (length < 0) {
        const errno = lastErrno();
        if (errno === EINTR) continue;
        if (errno === EINVAL) {
          // A super-frame of a kind that the virtio_net_hdr cannot tell; the kernel has dropped it.
          this.refused += 1;
          continue;
        }
        if (errno !== EAGAIN) this.errno = errno;
        this.drained = true;
        break;
      }
      // No TAP does that; if one did, the event loop would come back at once.
      if (length < VIRTIO_NET_HDR_LENGTH) {
        this.drained = true;
        break;
      }
      batch.lengths[count] = length - VIRTIO_NET_HDR_LENGTH;
      bytes += length;
      count += 1;
    }
    batch.count = count;
    return count;
  }
}

/** Writes deliveries to the TAPs of a worker, one writev each: a TAP takes one frame a call. */
export class TapWriter {
  readonly #fds: Int32Array;

  /** `tunnels` is the capacity of the table of tunnels. */
  constructor(tunnels: number) {
    this.#fds = new Int32Array(tunnels).fill(NO_FD);
  }

  /** Gives a tunnel the queue that is written to; it stays the caller's to close, after {@link clear}. */
  set(tunnel: number, fd: number): void {
    this.#fds[tunnel] = fd;
  }

  clear(tunnel: number): void {
    this.#fds[tunnel] = NO_FD;
  }

  write(plan: DeliveryPlan): void {
    const { base } = plan.arena;
    for (let delivery = 0; delivery < plan.count; delivery += 1) {
      const fd = this.#fds[plan.tunnel[delivery]!]!;
      const address = base + plan.iovecOffset[delivery]!;
      if (libc.writev(fd, address, plan.iovecs[delivery]!) >= 0) {
        plan.result[delivery] = DELIVERED;
        continue;
      }
      // Only super-frames that were made here say something of the device; one that came as it is may
      // be malformed, and must not switch anything off.
      const coalesced = plan.frames[delivery]! > 1;
      plan.result[delivery] =
        coalesced && lastErrno() === EINVAL ? SUPER_FRAME_REFUSED : DELIVERY_REFUSED;
    }
  }
}
