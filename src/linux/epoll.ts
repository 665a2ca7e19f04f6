/** Many descriptors waited for at once, at a price that does not grow with their number (epoll(7)). */
import type { ArenaAllocator } from '../packet/arena.ts';
import { EINTR, syscallError } from './errno.ts';
import { lastErrno, libc } from './libc.ts';
import {
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
} from './uapi.ts';

/** `struct epoll_event` is packed on x86-64 only (linux/eventpoll.h): events (32), then a token (64). */
const PACKED = process.arch === 'x64';
const EVENT_BYTES = PACKED ? 12 : 16;
const TOKEN_OFFSET = PACKED ? 4 : 8;
/** Descriptors told in one call; the others come first in the next. */
const EVENTS = 32;

export class Epoll {
  /** Readable itself while one of its descriptors is ready. */
  readonly fd: number;
  readonly #view: DataView;
  readonly #base: number;
  readonly #events: number;
  readonly #change: number;

  /** Close it with {@link close}. */
  constructor(memory: ArenaAllocator) {
    this.#view = memory.arena.view;
    this.#base = memory.arena.base;
    this.#events = memory.take(EVENTS * EVENT_BYTES);
    this.#change = memory.take(EVENT_BYTES);
    this.fd = libc.epoll_create1(EPOLL_CLOEXEC);
    if (this.fd < 0) throw syscallError('epoll_create1', lastErrno());
  }

  /** Arena bytes that the constructor takes, alignment included. */
  static bytesFor(): number {
    return (EVENTS + 1) * EVENT_BYTES + 128;
  }

  /** Waits for `fd` from now on, under a number of the caller's, 0..2^31-1. */
  add(fd: number, token: number): void {
    this.#view.setUint32(this.#change, EPOLLIN, true);
    this.#view.setUint32(this.#change + TOKEN_OFFSET, token, true);
    this.#control(EPOLL_CTL_ADD, fd);
  }

  remove(fd: number): void {
    this.#control(EPOLL_CTL_DEL, fd);
  }

  /**
   * Waits at most `timeoutMs` until a descriptor has something to read, or an error; returns how many do.
   * Level-triggered, and fair: those that were told last are told again after the others.
   */
  wait(timeoutMs: number): number {
    const count = libc.epoll_wait(this.fd, this.#base + this.#events, EVENTS, timeoutMs);
    if (count >= 0 || lastErrno() === EINTR) return count;
    throw syscallError('epoll_wait', lastErrno());
  }

  /** Token of the event in place `index` of the last {@link wait}. */
  token(index: number): number {
    return this.#view.getInt32(this.#events + index * EVENT_BYTES + TOKEN_OFFSET, true);
  }

  /** True when the event says that the descriptor serves no more: a TAP whose device is gone, say. */
  hasFailed(index: number): boolean {
    const events = this.#view.getUint32(this.#events + index * EVENT_BYTES, true);
    return (events & (EPOLLERR | EPOLLHUP)) !== 0;
  }

  close(): void {
    libc.close(this.fd);
  }

  #control(operation: number, fd: number): void {
    if (libc.epoll_ctl(this.fd, operation, fd, this.#base + this.#change) < 0)
      throw syscallError('epoll_ctl', lastErrno(), `descriptor ${fd}`);
  }
}
