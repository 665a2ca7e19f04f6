// Hot path: no allocation, no throw, no await.
import type { ArenaAllocator } from '../packet/arena.ts';
import { IOVEC_BYTES, writeUint64 } from '../packet/iovec.ts';
import {
  NO_MESSAGE,
  SEND_FAILED,
  SEND_FULL,
  SEND_TOO_BIG,
  SEND_UNREACHABLE,
  SENT,
  type TransmitPlan,
} from '../packet/transmit-plan.ts';
import {
  EAGAIN,
  ECONNREFUSED,
  EHOSTUNREACH,
  EINTR,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENETDOWN,
  ENETUNREACH,
  ENOBUFS,
  ENOMEM,
} from './errno.ts';
import { ErrorQueue } from './error-queue.ts';
import { lastErrno, libc } from './libc.ts';
import {
  CMSG_SPACE,
  MMSGHDR_BYTES,
  MMSGHDR_CONTROL_LENGTH,
  MMSGHDR_IOVEC_COUNT,
  MMSGHDR_IOVECS,
} from './message-header.ts';
import { MessageStage, STAGE_MESSAGES, type RemoteAddresses } from './message-stage.ts';
import { segmentIovecs } from './segment-iovecs.ts';
import { MSG_DONTWAIT, POLLOUT } from './uapi.ts';

/** How long a full socket buffer is waited for, before the datagrams are dropped. */
const FULL_WAIT_MS = 2;
const NO_FD = -1;

/**
 * Sends transmit plans: equal-sized datagrams to one remote leave in one message with UDP_SEGMENT, the
 * messages of a lane in one sendmmsg.
 *
 * Failure policy. A full buffer is waited for once, FULL_WAIT_MS. EIO with segmentation means that the
 * device cannot: it is switched off for the socket and the message sent again without. An error that an
 * ICMP message left behind fails the next send, to whichever remote: the error queue is drained and the
 * failed message sent once more. After any other error sending goes on behind the message; one that is too
 * large for its path is told what the path takes.
 */
export class FastSender {
  readonly #view: DataView;
  readonly #base: number;
  readonly #stage: MessageStage;
  readonly #pollfd: number;
  readonly #errors: ErrorQueue;
  readonly #segmentHeader: number;
  readonly #fds: Int32Array;
  readonly #families: Uint8Array;
  /** IPv4 address of each lane's socket, 0 for any. */
  readonly #sources: Int32Array;

  constructor(memory: ArenaAllocator, addresses: RemoteAddresses, lanes: number) {
    this.#view = memory.arena.view;
    this.#base = memory.arena.base;
    this.#stage = new MessageStage(memory, addresses);
    this.#pollfd = memory.take(8);
    this.#errors = new ErrorQueue(memory);
    this.#segmentHeader = memory.take(MMSGHDR_BYTES);
    this.#fds = new Int32Array(lanes).fill(NO_FD);
    this.#families = new Uint8Array(lanes);
    this.#sources = new Int32Array(lanes);
  }

  /** Arena bytes that the constructor takes, alignment included. */
  static bytesFor(remotes: number): number {
    return MessageStage.bytesFor(remotes) + ErrorQueue.BYTES + MMSGHDR_BYTES + 256;
  }

  /**
   * Gives a lane its socket, which stays the caller's to close, after {@link clearLane}. `source` is the
   * address that it is bound to, as 32 bits, when that is of IPv4.
   */
  setLane(lane: number, fd: number, family: 4 | 6, source = 0): void {
    this.#sources[lane] = source;
    this.#fds[lane] = fd;
    this.#families[lane] = family;
  }

  clearLane(lane: number): void {
    this.#fds[lane] = NO_FD;
  }

  send(plan: TransmitPlan): void {
    for (let index = 0; index < plan.activeLaneCount; index += 1) {
      const lane = plan.activeLanes[index]!;
      const family = this.#families[lane]!;
      const source = this.#sources[lane]!;
      let message = plan.head[lane]!;
      while (message !== NO_MESSAGE) {
        let count = 0;
        while (message !== NO_MESSAGE && count < STAGE_MESSAGES) {
          this.#stage.write(plan, message, count, family, source);
          count += 1;
          message = plan.next[message]!;
        }
        this.#sendStaged(plan, lane, count);
      }
    }
  }

