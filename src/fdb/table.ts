import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { VtepError } from '../base/errors.ts';
import { formatMac } from '../wire/mac.ts';
import { findRow, insertRow, NO_ROW, removeRow } from './chains.ts';
import { lock, unlock } from './lock.ts';
import { FdbRows } from './rows.ts';
import {
  HEADER_CAPACITY,
  HEADER_COUNT,
  HEADER_LEARNED,
  HEADER_LOCK,
  HEADER_MAGIC,
  HEADER_SEED,
  HEADER_WORDS,
  META_FIELD_MASK,
  META_LIVE,
  META_ORIGIN_SHIFT,
  META_STATE_SHIFT,
  META_VNI_SHIFT,
  ORIGIN_LEARNED,
  ROW_DESTINATION,
  ROW_FRAMES,
  ROW_MAC_HIGH,
  ROW_MAC_LOW,
  ROW_META,
  ROW_UPDATED,
  ROW_USED,
  ROW_VERSION,
  ROW_WORDS,
  TABLE_MAGIC,
} from './table-layout.ts';

export { isList, LIST_FLAG } from './destination-lists.ts';
export {
  LEARN_ADDED,
  LEARN_BUSY,
  LEARN_FULL,
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
  /** Frames sent to it, modulo 2^32. */
  readonly frames: number;
}

const CAPACITY_MAX = 1 << 26;
const SNAPSHOT_ATTEMPTS = 8;

/**
 * The forwarding database: which remote a MAC lives behind, for all VNIs, in shared memory. See
 * rows.ts for what any thread may do; the methods here are for the main thread, which takes the
 * table's lock for each change.
 *
 * | operation | cost |
 * |---|---|
 * | lookup, learn, set, remove, read | constant, at any history of insertions and removals |
 * | entryAt | constant |
 * | memory | 60 bytes an entry of `capacity`, plus 176 |
 *
 * An entry keeps its slot for life: a walk over all slots sees every entry that is there all the
 * while exactly once, whatever else comes and goes.
 *
 * Destinations and times are numbers to the table: who needs what they point at takes care of it.
 */
export class FdbTable extends FdbRows {
  /**
   * A new empty table for `capacity` entries (1..2^26). The same `seed` gives the same order of the
   * slots; by default every table has its own.
   */
  static create(capacity: number, seed = randomBytes(4).readInt32LE()): FdbTable {
    assert(Number.isInteger(capacity) && capacity > 0 && capacity <= CAPACITY_MAX, `${capacity}`);
    // 15 buckets of two rows for 16 entries: a load of 53 % at the very most.
    const slots = 2 * (Math.ceil((capacity * 15) / 16) + 1);
    const words = new Int32Array(new SharedArrayBuffer((HEADER_WORDS + slots * ROW_WORDS) * 4));
    words[HEADER_MAGIC] = TABLE_MAGIC;
    words[HEADER_CAPACITY] = capacity;
    words[HEADER_SEED] = seed;
    return new FdbTable(words.buffer);
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
    const home = this.homeOf(vni, macHigh, macLow);
    const keyMeta = (vni << META_VNI_SHIFT) | META_LIVE;
    const meta = keyMeta | (value.origin << META_ORIGIN_SHIFT) | (value.state << META_STATE_SHIFT);
    lock(words, HEADER_LOCK);
    try {
      const row = findRow(words, home, keyMeta, macHigh, macLow);
      if (row === NO_ROW) {
        if (words[HEADER_COUNT]! >= this.capacity) throw fullError(this, vni, macHigh, macLow);
        insertRow(words, home, meta, macHigh, macLow, value.destination, nowSeconds);
        words[HEADER_COUNT]! += 1;
      } else {
        if (isLearned(words, row)) words[HEADER_LEARNED]! -= 1;
        words[row + ROW_UPDATED] = nowSeconds;
        Atomics.store(words, row + ROW_META, meta);
        Atomics.store(words, row + ROW_DESTINATION, value.destination);
      }
      if (value.origin === ORIGIN_LEARNED) words[HEADER_LEARNED]! += 1;
    } finally {
      unlock(words, HEADER_LOCK);
    }
  }

  /** Removes an entry, whatever its origin; false when there is none. */
  remove(vni: number, macHigh: number, macLow: number): boolean {
    const { words } = this;
    lock(words, HEADER_LOCK);
    const row = this.#find(vni, macHigh, macLow);
    if (row !== NO_ROW) this.#removeLocked(row, this.homeOf(vni, macHigh, macLow));
    unlock(words, HEADER_LOCK);
    return row !== NO_ROW;
  }

