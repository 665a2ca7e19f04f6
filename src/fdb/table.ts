import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { VtepError } from '../base/errors.ts';
import { formatMac } from '../wire/mac.ts';
import { NO_ROW } from './chains.ts';
import { lock, unlock } from './lock.ts';
import { FdbRows, type LearnGuards } from './rows.ts';
import {
  AGE_UPDATED,
  AGE_USED,
  AGE_WORDS,
  BUCKET_ROWS,
  BUCKET_WORDS,
  HEADER_BUCKETS,
  HEADER_CAPACITY,
  HEADER_COUNT,
  HEADER_LEARNED,
  HEADER_LOCK,
  HEADER_MAGIC,
  HEADER_SEED,
  HEADER_WORDS,
  MAC_HIGH_MASK,
  META_FIELD_MASK,
  META_FROZEN,
  META_LIVE,
  META_MOVED,
  META_ORIGIN_SHIFT,
  META_PASSED,
  META_STATE_SHIFT,
  META_VNI_SHIFT,
  ORIGIN_LEARNED,
  ROW_DESTINATION,
  ROW_MAC_HIGH,
  ROW_MAC_LOW,
  ROW_META,
  TABLE_MAGIC,
  VERSION_SHIFT,
} from './table-layout.ts';

export { isList, LIST_FLAG } from './destination-lists.ts';
export {
  LEARN_ADDED,
  LEARN_BUSY,
  LEARN_FROZEN,
  LEARN_FULL,
  LEARN_LIMITED,
  LEARN_MIGRATED,
  LEARN_PINNED,
  LEARN_REFRESHED,
} from './rows.ts';
export {
  ORIGIN_CONTROL,
  ORIGIN_LEARNED,
  ORIGIN_STATIC,
  STATE_DYNAMIC,
  STATE_PERMANENT,
  STATE_STATIC,
} from './table-layout.ts';

/** What an entry of the FDB says. */
export interface FdbValue {
  /** Index of a remote, or a list of them, see destination-lists.ts. */
  readonly destination: number;
  /** One of the ORIGIN_ constants. */
  readonly origin: number;
  /** One of the STATE_ constants. */
  readonly state: number;
}

/** A copy of an entry as it was at one moment. */
export interface FdbEntry extends FdbValue {
  readonly vni: number;
  readonly macHigh: number;
  readonly macLow: number;
  /** When it was added, overwritten, or a frame came from it. */
  readonly updatedSeconds: number;
  /** When a frame was sent to it; at first when it was added. */
  readonly usedSeconds: number;
  /** Frames sent to it since it was added. */
  readonly frames: number;
  /** It moved too often, and stays where it is until it is released. */
  readonly frozen: boolean;
}

const CAPACITY_MAX = 1 << 26;
const COPY_ATTEMPTS = 8;

/**
 * The forwarding database: which remote a MAC lives behind, for all VNIs, in shared memory. See
 * rows.ts for what any thread may do; the methods here are for the main thread, which takes the
 * table's lock for each change.
 *
 * | operation | cost |
 * |---|---|
 * | lookup, learn, set, remove, read | constant, at any history of insertions and removals |
 * | entryAt | constant |
 * | memory | 60 bytes an entry of `capacity`, plus at most 368; mac-moves.ts has its own |
 *
 * An entry keeps its slot for life: a walk over all slots sees every entry that is there all the
 * while exactly once, whatever else comes and goes.
 *
 * Destinations and times are numbers to the table: who needs what they point at takes care of it.
 */
export class FdbTable extends FdbRows {
  /**
   * A new empty table for `capacity` entries (1..2^26). The same `seed` gives the same order of the
   * slots; by default every table has its own. `guards` gets the number of slots.
   */
  static create(
    capacity: number,
    seed = randomBytes(4).readInt32LE(),
    guards?: (slots: number) => LearnGuards,
  ): FdbTable {
    assert(Number.isInteger(capacity) && capacity > 0 && capacity <= CAPACITY_MAX, `${capacity}`);
    // A load of 53 %, and never a bucket alone.
    const buckets = Math.ceil((capacity * 15) / 8 / BUCKET_ROWS) + 1;
    const length = HEADER_WORDS + buckets * (BUCKET_WORDS + BUCKET_ROWS * AGE_WORDS);
    const words = new Int32Array(new SharedArrayBuffer(length * 4));
    words[HEADER_BUCKETS] = buckets;
    words[HEADER_MAGIC] = TABLE_MAGIC;
    words[HEADER_CAPACITY] = capacity;
    words[HEADER_SEED] = seed;
    return new FdbTable(words.buffer, guards?.(buckets * BUCKET_ROWS));
  }