  /** Empties the error queues of all lanes: what strangers and dead remotes left there. */
  drainErrors(): void {
    for (let lane = 0; lane < this.#fds.length; lane += 1) {
      if (this.#fds[lane] !== NO_FD) this.#errors.drain(this.#fds[lane]!);
    }
  }

  #sendStaged(plan: TransmitPlan, lane: number, count: number): void {
    const fd = this.#fds[lane]!;
    let done = 0;
    let retried = false;
    while (done < count) {
      const sent = libc.sendmmsg(fd, this.#stage.address(done), count - done, MSG_DONTWAIT);
      if (sent > 0) {
        done += sent;
        retried = false;
        continue;
      }
      const errno = lastErrno();
      if (errno === EINTR) continue;
      if (!retried && this.#canRetry(fd, errno)) {
        retried = true;
        continue;
      }
      if (errno === EAGAIN) {
        // Nothing behind it would fare better.
        this.#refuse(plan, done, count, SEND_FULL);
        return;
      }
      this.#giveUp(plan, lane, done, errno);
      done += 1;
      retried = false;
    }
  }

  /** Does what may make the next try succeed; false when nothing would. */
  #canRetry(fd: number, errno: number): boolean {
    // Also before the wait, which an error that is queued would end at once.
    this.#errors.drain(fd);
    if (errno === EAGAIN) {
      this.#view.setInt32(this.#pollfd, fd, true);
      this.#view.setUint32(this.#pollfd + 4, POLLOUT, true);
      return libc.poll(this.#base + this.#pollfd, 1, FULL_WAIT_MS) > 0;
    }
    // Whatever else it is may be what an ICMP message left behind (ENOPROTOOPT, EACCES, EPROTO, …).
    return errno !== ENOBUFS && errno !== ENOMEM;
  }

  /** Settles the message in place `done`, which the kernel refused for good. */
  #giveUp(plan: TransmitPlan, lane: number, done: number, errno: number): void {
    const message = this.#stage.messages[done]!;
    if (errno === EIO && plan.segments[message]! > 1) {
      plan.laneSegments[lane] = 1;
      plan.segmentationFailures += 1;
      const segments = plan.segments[message]!;
      plan.result[message] = this.#sendUnsegmented(plan, message, this.#fds[lane]!, done, segments);
      return;
    }
    const outcome = outcomeOf(errno);
    plan.result[message] = outcome;
    if (outcome === SEND_TOO_BIG) this.#askPathMtu(plan, message, this.#fds[lane]!, done);
  }

  /**
   * The kernel names the MTU of the path for a datagram that it refused, but not for one of segments: of
   * those the first is sent by itself, to hear it.
   */
  #askPathMtu(plan: TransmitPlan, message: number, fd: number, place: number): void {
    plan.pathMtu[message] = this.#errors.drain(fd);
    if (plan.pathMtu[message] !== 0 || plan.segments[message] === 1) return;
    this.#sendUnsegmented(plan, message, fd, place, 1);
  }

  #refuse(plan: TransmitPlan, first: number, count: number, outcome: number): void {
    for (let place = first; place < count; place += 1) {
      plan.result[this.#stage.messages[place]!] = outcome;
    }
  }

  /** Sends the first `segments` datagrams of a message each by itself. */
  #sendUnsegmented(
    plan: TransmitPlan,
    message: number,
    fd: number,
    place: number,
    segments: number,
  ): number {
    const view = this.#view;
    const header = this.#segmentHeader;
    const from = this.#stage.header(place);
    for (let offset = 0; offset < MMSGHDR_BYTES; offset += 4) {
      view.setUint32(header + offset, view.getUint32(from + offset));
    }
    // The control message for segmentation is the last, and left out.
    const controlBytes = view.getUint32(from + MMSGHDR_CONTROL_LENGTH, true) - CMSG_SPACE;
    view.setUint32(header + MMSGHDR_CONTROL_LENGTH, controlBytes, true);
    let iovec = plan.iovecOffset[message]!;
    let left = plan.iovecs[message]!;
    let result = SENT;
    for (let segment = 0; segment < segments; segment += 1) {
      const iovecs = segmentIovecs(view, iovec, plan.segmentBytes[message]!, left);
      writeUint64(view, header + MMSGHDR_IOVECS, this.#base + iovec);
      view.setUint32(header + MMSGHDR_IOVEC_COUNT, iovecs, true);
      if (libc.sendmsg(fd, this.#base + header, MSG_DONTWAIT) < 0) {
        result = outcomeOf(lastErrno());
        if (result === SEND_TOO_BIG) plan.pathMtu[message] = this.#errors.drain(fd);
      }
      iovec += iovecs * IOVEC_BYTES;
      left -= iovecs;
    }
    return result;
  }
}

function outcomeOf(errno: number): number {
  switch (errno) {
    case EMSGSIZE:
    case EINVAL: // Before Linux 6.14: segments larger than the path MTU.
      return SEND_TOO_BIG;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
      return SEND_UNREACHABLE;
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
      return SEND_FULL;
    default:
      return SEND_FAILED;
  }
}
