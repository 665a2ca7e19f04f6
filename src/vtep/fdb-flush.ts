import { isList } from '../fdb/table.ts';
import type { FdbEntry } from '../fdb/table.ts';
import { matchesEntry, matchesRemote, remotesOf } from './fdb-rows.ts';
import type { FdbFilter } from './fdb-rows.ts';
import { listMembers } from './fdb-references.ts';
import type { FdbContext } from './fdb-apply.ts';
import { Slices } from './fdb-slices.ts';
import { FdbTransaction } from './fdb-transaction.ts';

/**
 * Removes every row that matches, in slices, and returns how many rows (list members count each) went.
 *
 * Remotes for which `isKept` holds stay on their lists: a tunnel's configured remotes are not flushed,
 * unlike the kernel's default destination, because only a restart would bring them back.
 */
export async function flushRows(
  filter: FdbFilter,
  context: FdbContext,
  isKept: (index: number) => boolean,
): Promise<number> {
  const { table } = context.tables;
  const matching: FdbEntry[] = [];
  const slices = new Slices();
  for (let slot = 0; slot < table.slots; slot += 1) {
    if (slices.due(slot)) await slices.pause();
    const entry = table.entryAt(slot);
    if (entry !== undefined && isMatch(entry, filter, context)) matching.push(entry);
  }
  const transaction = new FdbTransaction(context.tables, context.references, context.nowSeconds());
  let removed = 0;
  try {
    // Lists first: they are few, and only they can fail.
    for (const entry of matching) {
      if (isList(entry.destination))
        removed += flushList(entry, filter, context, isKept, transaction);
    }
  } catch (error) {
    transaction.rollback();
    throw error;
  }
  for (const [step, entry] of matching.entries()) {
    if (slices.due(step)) await slices.pause();
    if (isList(entry.destination)) continue;
    transaction.remove(entry);
    removed += 1;
  }
  await transaction.commit();
  return removed;
}

function isMatch(entry: FdbEntry, filter: FdbFilter, context: FdbContext): boolean {
  if (!matchesEntry(entry, filter)) return false;
  return remotesOf(entry, context.tables).some((index) =>
    matchesRemote(index, filter, context.tables),
  );
}

/** The list's row may have been rewritten since it was matched only by us: writers take turns. */
function flushList(
  entry: FdbEntry,
  filter: FdbFilter,
  context: FdbContext,
  isKept: (index: number) => boolean,
  transaction: FdbTransaction,
): number {
  const members = listMembers(context.tables.lists, entry.destination);
  const left = members.filter(
    (index) => isKept(index) || !matchesRemote(index, filter, context.tables),
  );
  if (left.length < members.length) transaction.setList(entry, left, entry.state);
  return members.length - left.length;
}
