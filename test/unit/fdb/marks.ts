import { expect } from 'vitest';

import type { FdbTable } from '../../../src/fdb/table.ts';
import { BUCKET_ROWS, BUCKET_WORDS, META_PASSED, ROW_META } from '../../../src/fdb/table-layout.ts';

/** The buckets of a table by their number, true where the mark says that an entry passed. */
function marks(table: FdbTable): boolean[] {
  const found: boolean[] = [];
  for (let slot = 0; slot < table.slots; slot += BUCKET_ROWS) {
    found.push((table.words[table.rowOf(slot) + ROW_META]! & META_PASSED) !== 0);
  }
  return found;
}

/** Fails unless a bucket is marked exactly when some entry lives behind it. */
export function expectExactMarks(table: FdbTable): void {
  const needed = marks(table).map(() => false);
  const first = table.rowOf(0);
  for (let slot = 0; slot < table.slots; slot += 1) {
    const entry = table.entryAt(slot);
    if (entry === undefined) continue;
    const home = table.homeOf(entry.vni, entry.macHigh, entry.macLow);
    const last = Math.floor(slot / BUCKET_ROWS);
    let bucket = (home - first) / BUCKET_WORDS;
    for (; bucket !== last; bucket = (bucket + 1) % needed.length) needed[bucket] = true;
  }
  expect(marks(table)).toEqual(needed);
}

/** Mean number of buckets that a search for something absent reads. */
export function meanSearch(table: FdbTable): number {
  const marked = marks(table);
  let read = 0;
  for (let home = 0; home < marked.length; home += 1) {
    read += 1;
    for (let at = home; marked[at] === true; at = (at + 1) % marked.length) read += 1;
  }
  return read / marked.length;
}
