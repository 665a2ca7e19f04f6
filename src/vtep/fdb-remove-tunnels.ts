import type { FdbEntry } from '../fdb/table.ts';
import type { FdbContext } from './fdb-apply.ts';
import { Slices } from './fdb-slices.ts';
import { FdbTransaction } from './fdb-transaction.ts';

/** Removes every row of the VNIs, in one pass over the table however many there are, in slices. */
export async function removeRowsOf(vnis: ReadonlySet<number>, context: FdbContext): Promise<void> {
  const { table } = context.tables;
  const rows: FdbEntry[] = [];
  const slices = new Slices();
  for (let slot = 0; slot < table.slots; slot += 1) {
    if (slices.due(slot)) await slices.pause();
    const entry = table.entryAt(slot);
    if (entry !== undefined && vnis.has(entry.vni)) rows.push(entry);
  }
  const transaction = new FdbTransaction(context.tables, context.references, context.nowSeconds());
  for (const [step, row] of rows.entries()) {
    if (slices.due(step)) await slices.pause();
    transaction.remove(row);
  }
  await transaction.commit();
}
