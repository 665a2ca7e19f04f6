// Hot path: no allocation, no throw, no await.
import type { RemoteRows } from '../fdb/remote-rows.ts';
import { IOVEC_BYTES, iovecAddress, iovecLength } from '../packet/iovec.ts';
import type { TransmitPlan } from '../packet/transmit-plan.ts';
import type { Answers } from './answers.ts';
import type { PathMtuTable } from './path-mtu.ts';
import type { Segmenter } from './segment.ts';
import type { SharedTables } from './shared-tables.ts';
import { TooBig } from './too-big.ts';

/**
 * Holds frames to what the path to their remote takes: refuses beforehand what is known not to fit, learns
 * from what the kernel refused, and lets the sender know of both.
 */
export class PathLimit {
  readonly #pathMtus: PathMtuTable;
  readonly #remotes: RemoteRows;
  readonly #tooBig: TooBig;

  constructor(tables: SharedTables, answers: Answers) {
    this.#pathMtus = tables.pathMtus;
    this.#remotes = tables.remotes;
    this.#tooBig = new TooBig(answers, tables.tunnels.capacity);
  }

  /** True when the pieces of the frame in hand may be sent; else its sender has been answered. */
  admits(segmenter: Segmenter, tunnel: number, remote: number, nowSeconds: number): boolean {
    const { headOffset, headLength, tailOffset, tailLength } = segmenter;
    const family = this.#remotes.family(remote);
    // The first piece is the largest.
    const size = headLength[0]! + tailLength[0]!;
    if (!this.#pathMtus.exceeds(remote, family, size, nowSeconds)) return true;
    this.#tooBig.answer(
      tunnel,
      headOffset[0]!,
      headLength[0]!,
      tailOffset[0]!,
      tailLength[0]!,
      this.#pathMtus.mtu(remote),
      family,
      nowSeconds,
    );
    return false;
  }

  /** Learns from a message that was refused as too big; the sender of its first frame is answered. */
  learn(plan: TransmitPlan, message: number, nowSeconds: number): void {
    const mtu = plan.pathMtu[message]!;
    if (mtu === 0) return;
    const { view, base } = plan.arena;
    const remote = plan.remote[message]!;
    this.#pathMtus.learn(remote, mtu, nowSeconds);
    const head = plan.iovecOffset[message]!;
    const tail = head + IOVEC_BYTES;
    const headLength = iovecLength(view, head);
    const hasTail = headLength < plan.segmentBytes[message]!;
    this.#tooBig.answer(
      plan.tunnel[message]!,
      iovecAddress(view, head) - base,
      headLength,
      hasTail ? iovecAddress(view, tail) - base : 0,
      hasTail ? iovecLength(view, tail) : 0,
      mtu,
      this.#remotes.family(remote),
      nowSeconds,
    );
  }
}
