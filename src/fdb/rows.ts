// Hot path: no allocation, no throw, no await.

/**
 * The half of the FDB that the frames use: lookup and learning, for any thread.
 *
 * Readers take no lock and execute no atomic instruction (in Node each of those is a call). A row's
 * key and its destination belong together when its version was even and the same before and after
 * reading them: whoever gives a row a new key makes the version odd first and even again last.
 * Everything else that happens to a row (refresh, migration, removal) is a single word changing,
 * and either value is right.
 *
 * So the order of a reader's loads matters. It is kept by making the address of each depend on the
 * value of the one before: neither a compiler nor a CPU can then swap them, on x86-64 or arm64. A
 * row whose version changed meanwhile did not hold the wanted key all the while, and the search
 * goes on behind it: a lookup never waits and never repeats anything.
 *
 * A version comes round after 16,384 new keys in one row: a reader would have to sleep between two
 * instructions for exactly that many.
 */
import { Chains, NO_ROW } from './chains.ts';
import type { LearnLimits } from './learn-limits.ts';
import { tryLock, unlock } from './lock.ts';
import type { MacMoves } from './mac-moves.ts';
import {
  AGE_UPDATED,
  AGE_USED,
  BUCKET_ROWS,
  HEADER_CAPACITY,
  HEADER_COUNT,
  HEADER_LEARNED,
  HEADER_LOCK,
  HEADER_MAGIC,
  MAC_HIGH_KEY_MASK,
  META_FIELD_MASK,
  META_FROZEN,
  META_KEY_MASK,
  META_LIVE,
  META_MOVED,
  META_ORIGIN_SHIFT,
  META_PASSED,
  META_VNI_SHIFT,
  ORIGIN_LEARNED,
  ROW_DESTINATION,
  ROW_MAC_HIGH,
  ROW_META,
  TABLE_MAGIC,
} from './table-layout.ts';

/** The entry was there with this destination; a learned one is as young as can be again. */
export const LEARN_REFRESHED = 0;
export const LEARN_ADDED = 1;
/** The entry had another destination and has this one now. */
export const LEARN_MIGRATED = 2;
/** The entry has another destination and was not learned: it stays where it is. */
export const LEARN_PINNED = 3;
/** Somebody else was changing the table; nothing was done, the next frame will do. */
export const LEARN_BUSY = 4;
export const LEARN_FULL = 5;
/** The tunnel or the remote has learned as many MACs as it may; nothing was done. */
export const LEARN_LIMITED = 6;
/** The entry has another destination and is frozen there: it stays where it is. */
export const LEARN_FROZEN = 7;

const NO_DESTINATION = -1;
const RESERVE_SHIFT = 4;

// V8 folds the constants of a module that it does not export; those of others cost a load each.
// A lookup is 15 % faster for it. The MAC's last bytes are at 0, see table-layout.ts.
const DESTINATION = ROW_DESTINATION;
const HIGH_KEY_MASK = MAC_HIGH_KEY_MASK;
const KEY_MASK = META_KEY_MASK;
const LIVE = META_LIVE;
const MAC_HIGH = ROW_MAC_HIGH;
const META = ROW_META;
const PASSED = META_PASSED;
const ROWS = BUCKET_ROWS;
const VNI_SHIFT = META_VNI_SHIFT;

/** What learning is held to; without them, to nothing but the table's size. */
export interface LearnGuards {
  readonly limits: LearnLimits;
  readonly moves: MacMoves;
}

export class FdbRows extends Chains {
  /** Most entries that the table holds. */
  readonly capacity: number;
  /**
   * Entries at which learning stops: a sixteenth is left to users and control planes, so that a flood of
   * MACs cannot keep them out.
   */
  readonly learnedCapacity: number;
  /**
   * Row that the last successful lookup() or learn() of this object found, for touch(). It belongs
   * to the thread, as the object does.
   */
  matchedSlot = 0;
  /** For src/fdb only. */
  readonly guards: LearnGuards | undefined;

