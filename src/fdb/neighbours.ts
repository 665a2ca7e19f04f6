import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { VtepError } from '../base/errors.ts';
import { IP_LENGTH } from '../wire/ip.ts';
import { lock, unlock } from './lock.ts';
import {
  NEIGHBOUR_ADDRESS,
  NEIGHBOUR_CONFIRMED,
  NEIGHBOUR_FLAGS,
  NEIGHBOUR_MAC_HIGH,
  NEIGHBOUR_MAC_LOW,
  NEIGHBOUR_OWNER,
  NEIGHBOUR_STATIC,
  NEIGHBOUR_USED,
  NEIGHBOUR_WORDS,
  NeighbourRows,
  NEIGHBOURS_CAPACITY,
  NEIGHBOURS_COUNT,
  NEIGHBOURS_HEADER_WORDS,
  NEIGHBOURS_LOCK,
  NEIGHBOURS_MAGIC,
  NEIGHBOURS_MAGIC_AT,
  NEIGHBOURS_SEED,
  NEIGHBOURS_SLOTS,
  NEIGHBOURS_TUNNELS,
  NO_NEIGHBOUR,
  rowOf,
} from './neighbour-rows.ts';

/** Which MAC an IP address of a tunnel has. */
export interface NeighbourEntry {
  /** Index of the tunnel. */
  readonly tunnel: number;
  /** 16 bytes, IPv4 mapped. */
  readonly address: Uint8Array;
  readonly macHigh: number;
  /** Unsigned. */
  readonly macLow: number;
  /** NEIGHBOUR_ flags of neighbour-rows.ts. */
  readonly flags: number;
  readonly confirmedSeconds: number;
  readonly usedSeconds: number;
}

const CAPACITY_MAX = 1 << 24;

/**
 * Neighbours: the answers to ARP requests and neighbour solicitations, by tunnel and IP address, in shared
 * memory. This half is for the main thread, which writes what users say and sweeps; what any thread may do
 * is in neighbour-rows.ts.
 */
export class NeighbourTable extends NeighbourRows {
  #next = 0;

  /**
   * A new empty table for `capacity` entries (1..2^24) of tunnels with an index below `tunnels`; 96 to 192
   * bytes an entry.
   */
  static create(
    capacity: number,
    tunnels: number,
    seed = randomBytes(4).readInt32LE(),
  ): NeighbourTable {
    assert(Number.isInteger(capacity) && capacity > 0 && capacity <= CAPACITY_MAX, `${capacity}`);
    const slots = 2 ** Math.ceil(Math.log2(2 * capacity));
    const length = NEIGHBOURS_HEADER_WORDS + slots * NEIGHBOUR_WORDS + tunnels;
    const words = new Int32Array(new SharedArrayBuffer(length * 4));
    words[NEIGHBOURS_MAGIC_AT] = NEIGHBOURS_MAGIC;
    words[NEIGHBOURS_CAPACITY] = capacity;
    words[NEIGHBOURS_SLOTS] = slots;
    words[NEIGHBOURS_SEED] = seed;
    words[NEIGHBOURS_TUNNELS] = tunnels;
    return new NeighbourTable(words.buffer);
  }

  /** Entries in the table. */
  get count(): number {
    return this.words[NEIGHBOURS_COUNT]!;
  }

