/**
 * Sends hostile input from inside a host of a lab, in batches, for node:dgram would take minutes. Run as
 * `node dist/test/support/malformed-sender.js ORDER` with a {@link SenderOrder} as JSON; prints one line of
 * JSON, a {@link SenderResult}.
 */
import { EAGAIN, EINTR, EINVAL, EMSGSIZE, ENOBUFS, errnoName } from '../../src/linux/errno.ts';
import { lastErrno, libc } from '../../src/linux/libc.ts';
import { mapArena } from '../../src/linux/memory.ts';
import {
  MMSGHDR_BYTES,
  MMSGHDR_IOVEC_COUNT,
  MMSGHDR_IOVECS,
} from '../../src/linux/message-header.ts';
import { SOCKADDR_LENGTH_MAX, writeSockaddr } from '../../src/linux/sockaddr.ts';
import { AF_INET, IP_TOS, IPPROTO_IP, SOCK_DGRAM } from '../../src/linux/uapi.ts';
import { writeUint64 } from '../../src/packet/iovec.ts';
import { parseIp } from '../../src/wire/ip.ts';
import { type Fate, Hostile, type HostileOptions } from './mutations.ts';
import { packetSocket } from './packet-socket.ts';
import { sleep } from './wait.ts';

export interface SenderOrder extends HostileOptions {
  readonly count: number;
  /**
   * Datagrams to a VTEP, with every ECN field: any, or only such as must be dropped; or frames onto an
   * interface.
   */
  readonly what:
    { readonly datagrams: 'any' | 'invalid'; readonly to: string } | { readonly frames: string };
}

export interface SenderResult {
  /** What the kernel took. */
  readonly sent: number;
  /** What becomes of them, where reserved bits are refused. */
  readonly fates: Partial<Record<Fate, number>>;
}

const PORT = 4789;
const BATCH = 64;
const ROOM = 16_384;
/** Between batches, so that no queue overflows: at most some 30,000 a second. */
const PAUSE_MS = 2;
const HEADERS = BATCH * MMSGHDR_BYTES;
const IOVECS = BATCH * 16;

async function main(order: SenderOrder): Promise<SenderResult> {
  const { what } = order;
  const hostile = new Hostile(order);
  const make = (): Uint8Array => {
    if ('frames' in what) return hostile.frame();
    return what.datagrams === 'any' ? hostile.datagram() : hostile.invalid();
  };
  const fd = 'frames' in what ? packetSocket(what.frames) : udpSocket(what.to);
  const arena = mapArena(HEADERS + IOVECS + BATCH * ROOM);
  for (let index = 0; index < BATCH; index += 1) {
    const header = index * MMSGHDR_BYTES;
    const iovec = HEADERS + index * 16;
    writeUint64(arena.view, header + MMSGHDR_IOVECS, arena.base + iovec);
    writeUint64(arena.view, header + MMSGHDR_IOVEC_COUNT, 1);
    writeUint64(arena.view, iovec, arena.base + HEADERS + IOVECS + index * ROOM);
  }
  const fates: Partial<Record<Fate, number>> = {};
  let sent = 0;
  for (let left = order.count; left > 0; left -= BATCH) {
    const batch = Array.from({ length: Math.min(left, BATCH) }, make);
    for (const [index, bytes] of batch.entries()) {
      arena.bytes.set(bytes, HEADERS + IOVECS + index * ROOM);
      writeUint64(arena.view, HEADERS + index * 16 + 8, bytes.length);
    }
    if ('datagrams' in what) setEcn(fd, hostile.below(4));
    for (let next = 0; next < batch.length;) {
      const taken = libc.sendmmsg(fd, arena.base + next * MMSGHDR_BYTES, batch.length - next, 0);
      if (taken < 0) {
        next += refused();
        await sleep(PAUSE_MS);
        continue;
      }
      for (const bytes of batch.slice(next, next + taken)) {
        const fate = hostile.fate(bytes, true);
        fates[fate] = (fates[fate] ?? 0) + 1;
      }
      next += taken;
      sent += taken;
    }
    await sleep(PAUSE_MS);
  }
  return { sent, fates };
}

/**
 * How many messages to pass over after a refusal: the kernel takes no frame without a whole header, and none
 * where the queue is full.
 */
function refused(): number {
  const errno = lastErrno();
  if (errno === EINTR || errno === EAGAIN) return 0;
  if ([EINVAL, EMSGSIZE, ENOBUFS].includes(errno)) return 1;
  throw new Error(`sendmmsg: ${errnoName(errno)}`);
}

function udpSocket(address: string): number {
  const fd = check('socket', libc.socket(AF_INET, SOCK_DGRAM, 0));
  const name = new Uint8Array(SOCKADDR_LENGTH_MAX);
  const view = new DataView(name.buffer);
  const length = writeSockaddr(view, 0, 4, parseIp(address)!, 0, PORT, 0);
  check('connect', libc.connect(fd, name, length));
  return fd;
}

function setEcn(fd: number, ecn: number): void {
  const value = new Uint8Array(new Int32Array([ecn]).buffer);
  check('setsockopt', libc.setsockopt(fd, IPPROTO_IP, IP_TOS, value, value.length));
}

function check(call: string, result: number): number {
  if (result >= 0) return result;
  throw new Error(`${call}: ${errnoName(lastErrno())}`);
}

console.log(JSON.stringify(await main(JSON.parse(process.argv[2]!) as SenderOrder)));
