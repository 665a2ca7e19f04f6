import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { VtepError } from '../base/errors.ts';
import { formatIp, isIpv4Mapped } from '../wire/ip.ts';
import {
  INDEX_ENTRY_WORDS,
  REMOTE_ADDRESS,
  REMOTE_ALLOWED,
  REMOTE_FAMILY,
  REMOTE_GENERATION,
  REMOTE_PORT,
  REMOTE_REFERENCES,
  REMOTE_SCOPE,
  REMOTE_TUNNEL,
  REMOTE_VNI,
  REMOTE_WORDS,
  RemoteRows,
  REMOTES_HEADER_CAPACITY,
  REMOTES_HEADER_MAGIC,
  REMOTES_HEADER_SEED,
  REMOTES_HEADER_WORDS,
  REMOTES_MAGIC,
  rowAt,
} from './remote-rows.ts';
import { SenderIndex } from './sender-index.ts';

/** What a row says: where the frames of a tunnel may go. */
export interface RemoteKey {
  /** Index of the tunnel. */
  readonly tunnel: number;
  /** 16 bytes, IPv4 mapped. */
  readonly address: Uint8Array;
  /** Interface index that an IPv6 link-local address or `via` names, else 0. */
  readonly scope: number;
  readonly port: number;
  /** VNI that frames to it carry. */
  readonly vni: number;
}

const CAPACITY_MAX = 1 << 24;

/**
 * Remotes: the destinations of tunnels, a row for each different key, in shared memory. Entries of
 * the FDB and lists name them by index.
 *
 * The main thread writes; see remote-rows.ts for what any thread may read. Rows are counted
 * references: the last release() frees the row for another key. Who releases makes sure that
 * nothing in shared memory has pointed at the row for a grace period, see grace.ts.
 */
export class RemoteTable extends RemoteRows {
  /** Called with every row that is given to a key: what is kept by its index is another remote's now. */
  onNewRow: (index: number) => void = () => {};

  readonly #rows = new Map<string, number>();
  readonly #byTunnel = new Map<number, Set<number>>();
  readonly #senders: SenderIndex;
  /** Freed rows, oldest first: a row rests as long as it can. */
  #freed: number[] = [];
  #freedTaken = 0;
  #unused = 0;

  /** A new empty table for `capacity` rows (1..2^24), 64 to 80 bytes each. */
  static create(capacity: number, seed = randomBytes(4).readInt32LE()): RemoteTable {
    assert(Number.isInteger(capacity) && capacity > 0 && capacity <= CAPACITY_MAX, `${capacity}`);
    const entries = 2 ** Math.ceil(Math.log2(2 * capacity));
    const length = REMOTES_HEADER_WORDS + capacity * REMOTE_WORDS + entries * INDEX_ENTRY_WORDS;
    const words = new Int32Array(new SharedArrayBuffer(length * 4));
    words[REMOTES_HEADER_MAGIC] = REMOTES_MAGIC;
    words[REMOTES_HEADER_CAPACITY] = capacity;
    words[REMOTES_HEADER_SEED] = seed;
    return new RemoteTable(words.buffer);
  }

  constructor(memory: SharedArrayBuffer) {
    super(memory);
    this.#senders = new SenderIndex(this);
  }

  /** Rows in use. */
  get count(): number {
    return this.#rows.size;
  }

  /**
   * The row of `key`, which is made if there is none, with one more reference. ERR_LIMIT when the
   * table is full.
   */
  acquire(key: RemoteKey): number {
    const text = textOf(key);
    const known = this.#rows.get(text);
    if (known !== undefined) {
      this.retain(known);
      return known;
    }
    const index = this.#takeRow(key);
    this.#write(index, key);
    this.#rows.set(text, index);
    this.onNewRow(index);
    const siblings = this.#byTunnel.get(key.tunnel);
    if (siblings === undefined) this.#byTunnel.set(key.tunnel, new Set([index]));
    else siblings.add(index);
    return index;
  }

  /** One more reference to a row that has one. */
  retain(index: number): void {
    assert(this.references(index) > 0, `Remote ${index} is not in use`);
    this.words[rowAt(index) + REMOTE_REFERENCES]! += 1;
  }

