/** What the service manager is told, and asks for: sd_notify(3), sd_watchdog_enabled(3). */
import { syscallError } from './errno.ts';
import { lastErrno, libc } from './libc.ts';
import { AF_UNIX, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from './uapi.ts';

/** linux/un.h, struct sockaddr_un: family (16), path. */
const PATH_OFFSET = 2;
const PATH_BYTES_MAX = 108;

/**
 * Sends `lines` ("READY=1\nSTATUS=…") to the service manager; false when nobody asked for it or it
 * does not listen.
 *
 * Never blocks. Throws ERR_SYSCALL only when no socket can be made at all.
 */
export function notify(
  lines: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  const address = socketAddress(environment['NOTIFY_SOCKET']);
  if (address === undefined) return false;
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw syscallError('open', lastErrno(), 'a unix socket');
  try {
    const bytes = Buffer.from(lines);
    const sent = libc.sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, address, address.length);
    return sent === bytes.length;
  } finally {
    libc.close(fd);
  }
}

/**
 * How long the service manager waits for `WATCHDOG=1` before it ends the process, in milliseconds.
 *
 * Undefined when it does not watch this process. Tell it twice as often.
 */
export function watchdogIntervalMs(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): number | undefined {
  const pid = environment['WATCHDOG_PID'];
  if (pid !== undefined && pid !== '' && Number(pid) !== process.pid) return undefined;
  const microseconds = Number(environment['WATCHDOG_USEC'] ?? '');
  if (!Number.isSafeInteger(microseconds) || microseconds <= 0) return undefined;
  return microseconds / 1000;
}

/**
 * A path, or a name in the abstract space written with a leading `@`; undefined for anything else.
 */
function socketAddress(name: string | undefined): Uint8Array | undefined {
  if (name === undefined || !/^[/@]./u.test(name)) return undefined;
  const path = Buffer.from(name);
  if (path.length >= PATH_BYTES_MAX) return undefined;
  if (name.startsWith('@')) path[0] = 0;
  const address = Buffer.alloc(PATH_OFFSET + path.length);
  address.writeUInt16LE(AF_UNIX, 0);
  address.set(path, PATH_OFFSET);
  return address;
}
