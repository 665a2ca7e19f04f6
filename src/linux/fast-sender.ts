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
import { lastErrno, libc } from './libc.ts';
import {
  CMSG_SPACE,
  MMSGHDR_BYTES,
  MMSGHDR_CONTROL,
  MMSGHDR_CONTROL_LENGTH,
  MMSGHDR_IOVEC_COUNT,
  MMSGHDR_IOVECS,
  MMSGHDR_NAME,
  MMSGHDR_NAME_LENGTH,
  writeCmsgInt,
  writeCmsgShort,
} from './message-header.ts';
import { writeSockaddr } from './sockaddr.ts';
import {
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_TCLASS,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  POLLOUT,
  UDP_SEGMENT,
} from './uapi.ts';
import { segmentIovecs } from './segment-iovecs.ts';

/** Where a remote lives; what the table of remotes offers. */
export interface RemoteAddresses {
  readonly capacity: number;
  readonly bytes: Uint8Array;
  addressOffset(remote: number): number;
  family(remote: number): number;
  port(remote: number): number;
  scope(remote: number): number;
  /** Changes when the row is given to another remote. */
  generation(remote: number): number;
}

/** Messages of one sendmmsg. */
const BATCH_MESSAGES = 64;
const CONTROL_BYTES = 2 * CMSG_SPACE;
const SOCKADDR_STRIDE = 32;
/** How long a full socket buffer is waited for, before the datagrams are dropped. */
const FULL_WAIT_MS = 2;
const ERRORS_DRAINED_MAX = 64;
const NO_FD = -1;

/**
 * Sends transmit plans: equal-sized datagrams to one remote leave in one message with UDP_SEGMENT, the
 * messages of a lane in one sendmmsg.
 *
 * Failure policy. A full buffer is waited for once, FULL_WAIT_MS. EIO with segmentation means that the
 * device cannot: it is switched off for the socket and the message sent again without. An error that an
 * ICMP message left behind fails the next send, to whichever remote: the error queue is drained and the
 * failed message sent once more. After any other error sending goes on behind the message.
 */
export class FastSender {
  readonly #view: DataView;
  readonly #base: number;
  readonly #addresses: RemoteAddresses;
  readonly #headers: number;
  readonly #control: number;
  readonly #sockaddrs: number;
  readonly #sockaddrGeneration: Int32Array;
  readonly #sockaddrLength: Uint8Array;
  readonly #pollfd: number;
  readonly #errorHeader: number;
  readonly #segmentHeader: number;
  readonly #fds: Int32Array;
  readonly #families: Uint8Array;
  /** The messages that are staged for the next sendmmsg. */
  readonly #staged = new Int32Array(BATCH_MESSAGES);