  /**
   * Gives a reference back; the last one frees the row, which must not be an allowed sender any
   * more.
   */
  release(index: number): void {
    const references = this.references(index);
    assert(references > 0, `Remote ${index} is not in use`);
    const isLast = references === 1;
    assert(!isLast || this.allowed(index) === 0, `Remote ${index} is still an allowed sender`);
    this.words[rowAt(index) + REMOTE_REFERENCES] = references - 1;
    if (!isLast) return;
    const key = this.keyOf(index);
    this.#rows.delete(textOf(key));
    const siblings = this.#byTunnel.get(key.tunnel)!;
    siblings.delete(index);
    if (siblings.size === 0) this.#byTunnel.delete(key.tunnel);
    this.#freed.push(index);
  }

  /** References to a row; 0 when it is free. */
  references(index: number): number {
    return this.words[rowAt(index) + REMOTE_REFERENCES]!;
  }

  /** Makes the remote an allowed sender, once more; findSender() finds it from now on. */
  allow(index: number): void {
    const row = rowAt(index);
    assert(this.references(index) > 0, `Remote ${index} is not in use`);
    this.words[row + REMOTE_ALLOWED]! += 1;
    if (this.words[row + REMOTE_ALLOWED] === 1) this.#senders.add(index);
  }

  /** Takes one allow() back; after the last one the remote is a stranger. */
  disallow(index: number): void {
    const row = rowAt(index);
    assert(this.words[row + REMOTE_ALLOWED]! > 0, `Remote ${index} is not an allowed sender`);
    this.words[row + REMOTE_ALLOWED]! -= 1;
    if (this.words[row + REMOTE_ALLOWED] === 0) this.#senders.remove(index);
  }

  /** How often the row was allowed and not disallowed; 0 for a stranger. */
  allowed(index: number): number {
    return this.words[rowAt(index) + REMOTE_ALLOWED]!;
  }

  /** The rows of a tunnel, oldest first. */
  list(tunnel: number): number[] {
    return [...(this.#byTunnel.get(tunnel) ?? [])];
  }

  /** What a row was acquired with; its own copy. */
  keyOf(index: number): RemoteKey {
    const offset = this.addressOffset(index);
    return {
      tunnel: this.tunnel(index),
      address: this.bytes.slice(offset, offset + 16),
      scope: this.scope(index),
      port: this.port(index),
      vni: this.vni(index),
    };
  }

  #takeRow(key: RemoteKey): number {
    if (this.#unused < this.capacity) return this.#unused++;
    if (this.#rows.size === this.capacity) {
      throw new VtepError(
        'ERR_LIMIT',
        `Cannot add the remote "${formatIp(key.address)}": all ${this.capacity} rows are taken`,
        { hint: 'remove entries or remotes that are no longer needed' },
      );
    }
    const index = this.#freed[this.#freedTaken]!;
    this.#freedTaken += 1;
    if (this.#freedTaken > this.#freed.length / 2) {
      this.#freed = this.#freed.slice(this.#freedTaken);
      this.#freedTaken = 0;
    }
    return index;
  }

  #write(index: number, key: RemoteKey): void {
    const { words } = this;
    const row = rowAt(index);
    this.bytes.set(key.address, (row + REMOTE_ADDRESS) * 4);
    words[row + REMOTE_TUNNEL] = key.tunnel;
    words[row + REMOTE_SCOPE] = key.scope;
    words[row + REMOTE_PORT] = key.port;
    words[row + REMOTE_VNI] = key.vni;
    words[row + REMOTE_FAMILY] = isIpv4Mapped(key.address) ? 4 : 6;
    words[row + REMOTE_ALLOWED] = 0;
    words[row + REMOTE_REFERENCES] = 1;
    Atomics.store(words, row + REMOTE_GENERATION, (words[row + REMOTE_GENERATION]! + 1) | 0);
  }
}

function textOf({ tunnel, address, scope, port, vni }: RemoteKey): string {
  return `${tunnel},${scope},${port},${vni},${Buffer.from(address).toString('latin1')}`;
}
