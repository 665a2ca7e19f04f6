// Hot path: no allocation, no throw, no await.

/**
 * The structure of the FDB: open addressing over buckets of four rows.
 *
 * An entry lives in the first free row from its home bucket on, and never moves. It marks every
 * full bucket on its way as passed; when it goes, the marks that nobody else needs go with it. A
 * search ends at the first bucket without the mark. So there are no tombstones: after any number of
 * insertions and removals a search is only as long as the entries of that moment make it, and
 * nothing is ever rebuilt under the readers.
 *
 * Why readers without a lock never miss an entry that is there all the while: its row keeps its
 * key, and all buckets before it keep their marks.
 *
 * Buckets and rows are named by the index of their first word.
 */
import { hashEntry } from './hash.ts';
import {
  AGE_FRAMES,
  AGE_UPDATED,
  AGE_USED,
  AGE_WORDS,
  BUCKET_ROWS,
  BUCKET_WORDS,
  HEADER_BUCKETS,
  HEADER_SEED,
  HEADER_WORDS,
  MAC_HIGH_KEY_MASK,
  MAC_HIGH_MASK,
  META_KEY_MASK,
  META_LIVE,
  META_PASSED,
  META_VNI_SHIFT,
  ROW_DESTINATION,
  ROW_MAC_HIGH,
  ROW_MAC_LOW,
  ROW_META,
  VERSION_MASK,
  VERSION_SHIFT,
} from './table-layout.ts';

export const NO_ROW = -1;

// Folded by V8, as in rows.ts.
const FIRST = HEADER_WORDS;
const STEP = BUCKET_WORDS;
const LANES = BUCKET_ROWS - 1;

/** As many values as hashes have. */
const HASHES = 0x8000_0000;

export class Chains {
  readonly memory: SharedArrayBuffer;
  /** Rows there are, for iteration: more than entries, as some stay empty. */
  readonly slots: number;
  /** For src/fdb only. */
  readonly words: Int32Array;
  readonly #frames: Float64Array;
  readonly #seed: number;
  readonly #scale: number;
  /** Behind the last bucket; the ages of the rows begin here. */
  readonly #end: number;

