/** Questions to the kernel's routing family (rtnetlink), asked and answered synchronously. */
import { VtepError } from '../base/errors.ts';
import { EAGAIN, EINTR, ETIMEDOUT, errnoName, syscallError } from './errno.ts';
import { lastErrno, libc } from './libc.ts';
import {
  MESSAGE_HEADER_LENGTH,
  parseAttributes,
  parseMessages,
  textAttribute,
  type NetlinkMessage,
  type RequestBuilder,
} from './netlink-message.ts';
import * as uapi from './uapi.ts';

/**
 * The largest answer the kernel makes to one question; dumps arrive in pieces that fit what we
 * offer.
 */
const RECEIVE_BYTES = 256 << 10;
/**
 * An answer is ready when the request has been sent; the limit is for a kernel that never answers.
 */
const TIMEOUT_SECONDS = 2;
/** A dump is repeated when the tables changed under it. */
const DUMP_ATTEMPTS = 3;

/**
 * What the kernel refused, with its number, so that callers can tell expected answers from
 * failures.
 */
export class NetlinkError extends Error {
  readonly errno: number;

  constructor(errno: number, detail: string | undefined) {
    super(detail === undefined ? errnoName(errno) : `${errnoName(errno)} (${detail})`);
    this.name = 'NetlinkError';
    this.errno = errno;
  }
}

/**
 * Sends one request and returns the messages of the answer, without acknowledgements.
 *
 * With NLM_F_DUMP in `flags` the answer is a list, else at most one message. Throws NetlinkError
 * when the kernel refuses, VtepError when it cannot be asked. Blocks for two seconds at most; opens
 * and closes a socket each time.
 */
export function netlinkRequest(
  type: number,
  flags: number,
  request: RequestBuilder,
): NetlinkMessage[] {
  const dump = (flags & uapi.NLM_F_DUMP) === uapi.NLM_F_DUMP;
  for (let attempt = 1; ; attempt++) {
    const { messages, interrupted } = exchange(type, flags, request, dump);
    if (!interrupted || attempt === DUMP_ATTEMPTS) return messages;
  }
}

/** A NetlinkError as the error for the user; other values come back as they are. */
export function netlinkFailure(action: string, error: unknown, hint?: string): unknown {
  if (!(error instanceof NetlinkError)) return error;
  const { code } = syscallError(action, error.errno);
  return new VtepError(code, `Cannot ${action}: ${error.message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

interface Answer {
  readonly messages: NetlinkMessage[];
  readonly interrupted: boolean;
}

function exchange(type: number, flags: number, request: RequestBuilder, dump: boolean): Answer {
  const fd = openNetlink();
  try {
    const sequence = 1;
    // Without an acknowledgement a request that changes something would have no answer at all.
    const all = flags | uapi.NLM_F_REQUEST | (dump ? 0 : uapi.NLM_F_ACK);
    const bytes = request.build(type, all, sequence);
    if (libc.send(fd, bytes, bytes.length, 0) < 0)
      throw syscallError('send', lastErrno(), 'netlink');
    return collect(fd, sequence);
  } finally {
    libc.close(fd);
  }
}

function collect(fd: number, sequence: number): Answer {
  const messages: NetlinkMessage[] = [];
  let interrupted = false;
  for (;;) {
    for (const message of parseMessages(receive(fd))) {
      if (message.sequence !== sequence) continue;
      if ((message.flags & uapi.NLM_F_DUMP_INTR) !== 0) interrupted = true;
      if (message.type === uapi.NLMSG_DONE || message.type === uapi.NLMSG_ERROR) {
        throwWhenRefused(message);
        return { messages, interrupted };
      }
      messages.push(message);
    }
  }
}

/** Both kinds of last message begin with 0 or a negative error number. */
function throwWhenRefused(message: NetlinkMessage): void {
  const errno = message.body.length < 4 ? 0 : -message.body.readInt32LE(0);
  if (errno === 0) return;
  throw new NetlinkError(errno, extendedAck(message));
}

/** The kernel's own words about a refusal: attributes behind the echo of the request's header. */
function extendedAck(message: NetlinkMessage): string | undefined {
  if ((message.flags & uapi.NLM_F_ACK_TLVS) === 0) return undefined;
  const echo =
    (message.flags & uapi.NLM_F_CAPPED) !== 0 || message.body.length < 8
      ? MESSAGE_HEADER_LENGTH
      : message.body.readUInt32LE(4);
  return textAttribute(parseAttributes(message.body, 4 + echo), uapi.NLMSGERR_ATTR_MSG);
}

function openNetlink(): number {
  const type = uapi.SOCK_RAW | uapi.SOCK_CLOEXEC;
  const fd = libc.socket(uapi.AF_NETLINK, type, uapi.NETLINK_ROUTE);
  if (fd < 0) throw syscallError('open', lastErrno(), 'a netlink socket');
  const timeout = Buffer.alloc(16);
  timeout.writeUInt32LE(TIMEOUT_SECONDS, 0);
  libc.setsockopt(fd, uapi.SOL_SOCKET, uapi.SO_RCVTIMEO, timeout, timeout.length);
  // Both make error messages better and may be missing.
  const on = Buffer.from([1, 0, 0, 0]);
  libc.setsockopt(fd, uapi.SOL_NETLINK, uapi.NETLINK_CAP_ACK, on, on.length);
  libc.setsockopt(fd, uapi.SOL_NETLINK, uapi.NETLINK_EXT_ACK, on, on.length);
  return fd;
}

function receive(fd: number): Buffer {
  const buffer = Buffer.allocUnsafe(RECEIVE_BYTES);
  for (;;) {
    const length = libc.recv(fd, buffer, buffer.length, uapi.MSG_TRUNC);
    if (length > buffer.length)
      throw new VtepError('ERR_SYSCALL', 'Cannot read netlink: answer too long');
    if (length >= 0) return buffer.subarray(0, length);
    const errno = lastErrno();
    if (errno === EINTR) continue;
    throw syscallError('read', errno === EAGAIN ? ETIMEDOUT : errno, 'netlink');
  }
}