  /** Entries that are there. */
  get count(): number {
    return Atomics.load(this.words, HEADER_COUNT);
  }

  /** Entries of ORIGIN_LEARNED among them. */
  get learnedCount(): number {
    return Atomics.load(this.words, HEADER_LEARNED);
  }

  /**
   * Adds or overwrites an entry, whatever its origin was: precedence is the caller's. An
   * overwritten entry keeps when it was used. Throws ERR_LIMIT when it is new and the table is
   * full.
   */
  set(vni: number, macHigh: number, macLow: number, value: FdbValue, nowSeconds: number): void {
    const { words } = this;
    const flags = (value.origin << META_ORIGIN_SHIFT) | (value.state << META_STATE_SHIFT);
    const meta = (vni << META_VNI_SHIFT) | META_LIVE | flags;
    lock(words, HEADER_LOCK);
    try {
      let row = this.find(vni, macHigh, macLow);
      if (row === NO_ROW) {
        if (words[HEADER_COUNT]! >= this.capacity) throw fullError(this, vni, macHigh, macLow);
        row = this.reserve(vni, macHigh, macLow);
        this.resetAge(row, nowSeconds);
        this.write(row, meta, macHigh, macLow, value.destination);
        words[HEADER_COUNT]! += 1;
      } else {
        if (isLearned(words, row)) this.countLearned(words[row + ROW_DESTINATION]!, -1);
        words[this.ageOf(this.slotOf(row)) + AGE_UPDATED] = nowSeconds;
        Atomics.store(words, row + ROW_META, meta | (words[row + ROW_META]! & META_PASSED));
        Atomics.store(words, row + ROW_DESTINATION, value.destination);
      }
      if (value.origin === ORIGIN_LEARNED) this.countLearned(value.destination, 1);
    } finally {
      unlock(words, HEADER_LOCK);
    }
  }

  /** Removes an entry, whatever its origin; false when there is none. */
  remove(vni: number, macHigh: number, macLow: number): boolean {
    lock(this.words, HEADER_LOCK);
    const row = this.find(vni, macHigh, macLow);
    if (row !== NO_ROW) this.#erase(row);
    unlock(this.words, HEADER_LOCK);
    return row !== NO_ROW;
  }

  /**
   * Removes the entry in a slot if it is a learned one of this VNI and was not refreshed after
   * `lastSeconds`, and returns it; else undefined. A frame that comes from it at this very moment
   * may be too late; the next one adds it anew.
   */
  removeLearned(slot: number, vni: number, lastSeconds: number): FdbEntry | undefined {
    lock(this.words, HEADER_LOCK);
    const isDue = this.learnedVni(slot) === vni && this.updatedSeconds(slot) <= lastSeconds;
    const entry = isDue ? this.#copy(slot) : undefined;
    if (isDue) this.#erase(this.rowOf(slot));
    unlock(this.words, HEADER_LOCK);
    return entry;
  }

  /** The entry of a MAC in a VNI, or undefined. */
  read(vni: number, macHigh: number, macLow: number): FdbEntry | undefined {
    lock(this.words, HEADER_LOCK);
    const row = this.find(vni, macHigh, macLow);
    const entry = row === NO_ROW ? undefined : this.#copy(this.slotOf(row));
    unlock(this.words, HEADER_LOCK);
    return entry;
  }

