// Hot path: no allocation, no throw, no await.
import type { ArenaAllocator } from '../packet/arena.ts';
import { writeUint64 } from '../packet/iovec.ts';
import { EMSGSIZE } from './errno.ts';
import { libc } from './libc.ts';
import {
  CMSGHDR_BYTES,
  isCmsg,
  MMSGHDR_BYTES,
  MMSGHDR_CONTROL,
  MMSGHDR_CONTROL_LENGTH,
} from './message-header.ts';
import {
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  SO_EE_ORIGIN_LOCAL,
} from './uapi.ts';

/**
 * More than a socket's receive buffer holds: as long as one error is left in the queue, taking one out
 * makes the next send fail with the next.
 */
const ERRORS_DRAINED_MAX = 1024;
/** The error with the address of who reported it; what does not fit is cut off. */
const CONTROL_BYTES = 128;

/**
 * struct sock_extended_err (linux/errqueue.h): errno (32), origin (8), type, code, pad, info (32),
 * data (32).
 */
const ERROR_BYTES = 16;
const ERROR_ORIGIN = 4;
const ERROR_INFO = 8;

/** Takes errors out of the queues that IP_RECVERR and IPV6_RECVERR fill. */
export class ErrorQueue {
  readonly #view: DataView;
  readonly #header: number;
  readonly #address: number;
  readonly #control: number;

  constructor(memory: ArenaAllocator) {
    this.#view = memory.arena.view;
    this.#header = memory.take(MMSGHDR_BYTES);
    this.#address = memory.arena.base + this.#header;
    this.#control = memory.take(CONTROL_BYTES);
    writeUint64(this.#view, this.#header + MMSGHDR_CONTROL, memory.arena.base + this.#control);
  }

  /** Arena bytes that the constructor takes, alignment included. */
  static readonly BYTES = MMSGHDR_BYTES + CONTROL_BYTES + 128;

  /**
   * Empties the queue of a socket. Returns the path MTU that the kernel named when it refused the newest of
   * our own sends as too large (SO_EE_ORIGIN_LOCAL), 0 when it refused none.
   *
   * What ICMP reported is passed over: it belongs to datagrams of long ago, and the kernel has put the MTU
   * of such a report into its routes before, so that the next datagram that is too large is refused here.
   */
  drain(fd: number): number {
    const view = this.#view;
    let mtu = 0;
    for (let index = 0; index < ERRORS_DRAINED_MAX; index += 1) {
      view.setUint32(this.#header + MMSGHDR_CONTROL_LENGTH, CONTROL_BYTES, true);
      if (libc.recvmsg(fd, this.#address, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
      const named = this.#namedMtu();
      if (named > 0) mtu = named;
    }
    return mtu;
  }

  /** The MTU of the error that was received, 0 when it is about something else. */
  #namedMtu(): number {
    const view = this.#view;
    const control = this.#control;
    const length = view.getInt32(this.#header + MMSGHDR_CONTROL_LENGTH, true);
    if (length < CMSGHDR_BYTES + ERROR_BYTES) return 0;
    const ours =
      isCmsg(view, control, IPPROTO_IP, IP_RECVERR) ||
      isCmsg(view, control, IPPROTO_IPV6, IPV6_RECVERR);
    const error = control + CMSGHDR_BYTES;
    if (!ours || view.getInt32(error, true) !== EMSGSIZE) return 0;
    if (view.getUint8(error + ERROR_ORIGIN) !== SO_EE_ORIGIN_LOCAL) return 0;
    return view.getInt32(error + ERROR_INFO, true);
  }
}
