/** Notices that interfaces, addresses or routes have changed, without being told what. */
import { EAGAIN, EINTR, ENOBUFS, syscallError } from './errno.ts';
import { lastErrno, libc } from './libc.ts';
import * as uapi from './uapi.ts';

/** struct sockaddr_nl (linux/netlink.h): family (16), pad, port (32), groups (32). */
const SOCKADDR_NL_LENGTH = 12;
const GROUPS_OFFSET = 8;
const GROUPS =
  uapi.RTMGRP_LINK |
  uapi.RTMGRP_IPV4_IFADDR |
  uapi.RTMGRP_IPV4_ROUTE |
  uapi.RTMGRP_IPV6_IFADDR |
  uapi.RTMGRP_IPV6_ROUTE;

/** A whole routing table may be replaced at once: what is left is read the next time. */
const MESSAGES_MAX = 256;

/**
 * A subscription to the kernel's notifications. They are not read but counted: who wants to know what is
 * the case now asks for that, which is simpler than to follow each message and cannot drift away.
 */
export class NetlinkChanges {
  #fd: number;
  readonly #bytes = new Uint8Array(64);

  /** Throws ERR_SYSCALL, ERR_PERMISSION. */
  constructor() {
    const type = uapi.SOCK_RAW | uapi.SOCK_CLOEXEC | uapi.SOCK_NONBLOCK;
    this.#fd = libc.socket(uapi.AF_NETLINK, type, uapi.NETLINK_ROUTE);
    if (this.#fd < 0) throw syscallError('open', lastErrno(), 'a netlink socket');
    const address = Buffer.alloc(SOCKADDR_NL_LENGTH);
    address.writeUInt16LE(uapi.AF_NETLINK, 0);
    address.writeUInt32LE(GROUPS, GROUPS_OFFSET);
    if (libc.bind(this.#fd, address, address.length) === 0) return;
    const errno = lastErrno();
    this.close();
    throw syscallError('subscribe to', errno, 'changes of routes');
  }

  /** True when anything has changed since the last call; never waits. */
  take(): boolean {
    let changed = false;
    for (let message = 0; message < MESSAGES_MAX; message += 1) {
      // A message longer than the buffer is cut off: that there is one is enough.
      if (libc.recv(this.#fd, this.#bytes, this.#bytes.length, 0) < 0) {
        const errno = lastErrno();
        if (errno === EAGAIN) return changed;
        // ENOBUFS: so many that some were lost.
        if (errno !== EINTR && errno !== ENOBUFS) throw syscallError('read', errno, 'netlink');
      }
      changed = true;
    }
    return changed;
  }

  close(): void {
    if (this.#fd >= 0) libc.close(this.#fd);
    this.#fd = -1;
  }
}
