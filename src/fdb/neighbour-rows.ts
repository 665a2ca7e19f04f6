// Hot path: no allocation, no throw, no await.

/**
 * The half of the neighbour table that the frames use: which MAC an IP address of a tunnel has, for any
 * thread.
 *
 * Open addressing with overflow counts as in remote-rows.ts: a row knows how many entries passed it on their
 * way, and a search ends at a row that none passed. Writers hold one lock; workers that do not get it at
 * once skip what they wanted to note. Readers take none: a row's version is odd while it is written and
 * another even number afterwards. A reader that meets a change gives up and finds nothing, which is always
 * right: what is not found is flooded. Loads are atomic, because neighbour messages are rare and so may
 * cost more than a frame's lookup.
 */
import { hashSender, readWord } from './hash.ts';
import { tryLock, unlock } from './lock.ts';

/** "nei1" */
export const NEIGHBOURS_MAGIC = 0x6e_65_69_31;
export const NEIGHBOURS_HEADER_WORDS = 16;
export const NEIGHBOURS_MAGIC_AT = 0;
export const NEIGHBOURS_CAPACITY = 1;
export const NEIGHBOURS_SLOTS = 2;
export const NEIGHBOURS_SEED = 3;
export const NEIGHBOURS_TUNNELS = 4;
export const NEIGHBOURS_LOCK = 8;
export const NEIGHBOURS_COUNT = 9;

export const NEIGHBOUR_WORDS = 12;
export const NEIGHBOUR_VERSION = 0;
/** Entries that live behind this row because it was taken; belongs to the place, not to the entry. */
export const NEIGHBOUR_PASSED = 1;
/** Index of the tunnel plus one, 0 for a free row. */
export const NEIGHBOUR_OWNER = 2;
/** 16 bytes. */
export const NEIGHBOUR_ADDRESS = 3;
export const NEIGHBOUR_MAC_HIGH = 7;
export const NEIGHBOUR_MAC_LOW = 8;
export const NEIGHBOUR_FLAGS = 9;
/** Seconds: when somebody last said that the entry is right. */
export const NEIGHBOUR_CONFIRMED = 10;
/** Seconds: when it last answered. */
export const NEIGHBOUR_USED = 11;

/** A user's: never moves, never ages. */
export const NEIGHBOUR_STATIC = 1;
/** The neighbour is a router (the R flag of its advertisements). */
export const NEIGHBOUR_ROUTER = 2;
/** The neighbour is on this side of the tunnel and answers for itself. */
export const NEIGHBOUR_LOCAL = 4;

/** The entry said so already; it is as young as can be again. */
export const NEIGHBOUR_KNOWN = 0;
export const NEIGHBOUR_ADDED = 1;
export const NEIGHBOUR_CHANGED = 2;
/** The entry is a user's and stays what it is. */
export const NEIGHBOUR_PINNED = 3;
/** Somebody else was changing the table; the next message will do. */
export const NEIGHBOUR_BUSY = 4;
/** The table, or what one tunnel may have of it, is full. */
export const NEIGHBOUR_FULL = 5;
/** A message of this kind must not do that to the table. */
export const NEIGHBOUR_IGNORED = 6;

/** The message makes an entry, or changes the one there is. */
export const SAYS_ALL = 0;
/** The message makes an entry, but another MAC does not take the place of the one there is. */
export const SAYS_WEAKLY = 1;
/** The message does not say whether the neighbour is a router: it changes entries and makes none. */
export const SAYS_MAC_ONLY = 2;

export const NO_NEIGHBOUR = -1;

export class NeighbourRows {
  readonly memory: SharedArrayBuffer;
  /** Most entries that the table holds. */
  readonly capacity: number;
  /** Entries at which learning stops: a sixteenth is left to users. */
  readonly learnedCapacity: number;
  /** Most entries that one tunnel gets by learning. */
  readonly learnedPerTunnel: number;
  readonly slots: number;

  /** What the last successful {@link lookup} of this object found; they belong to the thread. */
  macHigh = 0;
  /** Signed. */
  macLow = 0;
  flags = 0;

  /** For src/fdb only. */
  readonly words: Int32Array;
  readonly #seed: number;
  readonly #counts: number;

