// Hot path: no allocation, no throw, no await.

/**
 * The half of the FDB that the frames use: lookup and learning, for any thread.
 *
 * Readers take no lock and execute no atomic instruction (in Node each of those is a call). A row's
 * key and its destination belong together when the row's version was even and the same before and
 * after reading them: whoever gives a row a new key makes the version odd first and even again
 * last. Everything else that happens to a row (refresh, migration, removal) is a single word
 * changing, and either value is right.
 *
 * So the order of a reader's loads matters, and it is kept by making the address of each depend on
 * the value of the one before: neither a compiler nor a CPU can then swap them, on x86-64 or arm64.
 * A row whose version changed meanwhile did not hold the wanted key all the while, and the search
 * goes on behind it: a lookup never waits and never repeats anything.
 */
import { findRow, insertRow, nextBucket, NO_ROW, overflow } from './chains.ts';
import { hashEntry } from './hash.ts';
import { tryLock, unlock } from './lock.ts';
import {
  BUCKET_WORDS,
  HEADER_CAPACITY,
  HEADER_COUNT,
  HEADER_LEARNED,
  HEADER_LOCK,
  HEADER_MAGIC,
  HEADER_SEED,
  HEADER_WORDS,
  META_FIELD_MASK,
  META_KEY_MASK,
  META_LIVE,
  META_ORIGIN_SHIFT,
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

const NO_DESTINATION = -1;
const TWO_POW_32 = 0x1_0000_0000;
const MAC_HIGH_MASK = 0xffff;

export class FdbRows {
  readonly memory: SharedArrayBuffer;
  /** Most entries that the table holds. */
  readonly capacity: number;
  /** Rows there are, for iteration: more than `capacity`, as some stay empty. */
  readonly slots: number;
  /**
   * Row that the last successful lookup of this thread's object found, for touch(). learn() uses it
   * too.
   */
  matchedSlot = 0;
  /** For src/fdb only. */
  readonly words: Int32Array;
  readonly #seed: number;
  readonly #scale: number;

  /** The table in `memory`, which FdbTable.create() made in this or another thread. */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.words = new Int32Array(memory);
    if (this.words[HEADER_MAGIC] !== TABLE_MAGIC) throw new TypeError('Not the memory of an FDB');
    this.capacity = this.words[HEADER_CAPACITY]!;
    this.slots = (this.words.length - HEADER_WORDS) / ROW_WORDS;
    this.#seed = this.words[HEADER_SEED]!;
    this.#scale = this.slots / 2 / TWO_POW_32;
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
    const keyMeta = (vni << META_VNI_SHIFT) | META_LIVE;
    let bucket = this.homeOf(vni, macHigh, macLow);
    for (let left = words.length; left > 0; left -= BUCKET_WORDS) {
      if (words[bucket + ROW_MAC_LOW] === low) {
        const destination = readRow(words, bucket, keyMeta, macHigh, low);
        if (destination !== NO_DESTINATION) {
          this.matchedSlot = (bucket - HEADER_WORDS) / ROW_WORDS;
          return destination;
        }
      }
      const second = bucket + ROW_WORDS;
      if (words[second + ROW_MAC_LOW] === low) {
        const destination = readRow(words, second, keyMeta, macHigh, low);
        if (destination !== NO_DESTINATION) {
          this.matchedSlot = (second - HEADER_WORDS) / ROW_WORDS;
          return destination;
        }
      }
      if (overflow(words, bucket) === 0) return NO_DESTINATION;
      bucket = nextBucket(words, bucket);
    }
    return NO_DESTINATION;
  }

  /**
   * Notes that `frames` frames were sent to the entry in `slot`, see {@link matchedSlot}.
   * Approximate: of two threads that count at once one may win, and a row may have got another
   * entry since the lookup.
   */
  touch(slot: number, nowSeconds: number, frames: number): void {
    const words = this.words;
    const row = HEADER_WORDS + slot * ROW_WORDS;
    if (words[row + ROW_USED] !== nowSeconds) words[row + ROW_USED] = nowSeconds;
    words[row + ROW_FRAMES] = (words[row + ROW_FRAMES]! + frames) | 0;
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
      const row = HEADER_WORDS + this.matchedSlot * ROW_WORDS;
      const isLearned = originOf(words, row) === ORIGIN_LEARNED;
      if (known === destination) {
        // Should the row have got another entry since, that one is at most a few seconds old
        // anyway.
        if (isLearned && words[row + ROW_UPDATED] !== nowSeconds) {
          words[row + ROW_UPDATED] = nowSeconds;
        }
        return LEARN_REFRESHED;
      }
      if (!isLearned) return LEARN_PINNED;
    } else if (words[HEADER_COUNT]! >= this.capacity) {
      return LEARN_FULL;
    }
    if (!tryLock(words, HEADER_LOCK)) return LEARN_BUSY;
    const result = this.#learnLocked(vni, macHigh, macLow, destination, nowSeconds);
    unlock(words, HEADER_LOCK);
    return result;
  }

  /** Word index of the bucket where the search for a key begins. For src/fdb only. */
  homeOf(vni: number, macHigh: number, macLow: number): number {
    const bucket = (hashEntry(this.#seed, vni, macHigh, macLow) * this.#scale) | 0;
    return HEADER_WORDS + bucket * BUCKET_WORDS;
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
    const home = this.homeOf(vni, macHigh, macLow);
    const keyMeta = (vni << META_VNI_SHIFT) | META_LIVE;
    const row = findRow(words, home, keyMeta, macHigh, macLow);
    if (row === NO_ROW) {
      if (words[HEADER_COUNT]! >= this.capacity) return LEARN_FULL;
      const meta = keyMeta | (ORIGIN_LEARNED << META_ORIGIN_SHIFT);
      insertRow(words, home, meta, macHigh, macLow, destination, nowSeconds);
      words[HEADER_COUNT]! += 1;
      words[HEADER_LEARNED]! += 1;
      return LEARN_ADDED;
    }
    const isSame = words[row + ROW_DESTINATION] === destination;
    if (originOf(words, row) !== ORIGIN_LEARNED) return isSame ? LEARN_REFRESHED : LEARN_PINNED;
    words[row + ROW_UPDATED] = nowSeconds;
    if (isSame) return LEARN_REFRESHED;
    Atomics.store(words, row + ROW_DESTINATION, destination);
    return LEARN_MIGRATED;
  }
}

/**
 * Destination of the row if it holds the key, else -1; the order of the loads is the point, see
 * above.
 */
function readRow(
  words: Int32Array,
  row: number,
  keyMeta: number,
  macHigh: number,
  low: number,
): number {
  const version = words[row + ROW_VERSION]!;
  const again = row + (version >>> 31); // + 0: versions are never negative
  const difference =
    (words[again + ROW_MAC_LOW]! ^ low) |
    ((words[again + ROW_MAC_HIGH]! & MAC_HIGH_MASK) ^ macHigh) |
    ((words[again + ROW_META]! & META_KEY_MASK) ^ keyMeta) |
    (version & 1);
  if (difference !== 0) return NO_DESTINATION;
  const destination = words[row + difference + ROW_DESTINATION]!; // + 0
  const isUnchanged = words[row + (destination >>> 31) + ROW_VERSION] === version; // + 0 again
  return isUnchanged ? destination : NO_DESTINATION;
}

function originOf(words: Int32Array, row: number): number {
  return (words[row + ROW_META]! >>> META_ORIGIN_SHIFT) & META_FIELD_MASK;
}