  /**
   * Removes the entry in a slot if it is a learned one of this VNI and was not refreshed after
   * `lastSeconds`, and returns it; else undefined. A frame that comes from it at this very moment
   * may be too late; the next one adds it anew.
   */
  removeLearned(slot: number, vni: number, lastSeconds: number): FdbEntry | undefined {
    const { words } = this;
    const row = HEADER_WORDS + slot * ROW_WORDS;
    lock(words, HEADER_LOCK);
    let removed: FdbEntry | undefined;
    if (this.learnedVni(slot) === vni && this.updatedSeconds(slot) <= lastSeconds) {
      removed = copyRow(words, row);
      this.#removeLocked(row, this.homeOf(removed.vni, removed.macHigh, removed.macLow));
    }
    unlock(words, HEADER_LOCK);
    return removed;
  }

  /** VNI of the entry in a slot if that was learned, else -1; without a copy of the entry. */
  learnedVni(slot: number): number {
    const row = HEADER_WORDS + slot * ROW_WORDS;
    const { words } = this;
    return isLearned(words, row) ? words[row + ROW_META]! >>> META_VNI_SHIFT : -1;
  }

  /** {@link FdbEntry.updatedSeconds} of the entry in a slot; meaningless when there is none. */
  updatedSeconds(slot: number): number {
    return this.words[HEADER_WORDS + slot * ROW_WORDS + ROW_UPDATED]!;
  }

  /** The entry of a MAC in a VNI, or undefined. */
  read(vni: number, macHigh: number, macLow: number): FdbEntry | undefined {
    const { words } = this;
    lock(words, HEADER_LOCK);
    const row = this.#find(vni, macHigh, macLow);
    const entry = row === NO_ROW ? undefined : copyRow(words, row);
    unlock(words, HEADER_LOCK);
    return entry;
  }

  /** The entry in a slot (0..slots-1), or undefined when that is empty. Takes no lock as a rule. */
  entryAt(slot: number): FdbEntry | undefined {
    const { words } = this;
    const row = HEADER_WORDS + slot * ROW_WORDS;
    if ((words[row + ROW_META]! & META_LIVE) === 0) return undefined;
    for (let attempt = 0; attempt < SNAPSHOT_ATTEMPTS; attempt += 1) {
      const version = Atomics.load(words, row + ROW_VERSION);
      const isLive = (Atomics.load(words, row + ROW_META) & META_LIVE) !== 0;
      const entry = copyRow(words, row);
      if ((version & 1) !== 0 || Atomics.load(words, row + ROW_VERSION) !== version) continue;
      return isLive ? entry : undefined;
    }
    lock(words, HEADER_LOCK);
    const isLive = (words[row + ROW_META]! & META_LIVE) !== 0;
    const entry = isLive ? copyRow(words, row) : undefined;
    unlock(words, HEADER_LOCK);
    return entry;
  }

  #find(vni: number, macHigh: number, macLow: number): number {
    const keyMeta = (vni << META_VNI_SHIFT) | META_LIVE;
    return findRow(this.words, this.homeOf(vni, macHigh, macLow), keyMeta, macHigh, macLow);
  }

  #removeLocked(row: number, home: number): void {
    const { words } = this;
    if (isLearned(words, row)) words[HEADER_LEARNED]! -= 1;
    words[HEADER_COUNT]! -= 1;
    removeRow(words, home, row);
  }
}

function isLearned(words: Int32Array, row: number): boolean {
  const meta = words[row + ROW_META]!;
  return (
    (meta & META_LIVE) !== 0 && ((meta >>> META_ORIGIN_SHIFT) & META_FIELD_MASK) === ORIGIN_LEARNED
  );
}

/** All words atomic: the version that entryAt() reads next may not be read before them. */
function copyRow(words: Int32Array, row: number): FdbEntry {
  const meta = Atomics.load(words, row + ROW_META);
  return {
    vni: meta >>> META_VNI_SHIFT,
    macHigh: Atomics.load(words, row + ROW_MAC_HIGH) & 0xffff,
    macLow: Atomics.load(words, row + ROW_MAC_LOW) >>> 0,
    destination: Atomics.load(words, row + ROW_DESTINATION),
    origin: (meta >>> META_ORIGIN_SHIFT) & META_FIELD_MASK,
    state: (meta >>> META_STATE_SHIFT) & META_FIELD_MASK,
    updatedSeconds: Atomics.load(words, row + ROW_UPDATED),
    usedSeconds: Atomics.load(words, row + ROW_USED),
    frames: Atomics.load(words, row + ROW_FRAMES) >>> 0,
  };
}

function fullError(table: FdbTable, vni: number, macHigh: number, macLow: number): VtepError {
  return new VtepError(
    'ERR_LIMIT',
    `Cannot add "${formatMac(macHigh, macLow)}" in VNI ${vni}: all ${table.capacity} entries are taken`,
    { hint: 'remove entries, or let learned ones age earlier' },
  );
}
