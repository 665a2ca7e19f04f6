/** Which interfaces change, told by the kernel instead of asked for one by one. */
import { VtepError } from '../base/errors.ts';
import { EAGAIN, EINTR, ENOBUFS, syscallError } from './errno.ts';
import { lastErrno, libc } from './libc.ts';
import { listLinks, parseLink, type Link } from './netlink-link.ts';
import { parseMessages } from './netlink-message.ts';
import * as uapi from './uapi.ts';

/** linux/netlink.h, struct sockaddr_nl: family (16), pad (16), port (32), groups (32). */
const SOCKADDR_NL_LENGTH = 12;
const GROUPS_OFFSET = 8;
const RECEIVE_BYTES = 64 << 10;

/** Follows the interfaces of the network namespace it was made in; its owner asks now and then. */
export class LinkMonitor {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(RECEIVE_BYTES);

  /** Throws ERR_SYSCALL when the kernel has no socket for it. */
  constructor() {
    const type = uapi.SOCK_RAW | uapi.SOCK_CLOEXEC | uapi.SOCK_NONBLOCK;
    this.#fd = libc.socket(uapi.AF_NETLINK, type, uapi.NETLINK_ROUTE);
    if (this.#fd < 0) throw syscallError('open', lastErrno(), 'a netlink socket');
    const address = Buffer.alloc(SOCKADDR_NL_LENGTH);
    address.writeUInt16LE(uapi.AF_NETLINK, 0);
    address.writeUInt32LE(uapi.RTMGRP_LINK, GROUPS_OFFSET);
    if (libc.bind(this.#fd, address, address.length) >= 0) return;
    const errno = lastErrno();
    this.close();
    throw syscallError('bind', errno, 'a netlink socket');
  }

  /**
   * The interfaces that were made or changed since the last call, by index, each as it is now; all of
   * them when more happened than the socket holds. Deleted ones are left out.
   */
  changes(): Map<number, Link> {
    const changed = new Map<number, Link>();
    for (;;) {
      const length = libc.recv(this.#fd, this.#buffer, this.#buffer.length, 0);
      if (length < 0) {
        const errno = lastErrno();
        if (errno === EAGAIN) return changed;
        if (errno === EINTR) continue;
        if (errno !== ENOBUFS) throw syscallError('read', errno, 'netlink');
        this.#drain();
        return new Map(listLinks().map((link) => [link.index, link]));
      }
      for (const message of parseMessages(this.#buffer.subarray(0, length))) {
        if (message.type !== uapi.RTM_NEWLINK && message.type !== uapi.RTM_DELLINK) continue;
        // A bridge tells of its ports in the same words, by another family.
        if (message.body[0] !== uapi.AF_UNSPEC) continue;
        const link = parseLink(message);
        if (message.type === uapi.RTM_NEWLINK) changed.set(link.index, link);
        else changed.delete(link.index);
      }
    }
  }

  close(): void {
    libc.close(this.#fd);
  }

  /** What waits is older than the list that is read next. */
  #drain(): void {
    while (libc.recv(this.#fd, this.#buffer, this.#buffer.length, 0) >= 0);
    const errno = lastErrno();
    if (errno !== EAGAIN && errno !== ENOBUFS && errno !== EINTR)
      throw new VtepError('ERR_SYSCALL', `Cannot read netlink: errno ${errno}`);
  }
}