  /** The entry in a slot (0..slots-1), or undefined when that is empty. Takes no lock as a rule. */
  entryAt(slot: number): FdbEntry | undefined {
    const { words } = this;
    const row = this.rowOf(slot);
    for (let attempt = 0; attempt < COPY_ATTEMPTS; attempt += 1) {
      if ((words[row + ROW_META]! & META_LIVE) === 0) return undefined;
      const version = Atomics.load(words, row + ROW_MAC_HIGH);
      const entry = this.#copy(slot);
      const isOdd = ((version >> VERSION_SHIFT) & 1) !== 0;
      if (!isOdd && Atomics.load(words, row + ROW_MAC_HIGH) === version) return entry;
    }
    lock(words, HEADER_LOCK);
    const isLive = (words[row + ROW_META]! & META_LIVE) !== 0;
    const entry = isLive ? this.#copy(slot) : undefined;
    unlock(words, HEADER_LOCK);
    return entry;
  }

  /** VNI of the entry in a slot if that was learned, else -1; without a copy of the entry. */
  learnedVni(slot: number): number {
    const row = this.rowOf(slot);
    return isLearned(this.words, row) ? this.words[row + ROW_META]! >>> META_VNI_SHIFT : -1;
  }

  /** {@link FdbEntry.updatedSeconds} of the entry in a slot; meaningless when there is none. */
  updatedSeconds(slot: number): number {
    return this.words[this.ageOf(slot) + AGE_UPDATED]!;
  }

  /** Lets the MAC in a slot move again, its moves forgotten; false when it is not frozen (any more). */
  release(slot: number): boolean {
    const { words } = this;
    const row = this.rowOf(slot);
    lock(words, HEADER_LOCK);
    const meta = words[row + ROW_META]!;
    const isFrozen = (meta & META_LIVE) !== 0 && (meta & META_FROZEN) !== 0;
    if (isFrozen) Atomics.store(words, row + ROW_META, meta & ~(META_FROZEN | META_MOVED));
    unlock(words, HEADER_LOCK);
    return isFrozen;
  }

  /** True when the slot holds a frozen MAC; without a copy of the entry. */
  isFrozen(slot: number): boolean {
    const meta = this.words[this.rowOf(slot) + ROW_META]!;
    return (meta & META_LIVE) !== 0 && (meta & META_FROZEN) !== 0;
  }

  #erase(row: number): void {
    const { words } = this;
    if (isLearned(words, row)) this.countLearned(words[row + ROW_DESTINATION]!, -1);
    words[HEADER_COUNT]! -= 1;
    this.erase(row);
  }

  /** What the slot holds, live or not. Atomic: a version that is read next is not read before. */
  #copy(slot: number): FdbEntry {
    const { words } = this;
    const row = this.rowOf(slot);
    const age = this.ageOf(slot);
    const meta = Atomics.load(words, row + ROW_META);
    return {
      vni: meta >>> META_VNI_SHIFT,
      macHigh: Atomics.load(words, row + ROW_MAC_HIGH) & MAC_HIGH_MASK,
      macLow: Atomics.load(words, row + ROW_MAC_LOW) >>> 0,
      destination: Atomics.load(words, row + ROW_DESTINATION),
      origin: (meta >>> META_ORIGIN_SHIFT) & META_FIELD_MASK,
      state: (meta >>> META_STATE_SHIFT) & META_FIELD_MASK,
      updatedSeconds: words[age + AGE_UPDATED]!,
      usedSeconds: words[age + AGE_USED]!,
      frames: this.frames(slot),
      frozen: (meta & META_FROZEN) !== 0,
    };
  }
}

function isLearned(words: Int32Array, row: number): boolean {
  const meta = words[row + ROW_META]!;
  if ((meta & META_LIVE) === 0) return false;
  return ((meta >>> META_ORIGIN_SHIFT) & META_FIELD_MASK) === ORIGIN_LEARNED;
}

function fullError(table: FdbTable, vni: number, macHigh: number, macLow: number): VtepError {
  return new VtepError(
    'ERR_LIMIT',
    `Cannot add "${formatMac(macHigh, macLow)}" in VNI ${vni}: all ${table.capacity} entries are taken`,
    { hint: 'remove entries, or let learned ones age earlier' },
  );
}