  /** The table in `memory`, which FdbTable.create() made in this or another thread. */
  constructor(memory: SharedArrayBuffer, guards?: LearnGuards) {
    super(memory);
    this.guards = guards;
    if (this.words[HEADER_MAGIC] !== TABLE_MAGIC) throw new TypeError('Not the memory of an FDB');
    this.capacity = this.words[HEADER_CAPACITY]!;
    this.learnedCapacity = this.capacity - (this.capacity >>> RESERVE_SHIFT);
  }

  /**
   * Destination of a MAC in a VNI (a remote or a list, see destination-lists.ts), or -1. Sets
   * {@link matchedSlot} when there is one.
   *
   * Wait-free. Finds every entry that is there from before the call until its end; one that comes
   * or goes meanwhile is found or not. Never returns a destination that this key did not have.
   */
  lookup(vni: number, macHigh: number, macLow: number): number {
    const words = this.words;
    const low = macLow | 0;
    const keyMeta = (vni << VNI_SHIFT) | LIVE;
    let bucket = this.homeOf(vni, macHigh, macLow);
    for (let left = this.slots; left > 0; left -= ROWS) {
      // The first of the first three rows with these four bytes, else the last row: computed, as
      // branches here would be guessed wrong half of the time, each for the price of a cache miss.
      const miss0 = isNotZero(words[bucket]! ^ low);
      const miss1 = isNotZero(words[bucket + 1]! ^ low) & miss0;
      const miss2 = isNotZero(words[bucket + 2]! ^ low) & miss1;
      let row = bucket + miss0 + miss1 + miss2;
      // Nearly always once round: two rows of a bucket seldom share four bytes of the MAC.
      for (; row < bucket + ROWS; row += 1) {
        const destination = readRow(words, row, keyMeta, macHigh, low);
        if (destination === NO_DESTINATION) continue;
        this.matchedSlot = this.slotOf(row);
        return destination;
      }
      if ((words[bucket + META]! & PASSED) === 0) return NO_DESTINATION;
      bucket = this.next(bucket);
    }
    return NO_DESTINATION;
  }

  /**
   * Notes that `frames` frames were sent to the entry in `slot`, see {@link matchedSlot}.
   * Approximate: of two threads that count at once one may win, and a row may have got another
   * entry since the lookup.
   */
  touch(slot: number, nowSeconds: number, frames: number): void {
    const used = this.ageOf(slot) + AGE_USED;
    if (this.words[used] !== nowSeconds) this.words[used] = nowSeconds;
    this.addFrames(slot, frames);
  }

  /**
   * A frame from this MAC came from `destination`, a remote: returns one of the LEARN_ constants.
   * The usual case, that this is known, takes no lock.
   */
  learn(
    vni: number,
    macHigh: number,
    macLow: number,
    destination: number,
    nowSeconds: number,
  ): number {
    const words = this.words;
    const known = this.lookup(vni, macHigh, macLow);
    if (known !== NO_DESTINATION) {
      const row = this.rowOf(this.matchedSlot);
      const isLearned = this.#isLearned(row);
      if (known === destination) {
        // Should the row have got another entry since, that one is hardly older than now.
        const updated = this.ageOf(this.matchedSlot) + AGE_UPDATED;
        if (isLearned && words[updated] !== nowSeconds) words[updated] = nowSeconds;
        return LEARN_REFRESHED;
      }
      if (!isLearned) return LEARN_PINNED;
      if ((words[row + ROW_META]! & META_FROZEN) !== 0) return LEARN_FROZEN;
    } else if (words[HEADER_COUNT]! >= this.learnedCapacity) {
      return LEARN_FULL;
    } else if (this.guards !== undefined && this.guards.limits.isFull(destination)) {
      return LEARN_LIMITED;
    }
    if (!tryLock(words, HEADER_LOCK)) return LEARN_BUSY;
    const result = this.#learnLocked(vni, macHigh, macLow, destination, nowSeconds);
    unlock(words, HEADER_LOCK);
    return result;
  }

