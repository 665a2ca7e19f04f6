/** The transmit sockets of one worker, given to the lanes of its sender. */
import type { FastSender } from '../linux/fast-sender.ts';
import type { PortableUnderlay } from '../linux/portable-underlay.ts';
import { SEGMENTS_MAX, type TransmitPlan } from '../packet/transmit-plan.ts';
import type { PoolCommand } from './worker-protocol.ts';

export class TransmitLanes {
  readonly #plan: TransmitPlan;
  readonly #sender: FastSender;
  readonly #portable: PortableUnderlay;
  readonly #lanesPerPool: number;
  readonly #pools = new Map<number, PoolCommand>();

  constructor(
    plan: TransmitPlan,
    sender: FastSender,
    portable: PortableUnderlay,
    lanesPerPool: number,
  ) {
    this.#plan = plan;
    this.#sender = sender;
    this.#portable = portable;
    this.#lanesPerPool = lanesPerPool;
  }

  async open(command: PoolCommand): Promise<void> {
    const { pool, family, firstLane, fast, portable } = command;
    this.#pools.set(pool, command);
    if (fast === undefined) {
      const lanes = this.#lanesPerPool;
      await this.#portable.openPool(pool, { family, firstLane, lanes, ...portable! });
      return;
    }
    fast.fds.forEach((fd, index) => {
      this.#sender.setLane(firstLane + index, fd, family, fast.source);
      this.#plan.laneSegments[firstLane + index] = fast.segmentation ? SEGMENTS_MAX : 1;
    });
  }

  close(pool: number): void {
    const command = this.#pools.get(pool);
    if (command === undefined) return;
    this.#pools.delete(pool);
    command.fast?.fds.forEach((_, index) => this.#sender.clearLane(command.firstLane + index));
    if (command.portable !== undefined) this.#portable.closePool(pool);
  }

  closeAll(): void {
    for (const pool of [...this.#pools.keys()]) this.close(pool);
  }
}
