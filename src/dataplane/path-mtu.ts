// Hot path: no allocation, no throw, no await.

const WORDS = 2;
const MTU = 0;
const EXPIRES = 1;

/** RFC 1191 section 6.3: after ten minutes a larger packet may be tried again. The kernel has the same. */
export const PATH_MTU_SECONDS = 600;

const IPV4_AND_UDP = 28;
const IPV6_AND_UDP = 48;

/**
 * What is known of the path to each remote, by its row: the largest outer IP packet that gets through.
 *
 * A worker that is refused a datagram notes here what the kernel said, so that all workers know the frame
 * that does not fit before they send it. The main thread corrects it when the kernel knows better. Shared
 * memory; a row is two words that may be seen half changed, which costs one wrong try.
 */
export class PathMtuTable {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** `capacity` is that of the table of remotes. */
  constructor(capacity: number, memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(capacity * WORDS * 4);
    this.#words = new Int32Array(this.memory);
  }

  /** Bytes of an IP packet, 0 while nothing has been learned (or the row is another remote's now). */
  mtu(remote: number): number {
    return this.#words[remote * WORDS + MTU]!;
  }

  /** Second in which what was learned is no longer believed. */
  expires(remote: number): number {
    return this.#words[remote * WORDS + EXPIRES]!;
  }

  /** Notes that packets larger than `mtu` bytes do not get through. */
  learn(remote: number, mtu: number, nowSeconds: number): void {
    this.#words[remote * WORDS + EXPIRES] = nowSeconds + PATH_MTU_SECONDS;
    this.#words[remote * WORDS + MTU] = mtu;
  }

  /** Forgets what was learned. */
  clear(remote: number): void {
    this.#words[remote * WORDS + MTU] = 0;
  }

  /**
   * True when a UDP payload of `size` bytes does not fit the path over IPv4 or IPv6 (`family`). What has
   * expired is forgotten.
   */
  exceeds(remote: number, family: number, size: number, nowSeconds: number): boolean {
    const mtu = this.#words[remote * WORDS + MTU]!;
    if (mtu === 0 || size + (family === 4 ? IPV4_AND_UDP : IPV6_AND_UDP) <= mtu) return false;
    if (this.#words[remote * WORDS + EXPIRES]! > nowSeconds) return true;
    this.clear(remote);
    return false;
  }
}
