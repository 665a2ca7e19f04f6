// Hot path: no allocation, no throw, no await.

/**
 * Senders that nobody named, of tunnels that take everybody (`remotes: any`). A worker cannot make the row
 * of the table of remotes that a learned entry would point at: it leaves the address in one of a few boxes
 * for the main thread, and delivers meanwhile in the name of a row that stands for all strangers of the
 * tunnel. A box that is taken costs a stranger nothing but some milliseconds of not being learned.
 */
import { readWord } from '../fdb/hash.ts';

/** Places for newcomers. */
export const STRANGER_BOXES = 64;
const BOX_WORDS = 8;
const STATE = 0;
const TUNNEL = 1;
/** 16 bytes. */
const ADDRESS = 2;

const FREE = 0;
const FILLING = 1;
const FULL = 2;

const NOBODY = -1;

export class Strangers {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** For tunnels 0..tunnels-1; over `memory` of another thread's, if given. */
  constructor(tunnels: number, memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer((STRANGER_BOXES * BOX_WORDS + tunnels) * 4);
    this.#words = new Int32Array(this.memory);
  }

  /** Main thread: the row that stands for all strangers of a tunnel, or undefined for none. */
  setRow(tunnel: number, row: number | undefined): void {
    this.#words[STRANGER_BOXES * BOX_WORDS + tunnel] = row === undefined ? 0 : row + 1;
  }

  /** A stranger sent to the tunnel: the row in whose name its frames pass, or -1. */
  note(tunnel: number, bytes: Uint8Array, offset: number): number {
    const words = this.#words;
    const row = words[STRANGER_BOXES * BOX_WORDS + tunnel]! - 1;
    if (row === NOBODY) return NOBODY;
    // Neighbours differ in the last byte, and meet in a box only with those 64 further on.
    const box = (bytes[offset + 15]! & (STRANGER_BOXES - 1)) * BOX_WORDS;
    if (words[box + STATE] !== FREE) return row;
    if (Atomics.compareExchange(words, box + STATE, FREE, FILLING) !== FREE) return row;
    words[box + TUNNEL] = tunnel;
    for (let word = 0; word < 4; word += 1) {
      words[box + ADDRESS + word] = readWord(bytes, offset + word * 4);
    }
    Atomics.store(words, box + STATE, FULL);
    return row;
  }

  /**
   * Main thread: empties box `box` (0..STRANGER_BOXES-1): writes the 16 bytes of the address that was in
   * it into `address` and returns the tunnel it sent to, or -1 when the box is empty.
   */
  take(box: number, address: Uint8Array): number {
    const words = this.#words;
    const at = box * BOX_WORDS;
    if (Atomics.load(words, at + STATE) !== FULL) return NOBODY;
    const tunnel = words[at + TUNNEL]!;
    for (let byte = 0; byte < 16; byte += 1) {
      address[byte] = words[at + ADDRESS + (byte >> 2)]! >>> ((byte & 3) * 8);
    }
    Atomics.store(words, at + STATE, FREE);
    return tunnel;
  }
}