  constructor(memory: ArenaAllocator, addresses: RemoteAddresses, lanes: number) {
    this.#view = memory.arena.view;
    this.#base = memory.arena.base;
    this.#addresses = addresses;
    this.#headers = memory.take(BATCH_MESSAGES * MMSGHDR_BYTES);
    this.#control = memory.take(BATCH_MESSAGES * CONTROL_BYTES);
    this.#sockaddrs = memory.take(addresses.capacity * SOCKADDR_STRIDE);
    this.#sockaddrGeneration = new Int32Array(addresses.capacity).fill(-1);
    this.#sockaddrLength = new Uint8Array(addresses.capacity);
    this.#pollfd = memory.take(8);
    this.#errorHeader = memory.take(MMSGHDR_BYTES);
    this.#segmentHeader = memory.take(MMSGHDR_BYTES);
    this.#fds = new Int32Array(lanes).fill(NO_FD);
    this.#families = new Uint8Array(lanes);
    for (let index = 0; index < BATCH_MESSAGES; index += 1) {
      const control = this.#base + this.#control + index * CONTROL_BYTES;
      writeUint64(this.#view, this.#headers + index * MMSGHDR_BYTES + MMSGHDR_CONTROL, control);
    }
  }

  /** Arena bytes that the constructor takes, alignment included. */
  static bytesFor(remotes: number): number {
    return BATCH_MESSAGES * (MMSGHDR_BYTES + CONTROL_BYTES) + remotes * SOCKADDR_STRIDE + 512;
  }

  /** Gives a lane its socket, which stays the caller's to close, after {@link clearLane}. */
  setLane(lane: number, fd: number, family: 4 | 6): void {
    this.#fds[lane] = fd;
    this.#families[lane] = family;
  }

  clearLane(lane: number): void {
    this.#fds[lane] = NO_FD;
  }

  send(plan: TransmitPlan): void {
    for (let index = 0; index < plan.activeLaneCount; index += 1) {
      const lane = plan.activeLanes[index]!;
      let message = plan.head[lane]!;
      while (message !== NO_MESSAGE) {
        let count = 0;
        while (message !== NO_MESSAGE && count < BATCH_MESSAGES) {
          this.#staged[count] = message;
          this.#writeHeader(plan, message, count, this.#families[lane]!);
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
      if (this.#fds[lane] !== NO_FD) this.#drain(this.#fds[lane]!);
    }
  }

  #writeHeader(plan: TransmitPlan, message: number, index: number, family: number): void {
    const view = this.#view;
    const header = this.#headers + index * MMSGHDR_BYTES;
    this.#writeName(header, plan.remote[message]!);
    writeUint64(view, header + MMSGHDR_IOVECS, this.#base + plan.iovecOffset[message]!);
    view.setUint32(header + MMSGHDR_IOVEC_COUNT, plan.iovecs[message]!, true);
    const control = this.#control + index * CONTROL_BYTES;
    let controlBytes = this.#writeTos(control, family, plan.tos[message]!);
    if (plan.segments[message]! > 1) {
      writeCmsgShort(
        view,
        control + controlBytes,
        IPPROTO_UDP,
        UDP_SEGMENT,
        plan.segmentBytes[message]!,
      );
      controlBytes += CMSG_SPACE;
    }
    view.setUint32(header + MMSGHDR_CONTROL_LENGTH, controlBytes, true);
  }

  #writeTos(control: number, family: number, tos: number): number {
    if (tos === 0) return 0;
    if (family === 4) writeCmsgInt(this.#view, control, IPPROTO_IP, IP_TOS, tos);
    else writeCmsgInt(this.#view, control, IPPROTO_IPV6, IPV6_TCLASS, tos);
    return CMSG_SPACE;
  }

  #writeName(header: number, remote: number): void {
    const addresses = this.#addresses;
    const sockaddr = this.#sockaddrs + remote * SOCKADDR_STRIDE;
    const generation = addresses.generation(remote);
    if (this.#sockaddrGeneration[remote] !== generation) {
      this.#sockaddrLength[remote] = writeSockaddr(
        this.#view,
        sockaddr,
        addresses.family(remote),
        addresses.bytes,
        addresses.addressOffset(remote),
        addresses.port(remote),
        addresses.scope(remote),
      );
      this.#sockaddrGeneration[remote] = generation;
    }
    writeUint64(this.#view, header + MMSGHDR_NAME, this.#base + sockaddr);
    this.#view.setUint32(header + MMSGHDR_NAME_LENGTH, this.#sockaddrLength[remote]!, true);
  }

  #sendStaged(plan: TransmitPlan, lane: number, count: number): void {
    const fd = this.#fds[lane]!;
    let done = 0;
    let retried = false;
    while (done < count) {
      const sent = libc.sendmmsg(
        fd,
        this.#base + this.#headers + done * MMSGHDR_BYTES,
        count - done,
        MSG_DONTWAIT,
      );
      if (sent > 0) {
        done += sent;
        retried = false;
        continue;
      }
      const errno = lastErrno();
      if (errno === EINTR) continue;
      const message = this.#staged[done]!;
      if (errno === EIO && plan.segments[message]! > 1) {
        plan.laneSegments[lane] = 1;
        plan.segmentationFailures += 1;
        plan.result[message] = this.#sendUnsegmented(plan, message, fd, done);
      } else if (!retried && this.#canRetry(fd, errno)) {
        retried = true;
        continue;
      } else {
        plan.result[message] = outcomeOf(errno);
        if (errno === EAGAIN) {
          // Nothing behind it would fare better.
          for (let index = done; index < count; index += 1)
            plan.result[this.#staged[index]!] = SEND_FULL;
          return;
        }
      }
      done += 1;
      retried = false;
    }
  }

  /** Does what may make the next try succeed; false when nothing would. */
  #canRetry(fd: number, errno: number): boolean {
    if (errno === EAGAIN) {
      this.#view.setInt32(this.#pollfd, fd, true);
      this.#view.setUint32(this.#pollfd + 4, POLLOUT, true);
      return libc.poll(this.#base + this.#pollfd, 1, FULL_WAIT_MS) > 0;
    }
    if (outcomeOf(errno) !== SEND_UNREACHABLE && errno !== EMSGSIZE) return false;
    this.#drain(fd);
    return true;
  }

  /** Sends each datagram of a message by itself. */
  #sendUnsegmented(plan: TransmitPlan, message: number, fd: number, staged: number): number {
    const view = this.#view;
    const header = this.#segmentHeader;
    const from = this.#headers + staged * MMSGHDR_BYTES;
    for (let offset = 0; offset < MMSGHDR_BYTES; offset += 4) {
      view.setUint32(header + offset, view.getUint32(from + offset));
    }
    const tosBytes = plan.tos[message]! === 0 ? 0 : CMSG_SPACE;
    view.setUint32(header + MMSGHDR_CONTROL_LENGTH, tosBytes, true);
    let iovec = plan.iovecOffset[message]!;
    let left = plan.iovecs[message]!;
    let result = SENT;
    for (let segment = 0; segment < plan.segments[message]!; segment += 1) {
      const iovecs = segmentIovecs(view, iovec, plan.segmentBytes[message]!, left);
      writeUint64(view, header + MMSGHDR_IOVECS, this.#base + iovec);
      view.setUint32(header + MMSGHDR_IOVEC_COUNT, iovecs, true);
      if (libc.sendmsg(fd, this.#base + header, MSG_DONTWAIT) < 0) result = outcomeOf(lastErrno());
      iovec += iovecs * IOVEC_BYTES;
      left -= iovecs;
    }
    return result;
  }

  /** What the queue says of the path is not used yet; that it is empty keeps one dead remote from failing sends to others. */
  #drain(fd: number): void {
    for (let index = 0; index < ERRORS_DRAINED_MAX; index += 1) {
      if (libc.recvmsg(fd, this.#base + this.#errorHeader, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    }
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
