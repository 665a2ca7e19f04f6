import { strict as assert } from 'node:assert';
import { INDEX_ENTRY_WORDS, type RemoteRows } from './remote-rows.ts';

/** What is published for one tunnel and address. */
interface Sender {
  /** Index entry that holds the row. */
  readonly entry: number;
  readonly home: number;
  /** The rows that are allowed with this tunnel and address; the first is the one published. */
  readonly rows: Set<number>;
}

/**
 * The writer of the sender index (see remote-rows.ts). Main thread only, one for each table.
 *
 * Several rows may share tunnel and address and differ in port, scope or VNI. One of them stands
 * for the sender in the index, until it goes; then another takes its place by the change of one
 * word, so that the sender is never a stranger in between.
 */
export class SenderIndex {
  readonly #rows: RemoteRows;
  readonly #senders = new Map<string, Sender>();

  constructor(rows: RemoteRows) {
    this.#rows = rows;
  }

  /** Publishes a row that is not published; its tunnel and address must be written. */
  add(index: number): void {
    const key = this.#keyOf(index);
    let sender = this.#senders.get(key);
    if (sender === undefined) {
      sender = this.#insert(index);
      this.#senders.set(key, sender);
    }
    sender.rows.add(index);
  }

  /** Withdraws a row that is published; it may be found until the batches at work are done. */
  remove(index: number): void {
    const key = this.#keyOf(index);
    const sender = this.#senders.get(key);
    assert(sender?.rows.delete(index) === true, `Remote ${index} is not published`);
    const [heir] = sender.rows;
    if (heir === undefined) {
      this.#senders.delete(key);
      this.#withdraw(sender);
    } else {
      Atomics.store(this.#rows.words, this.#at(sender.entry), heir + 1);
    }
  }

  #insert(index: number): Sender {
    const rows = this.#rows;
    const { words } = rows;
    const home = rows.senderHome(rows.tunnel(index), rows.bytes, rows.addressOffset(index));
    let entry = home;
    while (words[this.#at(entry)] !== 0) {
      words[this.#at(entry) + 1]! += 1;
      entry = (entry + 1) & rows.indexMask;
    }
    Atomics.store(words, this.#at(entry), index + 1);
    return { entry, home, rows: new Set() };
  }

  #withdraw(sender: Sender): void {
    const { words, indexMask } = this.#rows;
    Atomics.store(words, this.#at(sender.entry), 0);
    for (let entry = sender.home; entry !== sender.entry; entry = (entry + 1) & indexMask) {
      words[this.#at(entry) + 1]! -= 1;
    }
  }

  #at(entry: number): number {
    return this.#rows.indexAt + entry * INDEX_ENTRY_WORDS;
  }

  #keyOf(index: number): string {
    const rows = this.#rows;
    const offset = rows.addressOffset(index);
    return `${rows.tunnel(index)},${rows.bytes.slice(offset, offset + 16).join()}`;
  }
}