  /** The entry of an address in a tunnel. */
  read(tunnel: number, address: Uint8Array): NeighbourEntry | undefined {
    return this.#locked(() => {
      const row = this.find(tunnel, address, 0);
      return row === NO_NEIGHBOUR ? undefined : this.#entry(row);
    });
  }

  /** The entry in a slot, 0..slots-1; undefined for a free one. */
  entryAt(slot: number): NeighbourEntry | undefined {
    const row = rowOf(slot);
    // Without the lock first: nearly all slots are free.
    if (this.words[row + NEIGHBOUR_OWNER] === 0) return undefined;
    return this.#locked(() =>
      this.words[row + NEIGHBOUR_OWNER] === 0 ? undefined : this.#entry(row),
    );
  }

  /** Adds an entry, or overwrites the one there is; ERR_LIMIT when the table is full. */
  set(entry: Omit<NeighbourEntry, 'usedSeconds'>): void {
    const { tunnel, address, macHigh, macLow, flags, confirmedSeconds } = entry;
    this.#locked(() => {
      let row = this.find(tunnel, address, 0);
      if (row === NO_NEIGHBOUR) {
        if (this.count >= this.capacity) {
          throw new VtepError('ERR_LIMIT', `Cannot add more than ${this.capacity} neighbours`);
        }
        row = this.reserve(tunnel, address, 0);
      }
      this.write(row, tunnel, address, 0, macHigh, macLow | 0, flags, confirmedSeconds);
    });
  }

  /** Removes the entry of an address; false when there is none. */
  remove(tunnel: number, address: Uint8Array): boolean {
    return this.#locked(() => {
      const row = this.find(tunnel, address, 0);
      if (row === NO_NEIGHBOUR) return false;
      this.erase(row, tunnel, address, 0);
      return true;
    });
  }

  /** Removes every entry that `matches`, of one tunnel or of all, and returns their number. */
  removeAll(matches: (entry: NeighbourEntry) => boolean): number {
    return this.#removeIn(0, this.slots, matches);
  }

  /**
   * Looks at the next `budgetSlots` slots (once around at most) and removes the learned entries that nobody
   * confirmed for the seconds that `ageingSeconds` gives for their tunnel, 0 for never; returns their number.
   */
  sweep(
    nowSeconds: number,
    budgetSlots: number,
    ageingSeconds: (tunnel: number) => number,
  ): number {
    if (this.count === 0) return 0;
    const budget = Math.min(budgetSlots, this.slots);
    const first = this.#next;
    this.#next = (first + budget) & (this.slots - 1);
    return this.#removeIn(first, budget, ({ tunnel, flags, confirmedSeconds }) => {
      if ((flags & NEIGHBOUR_STATIC) !== 0) return false;
      const limit = ageingSeconds(tunnel);
      // More than `limit` seconds by a clock of whole seconds: never early, up to a second late.
      return limit > 0 && nowSeconds - confirmedSeconds > limit;
    });
  }

  #removeIn(first: number, slots: number, matches: (entry: NeighbourEntry) => boolean): number {
    let removed = 0;
    for (let index = 0; index < slots; index += 1) {
      const entry = this.entryAt((first + index) & (this.slots - 1));
      if (entry === undefined || !matches(entry)) continue;
      // What was learned again meanwhile goes too: the next message brings it back.
      if (this.remove(entry.tunnel, entry.address)) removed += 1;
    }
    return removed;
  }

  #entry(row: number): NeighbourEntry {
    const words = this.words;
    const address = new Uint8Array(IP_LENGTH);
    const view = new DataView(address.buffer);
    for (let word = 0; word < IP_LENGTH / 4; word += 1) {
      view.setInt32(word * 4, words[row + NEIGHBOUR_ADDRESS + word]!, true);
    }
    return {
      tunnel: words[row + NEIGHBOUR_OWNER]! - 1,
      address,
      macHigh: words[row + NEIGHBOUR_MAC_HIGH]!,
      macLow: words[row + NEIGHBOUR_MAC_LOW]! >>> 0,
      flags: words[row + NEIGHBOUR_FLAGS]!,
      confirmedSeconds: words[row + NEIGHBOUR_CONFIRMED]!,
      usedSeconds: words[row + NEIGHBOUR_USED]!,
    };
  }

  #locked<T>(task: () => T): T {
    lock(this.words, NEIGHBOURS_LOCK);
    try {
      return task();
    } finally {
      unlock(this.words, NEIGHBOURS_LOCK);
    }
  }
}
