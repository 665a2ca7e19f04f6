// Hot path: no allocation, no throw, no await.

/**
 * The half of the table of remotes that the frames use: reading rows, and finding the row of a
 * sender.
 *
 * Only the main thread writes. A row is complete before anything in shared memory points at it, and
 * is reused only after nothing has pointed at it for a grace period (grace.ts): so rows need no
 * versions.
 *
 * Senders are found through an index of their own, open addressing with overflow counts as in
 * chains.ts: an entry is a row's number plus one (0: none) and how many entries passed it.
 */
import { hashSender, readWord } from './hash.ts';

export const REMOTES_MAGIC = 0x72_65_6d_31;
export const REMOTES_HEADER_WORDS = 16;
export const REMOTES_HEADER_MAGIC = 0;
export const REMOTES_HEADER_CAPACITY = 1;
export const REMOTES_HEADER_SEED = 2;

export const REMOTE_WORDS = 12;
export const REMOTE_GENERATION = 0;
export const REMOTE_PORT = 1;
export const REMOTE_VNI = 2;
export const REMOTE_TUNNEL = 3;
export const REMOTE_SCOPE = 4;
export const REMOTE_FAMILY = 5;
export const REMOTE_REFERENCES = 6;
export const REMOTE_ALLOWED = 7;
/** 16 bytes. */
export const REMOTE_ADDRESS = 8;

export const INDEX_ENTRY_WORDS = 2;

/** No row has the sender's tunnel and address. */
export const STRANGER = -1;

export class RemoteRows {
  readonly memory: SharedArrayBuffer;
  readonly capacity: number;
  /** The whole memory; a row's address is at {@link addressOffset}. */
  readonly bytes: Uint8Array;
  /** For src/fdb only. */
  readonly words: Int32Array;
  /** For src/fdb only: word index of the sender index, and its number of entries minus one. */
  readonly indexAt: number;
  readonly indexMask: number;
  readonly #seed: number;

  /** The table in `memory`, which RemoteTable.create() made in this or another thread. */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.bytes = new Uint8Array(memory);
    this.words = new Int32Array(memory);
    if (this.words[REMOTES_HEADER_MAGIC] !== REMOTES_MAGIC) {
      throw new TypeError('Not the memory of a table of remotes');
    }
    this.capacity = this.words[REMOTES_HEADER_CAPACITY]!;
    this.indexAt = REMOTES_HEADER_WORDS + this.capacity * REMOTE_WORDS;
    this.indexMask = (this.words.length - this.indexAt) / INDEX_ENTRY_WORDS - 1;
    this.#seed = this.words[REMOTES_HEADER_SEED]!;
  }

  /** UDP port that the remote receives on. */
  port(index: number): number {
    return this.words[rowAt(index) + REMOTE_PORT]!;
  }

  /** VNI that frames to the remote carry. */
  vni(index: number): number {
    return this.words[rowAt(index) + REMOTE_VNI]!;
  }

  /** Index of the tunnel that the remote belongs to. */
  tunnel(index: number): number {
    return this.words[rowAt(index) + REMOTE_TUNNEL]!;
  }

  /** Interface index that an IPv6 link-local address or `via` names, else 0. */
  scope(index: number): number {
    return this.words[rowAt(index) + REMOTE_SCOPE]!;
  }

  /** 4 or 6. */
  family(index: number): number {
    return this.words[rowAt(index) + REMOTE_FAMILY]!;
  }

  /** Another number whenever the row gets another remote; 0 while it never had one. */
  generation(index: number): number {
    return this.words[rowAt(index) + REMOTE_GENERATION]!;
  }

  /** Where the 16 bytes of the remote's address are in {@link bytes}. */
  addressOffset(index: number): number {
    return (rowAt(index) + REMOTE_ADDRESS) * 4;
  }

  /**
   * The row of an allowed sender of a tunnel by its address, 16 bytes at `offset`; STRANGER (-1)
   * for everybody else. Of several rows with one address and different ports, always the same one,
   * as long as it is allowed. Wait-free.
   */
  findSender(tunnel: number, bytes: Uint8Array, offset: number): number {
    const words = this.words;
    let entry = this.senderHome(tunnel, bytes, offset);
    for (let left = this.indexMask; left >= 0; left -= 1) {
      const at = this.indexAt + entry * INDEX_ENTRY_WORDS;
      const index = words[at]! - 1;
      if (index >= 0 && this.isSender(index, tunnel, bytes, offset)) return index;
      if (words[at + 1] === 0) return STRANGER;
      entry = (entry + 1) & this.indexMask;
    }
    return STRANGER;
  }

  /** For src/fdb only: the index entry where the search for a sender begins. */
  senderHome(tunnel: number, bytes: Uint8Array, offset: number): number {
    return hashSender(this.#seed, tunnel, bytes, offset) & this.indexMask;
  }

  /** True when the row has this tunnel and address, whatever its port, VNI and scope. */
  isSender(index: number, tunnel: number, bytes: Uint8Array, offset: number): boolean {
    const words = this.words;
    const row = rowAt(index);
    if (words[row + REMOTE_TUNNEL] !== tunnel) return false;
    // IPv4 addresses differ in their last word only.
    return (
      words[row + REMOTE_ADDRESS + 3] === readWord(bytes, offset + 12) &&
      words[row + REMOTE_ADDRESS + 2] === readWord(bytes, offset + 8) &&
      words[row + REMOTE_ADDRESS + 1] === readWord(bytes, offset + 4) &&
      words[row + REMOTE_ADDRESS] === readWord(bytes, offset)
    );
  }
}

/** Word index of a row. */
export function rowAt(index: number): number {
  return REMOTES_HEADER_WORDS + index * REMOTE_WORDS;
}
