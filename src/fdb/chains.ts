// Hot path: no allocation, no throw, no await.

/**
 * The structure of the FDB: open addressing over buckets of two rows.
 *
 * An entry lives in the first free row from its home bucket on, and never moves. Every full bucket
 * that it had to pass counts it in its overflow count, until it is removed. A search ends at the
 * first bucket that nobody passed. Unlike tombstones these counts are exact: after any number of
 * insertions and removals a search is as long as the entries that are there now make it, and
 * nothing ever has to be rebuilt under the readers.
 *
 * Why readers without a lock never miss an entry that is there all the while: its row keeps its
 * key, and all buckets before it keep a count of at least one.
 *
 * All functions but the search are for the holder of the table's lock. `home` is the word index of
 * the key's home bucket, a row is named by the index of its first word.
 */
import {
  BUCKET_WORDS,
  HEADER_WORDS,
  META_KEY_MASK,
  OVERFLOW_MAX,
  META_LIVE,
  ROW_DESTINATION,
  ROW_FRAMES,
  ROW_MAC_HIGH,
  ROW_MAC_LOW,
  ROW_META,
  ROW_UPDATED,
  ROW_USED,
  ROW_VERSION,
  ROW_WORDS,
  VERSION_MASK,
} from './table-layout.ts';

export const NO_ROW = -1;

const MAC_HIGH_MASK = 0xffff;
const OVERFLOW_SHIFT = 16;

/** The row of a key, or NO_ROW. `keyMeta` is the key's ROW_META without origin and state. */
export function findRow(
  words: Int32Array,
  home: number,
  keyMeta: number,
  macHigh: number,
  macLow: number,
): number {
  const low = macLow | 0;
  let bucket = home;
  for (let left = words.length; left > 0; left -= BUCKET_WORDS) {
    if (isRowOf(words, bucket, keyMeta, macHigh, low)) return bucket;
    const second = bucket + ROW_WORDS;
    if (isRowOf(words, second, keyMeta, macHigh, low)) return second;
    if (overflow(words, bucket) === 0) return NO_ROW;
    bucket = nextBucket(words, bucket);
  }
  return NO_ROW;
}

/**
 * Puts a key that is not in the table into the first free row and returns the row. There must be
 * one. `meta` is the whole ROW_META.
 */
export function insertRow(
  words: Int32Array,
  home: number,
  meta: number,
  macHigh: number,
  macLow: number,
  destination: number,
  nowSeconds: number,
): number {
  let bucket = home;
  let row = freeRow(words, bucket);
  while (row === NO_ROW) {
    const passed = overflow(words, bucket);
    if (passed < OVERFLOW_MAX) setOverflow(words, bucket, passed + 1);
    bucket = nextBucket(words, bucket);
    row = freeRow(words, bucket);
  }
  const version = words[row + ROW_VERSION]!;
  const upper = words[row + ROW_MAC_HIGH]! & ~MAC_HIGH_MASK;
  words[row + ROW_UPDATED] = nowSeconds;
  words[row + ROW_USED] = nowSeconds;
  words[row + ROW_FRAMES] = 0;
  // Atomic, because on ARM only stores that are may not overtake the odd version.
  Atomics.store(words, row + ROW_VERSION, (version + 1) & VERSION_MASK);
  Atomics.store(words, row + ROW_MAC_LOW, macLow | 0);
  Atomics.store(words, row + ROW_MAC_HIGH, upper | macHigh);
  Atomics.store(words, row + ROW_META, meta);
  Atomics.store(words, row + ROW_DESTINATION, destination);
  Atomics.store(words, row + ROW_VERSION, (version + 2) & VERSION_MASK);
  return row;
}

/** Takes the entry in `row` out of the table; `home` is its key's. */
export function removeRow(words: Int32Array, home: number, row: number): void {
  Atomics.store(words, row + ROW_META, 0);
  const last = row - ((row - HEADER_WORDS) % BUCKET_WORDS);
  let bucket = home;
  while (bucket !== last) {
    const passed = overflow(words, bucket);
    if (passed < OVERFLOW_MAX) setOverflow(words, bucket, passed - 1);
    bucket = nextBucket(words, bucket);
  }
}

/**
 * How many entries passed the bucket because it was full; OVERFLOW_MAX when it no longer counts.
 */
export function overflow(words: Int32Array, bucket: number): number {
  return words[bucket + ROW_MAC_HIGH]! >>> OVERFLOW_SHIFT;
}

/** The bucket behind `bucket`; behind the last comes the first. */
export function nextBucket(words: Int32Array, bucket: number): number {
  const next = bucket + BUCKET_WORDS;
  return next < words.length ? next : HEADER_WORDS;
}

function isRowOf(
  words: Int32Array,
  row: number,
  keyMeta: number,
  macHigh: number,
  low: number,
): boolean {
  if (words[row + ROW_MAC_LOW] !== low) return false;
  if ((words[row + ROW_MAC_HIGH]! & MAC_HIGH_MASK) !== macHigh) return false;
  return (words[row + ROW_META]! & META_KEY_MASK) === keyMeta;
}

function freeRow(words: Int32Array, bucket: number): number {
  if ((words[bucket + ROW_META]! & META_LIVE) === 0) return bucket;
  const second = bucket + ROW_WORDS;
  return (words[second + ROW_META]! & META_LIVE) === 0 ? second : NO_ROW;
}

function setOverflow(words: Int32Array, bucket: number, count: number): void {
  const macHigh = words[bucket + ROW_MAC_HIGH]! & MAC_HIGH_MASK;
  words[bucket + ROW_MAC_HIGH] = (count << OVERFLOW_SHIFT) | macHigh;
}