  /** True when a MAC has an entry that was not learned and so does not move. */
  isPinned(vni: number, macHigh: number, macLow: number): boolean {
    const known = this.lookup(vni, macHigh, macLow);
    return known !== NO_DESTINATION && !this.#isLearned(this.rowOf(this.matchedSlot));
  }

  /** The table may be another one since lookup() saw it: everything is judged again. */
  #learnLocked(
    vni: number,
    macHigh: number,
    macLow: number,
    destination: number,
    nowSeconds: number,
  ): number {
    const words = this.words;
    let row = this.find(vni, macHigh, macLow);
    if (row === NO_ROW) {
      if (words[HEADER_COUNT]! >= this.learnedCapacity) return LEARN_FULL;
      if (this.guards !== undefined && this.guards.limits.isFull(destination)) return LEARN_LIMITED;
      const meta = (vni << META_VNI_SHIFT) | META_LIVE | (ORIGIN_LEARNED << META_ORIGIN_SHIFT);
      row = this.reserve(vni, macHigh, macLow);
      this.resetAge(row, nowSeconds);
      this.write(row, meta, macHigh, macLow, destination);
      words[HEADER_COUNT]! += 1;
      this.countLearned(destination, 1);
      return LEARN_ADDED;
    }
    const isSame = words[row + ROW_DESTINATION] === destination;
    if (!this.#isLearned(row)) return isSame ? LEARN_REFRESHED : LEARN_PINNED;
    const isFrozen = (words[row + ROW_META]! & META_FROZEN) !== 0;
    if (isFrozen && !isSame) return LEARN_FROZEN;
    words[this.ageOf(this.slotOf(row)) + AGE_UPDATED] = nowSeconds;
    if (isSame) return LEARN_REFRESHED;
    this.#migrate(row, destination, nowSeconds);
    return LEARN_MIGRATED;
  }

  /** A learned MAC goes to another remote; if that was once too often, for the last time. */
  #migrate(row: number, destination: number, nowSeconds: number): void {
    const words = this.words;
    this.countLearned(words[row + ROW_DESTINATION]!, -1);
    this.countLearned(destination, 1);
    Atomics.store(words, row + ROW_DESTINATION, destination);
    if (this.guards === undefined) return;
    const { moves } = this.guards;
    const slot = this.slotOf(row);
    const meta = words[row + ROW_META]!;
    const isFrozen = moves.count(slot, destination, (meta & META_MOVED) !== 0, nowSeconds);
    Atomics.store(words, row + ROW_META, meta | META_MOVED | (isFrozen ? META_FROZEN : 0));
    if (isFrozen) moves.freeze(slot, nowSeconds);
  }

  /** A learned entry that names `destination` came (1) or went (-1). For the holder of the lock. */
  countLearned(destination: number, by: number): void {
    this.words[HEADER_LEARNED]! += by;
    if (this.guards === undefined) return;
    if (by > 0) this.guards.limits.add(destination);
    else this.guards.limits.remove(destination);
  }

  #isLearned(row: number): boolean {
    const origin = (this.words[row + ROW_META]! >>> META_ORIGIN_SHIFT) & META_FIELD_MASK;
    return origin === ORIGIN_LEARNED;
  }
}

/** 1, or 0 for 0; without a branch. */
function isNotZero(value: number): number {
  return (value | -value) >>> 31;
}

/** Destination of the row if it holds the key, else -1; the order of the loads is the point. */
function readRow(
  words: Int32Array,
  row: number,
  keyMeta: number,
  macHigh: number,
  low: number,
): number {
  const version = words[row + MAC_HIGH]!;
  const again = row + (version >>> 31); // + 0: versions are never negative
  const difference =
    ((version & HIGH_KEY_MASK) ^ macHigh) |
    (words[again]! ^ low) |
    ((words[again + META]! & KEY_MASK) ^ keyMeta);
  if (difference !== 0) return NO_DESTINATION;
  const destination = words[row + difference + DESTINATION]!; // + 0
  const isUnchanged = words[row + (destination >>> 31) + MAC_HIGH] === version; // + 0 again
  return isUnchanged ? destination : NO_DESTINATION;
}