  /** Over the memory of a table whose header is written. */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.words = new Int32Array(memory);
    this.#frames = new Float64Array(memory);
    const buckets = this.words[HEADER_BUCKETS]!;
    this.slots = buckets * BUCKET_ROWS;
    this.#seed = this.words[HEADER_SEED]!;
    this.#scale = buckets / HASHES;
    this.#end = HEADER_WORDS + buckets * BUCKET_WORDS;
  }

  /** The bucket where the search for a key begins. */
  homeOf(vni: number, macHigh: number, macLow: number): number {
    const bucket = (hashEntry(this.#seed, vni, macHigh, macLow) * this.#scale) | 0;
    return FIRST + bucket * STEP;
  }

  /** The bucket behind; behind the last comes the first. */
  next(bucket: number): number {
    const next = bucket + STEP;
    return next < this.#end ? next : FIRST;
  }

  /** Row of a slot (0..slots-1). */
  rowOf(slot: number): number {
    return FIRST + (slot >> 2) * STEP + (slot & LANES);
  }

  /** Slot of a row. */
  slotOf(row: number): number {
    const at = row - FIRST;
    return ((at >> 4) << 2) | (at & LANES);
  }

  /** Index of the first word of a slot's age. */
  ageOf(slot: number): number {
    return this.#end + slot * AGE_WORDS;
  }

  /** Frames sent to the entry in a slot. */
  frames(slot: number): number {
    return this.#frames[(this.#end + slot * AGE_WORDS + AGE_FRAMES) >> 1]!;
  }

  addFrames(slot: number, frames: number): void {
    this.#frames[(this.#end + slot * AGE_WORDS + AGE_FRAMES) >> 1]! += frames;
  }

  /** The row of a key, or NO_ROW. For the holder of the lock, as all that follows. */
  find(vni: number, macHigh: number, macLow: number): number {
    const words = this.words;
    const low = macLow | 0;
    const keyMeta = (vni << META_VNI_SHIFT) | META_LIVE;
    let bucket = this.homeOf(vni, macHigh, macLow);
    for (let left = this.slots; left > 0; left -= BUCKET_ROWS) {
      for (let row = bucket; row < bucket + BUCKET_ROWS; row += 1) {
        if (words[row + ROW_MAC_LOW] !== low) continue;
        if ((words[row + ROW_MAC_HIGH]! & MAC_HIGH_KEY_MASK) !== macHigh) continue;
        if ((words[row + ROW_META]! & META_KEY_MASK) === keyMeta) return row;
      }
      if ((words[bucket + ROW_META]! & META_PASSED) === 0) return NO_ROW;
      bucket = this.next(bucket);
    }
    return NO_ROW;
  }

  /**
   * The first free row for a key that is not in the table; marks what it passes. There must be one.
   * Follow with {@link write}.
   */
  reserve(vni: number, macHigh: number, macLow: number): number {
    const words = this.words;
    let bucket = this.homeOf(vni, macHigh, macLow);
    for (;;) {
      for (let row = bucket; row < bucket + BUCKET_ROWS; row += 1) {
        if ((words[row + ROW_META]! & META_LIVE) === 0) return row;
      }
      words[bucket + ROW_META]! |= META_PASSED;
      bucket = this.next(bucket);
    }
  }

  /** Fills a free row; `meta` is its VNI and flags. */
  write(row: number, meta: number, macHigh: number, macLow: number, destination: number): void {
    const words = this.words;
    const version = words[row + ROW_MAC_HIGH]! >> VERSION_SHIFT;
    const odd = ((version + 1) & VERSION_MASK) << VERSION_SHIFT;
    const even = ((version + 2) & VERSION_MASK) << VERSION_SHIFT;
    const passed = words[row + ROW_META]! & META_PASSED;
    // Atomic, because on arm64 only stores that are may not overtake the odd version.
    Atomics.store(words, row + ROW_MAC_HIGH, odd);
    Atomics.store(words, row + ROW_MAC_LOW, macLow | 0);
    Atomics.store(words, row + ROW_META, meta | passed);
    Atomics.store(words, row + ROW_DESTINATION, destination);
    Atomics.store(words, row + ROW_MAC_HIGH, even | macHigh);
  }

  /** The age of an entry that was added now. */
  resetAge(row: number, nowSeconds: number): void {
    const slot = this.slotOf(row);
    const age = this.ageOf(slot);
    this.words[age + AGE_UPDATED] = nowSeconds;
    this.words[age + AGE_USED] = nowSeconds;
    this.#frames[(age + AGE_FRAMES) >> 1] = 0;
  }

  /** Makes a row free, and takes away the marks of its entry that nobody else needs. */
  erase(row: number): void {
    const words = this.words;
    const home = this.#homeOfRow(row);
    Atomics.store(words, row + ROW_META, words[row + ROW_META]! & META_PASSED);
    let bucket = row - ((row - HEADER_WORDS) & (BUCKET_WORDS - 1));
    while (bucket !== home) {
      bucket = bucket > HEADER_WORDS ? bucket - BUCKET_WORDS : this.#end - BUCKET_WORDS;
      if (!this.#isPassed(bucket)) words[bucket + ROW_META]! &= ~META_PASSED;
    }
  }

  /** True when an entry lives behind `passed` whose search leads through it. */
  #isPassed(passed: number): boolean {
    const words = this.words;
    let bucket = passed;
    for (let distance = 1; distance < this.slots / BUCKET_ROWS; distance += 1) {
      bucket = this.next(bucket);
      for (let row = bucket; row < bucket + BUCKET_ROWS; row += 1) {
        if ((words[row + ROW_META]! & META_LIVE) === 0) continue;
        if (this.#distance(this.#homeOfRow(row), bucket) >= distance) return true;
      }
      if ((words[bucket + ROW_META]! & META_PASSED) === 0) return false;
    }
    return false;
  }

  /** How many buckets `bucket` is behind `home`. */
  #distance(home: number, bucket: number): number {
    const words = bucket >= home ? bucket - home : bucket - home + this.#end - HEADER_WORDS;
    return words / BUCKET_WORDS;
  }

  #homeOfRow(row: number): number {
    const words = this.words;
    const vni = words[row + ROW_META]! >>> META_VNI_SHIFT;
    const macHigh = words[row + ROW_MAC_HIGH]! & MAC_HIGH_MASK;
    return this.homeOf(vni, macHigh, words[row + ROW_MAC_LOW]!);
  }
}
