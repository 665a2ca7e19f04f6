// Hot path: no allocation, no throw, no await.

/**
 * How many MACs may be learned, and how many are, by tunnel and by remote.
 *
 * Counts change only where the lock of the FDB is held, so they are exact; they are read without it, and
 * judged again under it. Static and control-plane entries are nobody's count. A MAC that moves to a remote
 * at its limit is let through: it adds nothing to the tunnel, and a refused move would send its frames to
 * the place that it left.
 *
 * Counts belong to rows of the table of remotes. A row is freed only when no learned entry points at it
 * (see vtep/fdb-references.ts), so a row that is given to another remote begins at 0.
 */
import type { RemoteRows } from './remote-rows.ts';

const TUNNEL_WORDS = 4;
const COUNT = 0;
const MAX = 1;
const REMOTE_MAX = 2;

/** Limits of one tunnel, in learned entries; 0 is none. */
export interface LearnLimit {
  readonly tunnel: number;
  /** Of each of its remotes. */
  readonly remote: number;
}

export class LearnLimits {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #remotes: RemoteRows;
  /** Where the tunnels begin, behind a word for each remote. */
  readonly #tunnelsAt: number;

  /** For tunnels 0..tunnels-1 and the rows of `remotes`; over the `memory` of another thread's, if given. */
  constructor(tunnels: number, remotes: RemoteRows, memory?: SharedArrayBuffer) {
    this.#remotes = remotes;
    this.#tunnelsAt = remotes.capacity;
    const words = remotes.capacity + tunnels * TUNNEL_WORDS;
    this.memory = memory ?? new SharedArrayBuffer(words * 4);
    this.#words = new Int32Array(this.memory);
  }

  /** Main thread: from now on; what is learned already stays. */
  setLimit(tunnel: number, limit: LearnLimit): void {
    const at = this.#at(tunnel);
    this.#words[at + MAX] = limit.tunnel;
    this.#words[at + REMOTE_MAX] = limit.remote;
  }

  /** Learned entries of a tunnel. */
  learned(tunnel: number): number {
    return this.#words[this.#at(tunnel) + COUNT]!;
  }

  /** Learned entries that name this remote row. */
  learnedOf(remote: number): number {
    return this.#words[remote]!;
  }

  /** True when the tunnel of the remote has learned as many as it may. */
  isTunnelFull(remote: number): boolean {
    const at = this.#at(this.#remotes.tunnel(remote));
    const max = this.#words[at + MAX]!;
    return max !== 0 && this.#words[at + COUNT]! >= max;
  }

  /** True when nothing more may be learned from this remote. */
  isFull(remote: number): boolean {
    const max = this.#words[this.#at(this.#remotes.tunnel(remote)) + REMOTE_MAX]!;
    return (max !== 0 && this.#words[remote]! >= max) || this.isTunnelFull(remote);
  }

  /** An entry was learned from the remote. For the holder of the FDB's lock, as the next one. */
  add(remote: number): void {
    this.#change(remote, 1);
  }

  /** A learned entry of the remote went, or became another's. */
  remove(remote: number): void {
    this.#change(remote, -1);
  }

  #change(remote: number, by: number): void {
    const at = this.#at(this.#remotes.tunnel(remote)) + COUNT;
    Atomics.store(this.#words, remote, this.#words[remote]! + by);
    Atomics.store(this.#words, at, this.#words[at]! + by);
  }

  #at(tunnel: number): number {
    return this.#tunnelsAt + tunnel * TUNNEL_WORDS;
  }
}
