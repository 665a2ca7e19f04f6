// Hot path: no allocation, no throw, no await.
import type { ArenaAllocator } from '../packet/arena.ts';
import { ADDRESS_BYTES, type DatagramBatch } from '../packet/datagram-batch.ts';
import { IOVEC_BYTES, writeIovec, writeUint64 } from '../packet/iovec.ts';
import { DATAGRAM_BYTES_MAX } from '../packet/slot.ts';
import { EAGAIN } from './errno.ts';
import { lastErrno, libc } from './libc.ts';
import {
  cmsgLength,
  CMSGHDR_BYTES,
  isCmsg,
  MMSGHDR_BYTES,
  MMSGHDR_CONTROL,
  MMSGHDR_CONTROL_LENGTH,
  MMSGHDR_IOVEC_COUNT,
  MMSGHDR_IOVECS,
  MMSGHDR_NAME,
  MMSGHDR_NAME_LENGTH,
  MMSGHDR_TRANSFERRED,
} from './message-header.ts';
import { readSockaddr, SOCKADDR_LENGTH_MAX } from './sockaddr.ts';
import {
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_TCLASS,
  MSG_DONTWAIT,
  SO_RXQ_OVFL,
  SOL_SOCKET,
  UDP_GRO,
} from './uapi.ts';

/** TOS or traffic class, and UDP_GRO, with room to spare. */
const CONTROL_BYTES = 96;
const SOCKADDR_STRIDE = 32;
/** About what a batch should hold, so that large datagrams are delivered while they are in the cache. */
const BATCH_BYTES = 256 * 1024;

/**
 * Receives with recvmmsg into one datagram batch, which all receive sockets of a worker share.
 *
 * Buffers hold 64 KiB, because with UDP_GRO a shorter one would be cut off silently.
 */
export class FastReceiver {
  /** Errno of the last call that failed for another reason than that nothing waits; 0 otherwise. */
  errno = 0;
  /** Datagrams that the last socket has lost for want of room since it was opened; 0 when not told. */
  overflow = 0;
  /** True when the last receive() left nothing waiting. */
  drained = false;

  readonly #view: DataView;
  readonly #base: number;
  readonly #batch: DatagramBatch;
  readonly #headers: number;
  readonly #control: number;
  readonly #names: number;
  /** Datagrams to ask for next. */
  #wanted: number;

  constructor(memory: ArenaAllocator, batch: DatagramBatch) {
    const { view, base } = memory.arena;
    this.#view = view;
    this.#base = base;
    this.#batch = batch;
    this.#wanted = batch.capacity;
    this.#headers = memory.take(batch.capacity * MMSGHDR_BYTES);
    this.#control = memory.take(batch.capacity * CONTROL_BYTES);
    this.#names = memory.take(batch.capacity * SOCKADDR_STRIDE);
    const iovecs = memory.take(batch.capacity * IOVEC_BYTES);
    for (let index = 0; index < batch.capacity; index += 1) {
      const header = this.#headers + index * MMSGHDR_BYTES;
      const iovec = iovecs + index * IOVEC_BYTES;
      writeIovec(view, iovec, base + batch.offsets[index]!, DATAGRAM_BYTES_MAX);
      writeUint64(view, header + MMSGHDR_NAME, base + this.#names + index * SOCKADDR_STRIDE);
      writeUint64(view, header + MMSGHDR_IOVECS, base + iovec);
      writeUint64(view, header + MMSGHDR_IOVEC_COUNT, 1);
      writeUint64(view, header + MMSGHDR_CONTROL, base + this.#control + index * CONTROL_BYTES);
      this.#arm(header);
    }
  }

  /** Arena bytes that the constructor takes, alignment included. */
  static bytesFor(capacity: number): number {
    return capacity * (MMSGHDR_BYTES + CONTROL_BYTES + SOCKADDR_STRIDE + IOVEC_BYTES) + 512;
  }

  /** Fills the batch with what waits on `fd`, without blocking; returns the number of datagrams. */
  receive(fd: number): number {
    const batch = this.#batch;
    const wanted = this.#wanted;
    const count = libc.recvmmsg(fd, this.#base + this.#headers, wanted, MSG_DONTWAIT, 0);
    batch.count = 0;
    this.errno = 0;
    this.overflow = 0;
    this.drained = count < wanted;
    if (count < 0) {
      const errno = lastErrno();
      if (errno !== EAGAIN) this.errno = errno;
      return 0;
    }
    let bytes = 0;
    for (let index = 0; index < count; index += 1) {
      this.#read(index);
      bytes += batch.lengths[index]!;
    }
    batch.count = count;
    const fitting = Math.floor((BATCH_BYTES * count) / (bytes + 1));
    this.#wanted = fitting < 1 ? 1 : fitting > batch.capacity ? batch.capacity : fitting;
    return count;
  }

  #read(index: number): void {
    const view = this.#view;
    const batch = this.#batch;
    const header = this.#headers + index * MMSGHDR_BYTES;
    batch.lengths[index] = view.getUint32(header + MMSGHDR_TRANSFERRED, true);
    readSockaddr(view, this.#names + index * SOCKADDR_STRIDE, batch.sources, index * ADDRESS_BYTES);
    batch.tos[index] = 0;
    batch.strides[index] = 0;
    const control = this.#control + index * CONTROL_BYTES;
    const end = control + view.getUint32(header + MMSGHDR_CONTROL_LENGTH, true);
    let at = control;
    while (at + CMSGHDR_BYTES < end) {
      const value = at + CMSGHDR_BYTES;
      if (isCmsg(view, at, IPPROTO_UDP, UDP_GRO))
        batch.strides[index] = view.getUint32(value, true);
      else if (isCmsg(view, at, SOL_SOCKET, SO_RXQ_OVFL))
        this.overflow = view.getUint32(value, true);
      else if (isCmsg(view, at, IPPROTO_IP, IP_TOS)) batch.tos[index] = view.getUint8(value);
      else if (isCmsg(view, at, IPPROTO_IPV6, IPV6_TCLASS)) batch.tos[index] = view.getUint8(value);
      const length = cmsgLength(view, at);
      if (length < CMSGHDR_BYTES) break;
      at += (length + 7) & ~7;
    }
    this.#arm(header);
  }

  /** The kernel writes over both lengths with what it used. */
  #arm(header: number): void {
    this.#view.setUint32(header + MMSGHDR_NAME_LENGTH, SOCKADDR_LENGTH_MAX, true);
    this.#view.setUint32(header + MMSGHDR_CONTROL_LENGTH, CONTROL_BYTES, true);
  }
}
