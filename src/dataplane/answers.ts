// Hot path: no allocation, no throw, no await.
import type { Arena } from '../packet/arena.ts';
import { DELIVERED, DeliveryPlan } from '../packet/delivery-plan.ts';
import type { Counters } from './counters.ts';
import type { OverlayWriter } from './devices.ts';
import { DROP_TAP_WRITE } from './drop-reasons.ts';
import type { VlanTable } from './vlan-table.ts';
import { tagForDevice } from './vlan-tag.ts';

/** Longest answer, Ethernet header included. */
export const ANSWER_BYTES_MAX = 2048;
/** Answers of one batch: as many as a batch has frames. */
export const ANSWERS_MAX = 64;

const NO_ROOM = -1;
/** In front of each answer: room for a VLAN tag, in a width that keeps them aligned. */
const HEADROOM = 8;
const BUFFER_BYTES = HEADROOM + ANSWER_BYTES_MAX;
const IOVECS_PER_ANSWER = 2;
const NO_REMOTE = -1;

/**
 * Frames that one worker makes itself and writes back to the device that it reads: replies to ARP
 * requests and neighbour solicitations, ICMP errors. They gather while a batch is transmitted and are
 * written after it, so that reading and sending are not held up.
 *
 * An answer that the device refuses counts as a drop of its tunnel. What was answered counts for whoever
 * answers.
 */
export class Answers {
  /** The arena that {@link begin}'s offsets are in. */
  readonly arena: Arena;
  readonly #worker: number;
  readonly #counters: Counters;
  readonly #vlans: VlanTable;
  readonly #writer: OverlayWriter;
  readonly #plan: DeliveryPlan;
  readonly #buffers: number;
  #tunnel = 0;

  /** `offset` is that of {@link Answers.bytes} bytes of the arena; `writer` writes to the devices. */
  constructor(
    worker: number,
    counters: Counters,
    vlans: VlanTable,
    arena: Arena,
    offset: number,
    writer: OverlayWriter,
  ) {
    this.arena = arena;
    this.#worker = worker;
    this.#counters = counters;
    this.#vlans = vlans;
    this.#writer = writer;
    this.#buffers = offset;
    const plan = offset + ANSWERS_MAX * BUFFER_BYTES;
    this.#plan = new DeliveryPlan(arena, plan, ANSWERS_MAX, ANSWERS_MAX * IOVECS_PER_ANSWER);
  }

  /** Bytes of an arena that one object needs. */
  static get bytes(): number {
    const plan = DeliveryPlan.bytesFor(ANSWERS_MAX, ANSWERS_MAX * IOVECS_PER_ANSWER);
    return ANSWERS_MAX * BUFFER_BYTES + plan;
  }

  /**
   * Offset of {@link ANSWER_BYTES_MAX} bytes of the arena for a frame to the device of `tunnel`, or -1 when
   * there are too many answers already. The bytes hold whatever was there before. Nothing is written
   * without {@link commit}; an answer that was begun and not committed is forgotten with the next begin().
   */
  begin(tunnel: number): number {
    if (this.#plan.full) return NO_ROOM;
    this.#tunnel = tunnel;
    return this.#buffers + this.#plan.count * BUFFER_BYTES + HEADROOM;
  }

  /**
   * The frame at the offset that begin() returned is complete and `length` bytes long. It gets the tag of the
   * VLAN that the tunnel is on its device.
   */
  commit(length: number): void {
    const frame = this.#buffers + this.#plan.count * BUFFER_BYTES + HEADROOM;
    const tagged = tagForDevice(this.arena.view, frame, this.#vlans.mode(this.#tunnel));
    this.#plan.begin(this.#tunnel, NO_REMOTE, tagged, length + frame - tagged);
  }

  /** Writes what was committed. Cheap when there is nothing. */
  flush(): void {
    const plan = this.#plan;
    if (plan.count === 0) return;
    this.#writer.write(plan);
    for (let answer = 0; answer < plan.count; answer += 1) {
      if (plan.result[answer] === DELIVERED) continue;
      this.#counters.drop(this.#worker, plan.tunnel[answer]!, DROP_TAP_WRITE, 1);
    }
    plan.clear();
  }

  /** Forgets what was committed, for a batch that could not be finished. */
  discard(): void {
    this.#plan.clear();
  }
}
