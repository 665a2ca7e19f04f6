/** What a worker reads from, queues of TAPs and receive sockets, and which of them have something. */
import { Epoll } from '../linux/epoll.ts';
import { libc } from '../linux/libc.ts';
import type { ArenaAllocator } from '../packet/arena.ts';

export const NO_FD = -1;

/** A pause: nothing arrived for this long. */
const PAUSE_MS = 1;
/**
 * Looks before the thread goes to sleep, some 50 us in all: to wake it again would take about as long
 * (more in a virtual machine), and answers come sooner. Between two looks the CPU belongs to whoever wants
 * it, so that nobody pays for this but an idle CPU.
 */
const LOOKS = 50;

export class Descriptors {
  readonly #epoll: Epoll;
  /** By tunnel; the token of each is the tunnel. */
  readonly #queues: Int32Array;
  /** By endpoint; the tokens come behind all tunnels'. */
  readonly #sockets: Int32Array;

  constructor(memory: ArenaAllocator, tunnels: number, endpoints: number) {
    this.#epoll = new Epoll(memory);
    this.#queues = new Int32Array(tunnels).fill(NO_FD);
    this.#sockets = new Int32Array(endpoints).fill(NO_FD);
  }

  /** Readable while something waits in any of them. */
  get fd(): number {
    return this.#epoll.fd;
  }

  /** The queue that is read for a tunnel, or NO_FD. */
  queue(tunnel: number): number {
    return this.#queues[tunnel]!;
  }

  /** The socket that is read for an endpoint, or NO_FD. */
  socket(endpoint: number): number {
    return this.#sockets[endpoint]!;
  }

  /** Reads `fd` from now on; it stays the caller's to close, after {@link removeQueue}. */
  addQueue(tunnel: number, fd: number): void {
    this.#epoll.add(fd, tunnel);
    this.#queues[tunnel] = fd;
  }

  /** Reads `fd` from now on; it stays the caller's to close, after {@link removeSocket}. */
  addSocket(endpoint: number, fd: number): void {
    this.#epoll.add(fd, this.#queues.length + endpoint);
    this.#sockets[endpoint] = fd;
  }

  removeQueue(tunnel: number): void {
    this.#remove(this.#queues, tunnel);
  }

  removeSocket(endpoint: number): void {
    this.#remove(this.#sockets, endpoint);
  }

  /** How many have something, at once. */
  ready(): number {
    return this.#epoll.wait(0);
  }

  /** Waits until one has something and returns how many do, or 0 after a pause. */
  next(): number {
    for (let look = 0; look < LOOKS; look += 1) {
      const count = this.#epoll.wait(0);
      if (count > 0) return count;
      libc.sched_yield();
    }
    return this.#epoll.wait(PAUSE_MS);
  }

  /** Of the ready descriptor in place `index`: its tunnel, or -1 when it is a socket. */
  tunnelOf(index: number): number {
    const token = this.#epoll.token(index);
    return token < this.#queues.length ? token : -1;
  }

  /** Of the ready descriptor in place `index`, a socket: its endpoint. */
  endpointOf(index: number): number {
    return this.#epoll.token(index) - this.#queues.length;
  }

  /** True when the descriptor in place `index` serves no more. */
  hasFailed(index: number): boolean {
    return this.#epoll.hasFailed(index);
  }

  /** Forgets all of them; none is closed. */
  close(): void {
    this.#epoll.close();
  }

  #remove(fds: Int32Array, index: number): void {
    const fd = fds[index]!;
    fds[index] = NO_FD;
    if (fd !== NO_FD) this.#epoll.remove(fd);
  }
}
