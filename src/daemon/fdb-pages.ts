import type { FdbTable } from '../fdb/table.ts';
import { useHugePages } from '../linux/huge-pages.ts';

/**
 * Entries from which the FDB gets huge pages. Fewer fit the caches anyway, and scattered over a table for
 * many they would make all of its memory resident.
 */
export const HUGE_PAGES_FROM = 65_536;

/** Gives an FDB that has become large huge pages, once. */
export class FdbPages {
  #asked = false;

  look(fdb: FdbTable): void {
    if (this.#asked || fdb.count < HUGE_PAGES_FROM) return;
    this.#asked = true;
    useHugePages(fdb.memory);
  }
}