  /** The table in `memory`, which NeighbourTable.create() made in this or another thread. */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.words = new Int32Array(memory);
    if (this.words[NEIGHBOURS_MAGIC_AT] !== NEIGHBOURS_MAGIC) {
      throw new TypeError('Not the memory of a table of neighbours');
    }
    this.capacity = this.words[NEIGHBOURS_CAPACITY]!;
    this.learnedCapacity = this.capacity - (this.capacity >>> 4);
    this.learnedPerTunnel = Math.max(1, this.learnedCapacity >>> 2);
    this.slots = this.words[NEIGHBOURS_SLOTS]!;
    this.#seed = this.words[NEIGHBOURS_SEED]!;
    this.#counts = NEIGHBOURS_HEADER_WORDS + this.slots * NEIGHBOUR_WORDS;
  }

  /**
   * The row of the address, 16 bytes at `offset`, in a tunnel, with {@link macHigh}, {@link macLow} and
   * {@link flags} set; NO_NEIGHBOUR (-1) when there is none. Wait-free.
   */
  lookup(tunnel: number, bytes: Uint8Array, offset: number): number {
    const words = this.words;
    const row = this.find(tunnel, bytes, offset);
    if (row === NO_NEIGHBOUR) return row;
    const version = Atomics.load(words, row + NEIGHBOUR_VERSION);
    this.macHigh = Atomics.load(words, row + NEIGHBOUR_MAC_HIGH);
    this.macLow = Atomics.load(words, row + NEIGHBOUR_MAC_LOW);
    this.flags = Atomics.load(words, row + NEIGHBOUR_FLAGS);
    // The key once more, between two looks at the version: all of it belongs together, or nothing is found.
    const isSame = this.#holds(row, tunnel, bytes, offset) && (version & 1) === 0;
    return isSame && Atomics.load(words, row + NEIGHBOUR_VERSION) === version ? row : NO_NEIGHBOUR;
  }

  /** Notes that the entry in `row` has answered. Approximate: the row may have got another entry since. */
  touch(row: number, nowSeconds: number): void {
    this.words[row + NEIGHBOUR_USED] = nowSeconds;
  }

  /**
   * A message says that the address, 16 bytes at `offset`, has this MAC; `flags` are NEIGHBOUR_ROUTER and
   * NEIGHBOUR_LOCAL, `says` one of the SAYS_ constants. Returns NEIGHBOUR_KNOWN or one of the constants
   * behind it. The usual case, that this is known, takes no lock.
   */
  learn(
    tunnel: number,
    bytes: Uint8Array,
    offset: number,
    macHigh: number,
    macLow: number,
    flags: number,
    says: number,
    nowSeconds: number,
  ): number {
    const words = this.words;
    const row = this.lookup(tunnel, bytes, offset);
    if (row === NO_NEIGHBOUR) {
      if (says === SAYS_MAC_ONLY) return NEIGHBOUR_IGNORED;
      if (this.#isFull(tunnel)) return NEIGHBOUR_FULL;
    } else {
      if ((this.flags & NEIGHBOUR_STATIC) !== 0) return NEIGHBOUR_PINNED;
      const known = this.macHigh === macHigh && this.macLow === macLow;
      const wanted = says === SAYS_MAC_ONLY ? flags | (this.flags & NEIGHBOUR_ROUTER) : flags;
      if (known && this.flags === wanted) {
        if (words[row + NEIGHBOUR_CONFIRMED] !== nowSeconds)
          words[row + NEIGHBOUR_CONFIRMED] = nowSeconds;
        return NEIGHBOUR_KNOWN;
      }
      if (!known && says === SAYS_WEAKLY) return NEIGHBOUR_IGNORED;
    }
    if (!tryLock(words, NEIGHBOURS_LOCK)) return NEIGHBOUR_BUSY;
    const result = this.#note(tunnel, bytes, offset, macHigh, macLow, flags, says, nowSeconds);
    unlock(words, NEIGHBOURS_LOCK);
    return result;
  }

  /** Entries of a tunnel that are not a user's. */
  learned(tunnel: number): number {
    return this.words[this.#counts + tunnel]!;
  }

  /** The table may be another one since lookup() saw it: everything is judged again. */
  #note(
    tunnel: number,
    bytes: Uint8Array,
    offset: number,
    macHigh: number,
    macLow: number,
    flags: number,
    says: number,
    nowSeconds: number,
  ): number {
    const words = this.words;
    let row = this.find(tunnel, bytes, offset);
    if (row === NO_NEIGHBOUR) {
      if (says === SAYS_MAC_ONLY) return NEIGHBOUR_IGNORED;
      if (this.#isFull(tunnel)) return NEIGHBOUR_FULL;
      row = this.reserve(tunnel, bytes, offset);
      this.write(row, tunnel, bytes, offset, macHigh, macLow, flags, nowSeconds);
      return NEIGHBOUR_ADDED;
    }
    const before = words[row + NEIGHBOUR_FLAGS]!;
    if ((before & NEIGHBOUR_STATIC) !== 0) return NEIGHBOUR_PINNED;
    const after = says === SAYS_MAC_ONLY ? flags | (before & NEIGHBOUR_ROUTER) : flags;
    this.write(row, tunnel, bytes, offset, macHigh, macLow, after, nowSeconds);
    return NEIGHBOUR_CHANGED;
  }

  /** For src/fdb only: the row of the address, or NO_NEIGHBOUR. To a reader the answer is a guess. */
  find(tunnel: number, bytes: Uint8Array, offset: number): number {
    let slot = this.#home(tunnel, bytes, offset);
    for (let left = this.slots; left > 0; left -= 1) {
      const row = rowOf(slot);
      if (this.#holds(row, tunnel, bytes, offset)) return row;
      if (Atomics.load(this.words, row + NEIGHBOUR_PASSED) === 0) return NO_NEIGHBOUR;
      slot = (slot + 1) & (this.slots - 1);
    }
    return NO_NEIGHBOUR;
  }

  /** For holders of the lock: a free row for the address, which is not in the table; there must be one. */
  protected reserve(tunnel: number, bytes: Uint8Array, offset: number): number {
    const words = this.words;
    let slot = this.#home(tunnel, bytes, offset);
    while (words[rowOf(slot) + NEIGHBOUR_OWNER] !== 0) {
      words[rowOf(slot) + NEIGHBOUR_PASSED]! += 1;
      slot = (slot + 1) & (this.slots - 1);
    }
    return rowOf(slot);
  }

  /** For holders of the lock: gives the row its entry, and the counts what changes with that. */
  protected write(
    row: number,
    tunnel: number,
    bytes: Uint8Array,
    offset: number,
    macHigh: number,
    macLow: number,
    flags: number,
    nowSeconds: number,
  ): void {
    const words = this.words;
    if (words[row + NEIGHBOUR_OWNER] === 0) words[NEIGHBOURS_COUNT]! += 1;
    else this.#count(tunnel, words[row + NEIGHBOUR_FLAGS]!, -1);
    this.#count(tunnel, flags, 1);
    Atomics.add(words, row + NEIGHBOUR_VERSION, 1);
    Atomics.store(words, row + NEIGHBOUR_OWNER, tunnel + 1);
    for (let word = 0; word < 4; word += 1) {
      Atomics.store(words, row + NEIGHBOUR_ADDRESS + word, readWord(bytes, offset + word * 4));
    }
    Atomics.store(words, row + NEIGHBOUR_MAC_HIGH, macHigh);
    Atomics.store(words, row + NEIGHBOUR_MAC_LOW, macLow);
    Atomics.store(words, row + NEIGHBOUR_FLAGS, flags);
    Atomics.store(words, row + NEIGHBOUR_CONFIRMED, nowSeconds);
    Atomics.store(words, row + NEIGHBOUR_USED, nowSeconds);
    Atomics.add(words, row + NEIGHBOUR_VERSION, 1);
  }

  /** For holders of the lock: frees the row of the address. */
  protected erase(row: number, tunnel: number, bytes: Uint8Array, offset: number): void {
    const words = this.words;
    words[NEIGHBOURS_COUNT]! -= 1;
    this.#count(tunnel, words[row + NEIGHBOUR_FLAGS]!, -1);
    Atomics.add(words, row + NEIGHBOUR_VERSION, 1);
    Atomics.store(words, row + NEIGHBOUR_OWNER, 0);
    Atomics.add(words, row + NEIGHBOUR_VERSION, 1);
    let slot = this.#home(tunnel, bytes, offset);
    while (rowOf(slot) !== row) {
      words[rowOf(slot) + NEIGHBOUR_PASSED]! -= 1;
      slot = (slot + 1) & (this.slots - 1);
    }
  }

  #holds(row: number, tunnel: number, bytes: Uint8Array, offset: number): boolean {
    const words = this.words;
    return (
      Atomics.load(words, row + NEIGHBOUR_OWNER) === tunnel + 1 &&
      Atomics.load(words, row + NEIGHBOUR_ADDRESS + 3) === readWord(bytes, offset + 12) &&
      Atomics.load(words, row + NEIGHBOUR_ADDRESS + 2) === readWord(bytes, offset + 8) &&
      Atomics.load(words, row + NEIGHBOUR_ADDRESS + 1) === readWord(bytes, offset + 4) &&
      Atomics.load(words, row + NEIGHBOUR_ADDRESS) === readWord(bytes, offset)
    );
  }

  #home(tunnel: number, bytes: Uint8Array, offset: number): number {
    return hashSender(this.#seed, tunnel, bytes, offset) & (this.slots - 1);
  }

  #isFull(tunnel: number): boolean {
    if (this.words[NEIGHBOURS_COUNT]! >= this.learnedCapacity) return true;
    return this.learned(tunnel) >= this.learnedPerTunnel;
  }

  #count(tunnel: number, flags: number, by: number): void {
    if ((flags & NEIGHBOUR_STATIC) === 0) this.words[this.#counts + tunnel]! += by;
  }
}

/** Word index of a row. */
export function rowOf(slot: number): number {
  return NEIGHBOURS_HEADER_WORDS + slot * NEIGHBOUR_WORDS;
}
