import { VtepError } from '../base/errors.ts';
import { ownsList, withIndex } from './fdb-batch.ts';
import type { FdbBatch } from './fdb-batch.ts';
import { judge } from './fdb-judge.ts';
import type { Judgement } from './fdb-judge.ts';
import type { FdbReferences, FdbTables } from './fdb-references.ts';
import { Slices } from './fdb-slices.ts';
import { FdbTransaction } from './fdb-transaction.ts';
import type { TunnelDirectory } from './tunnel-directory.ts';

/** What the writers of the FDB share. */
export interface FdbContext {
  readonly tables: FdbTables;
  readonly references: FdbReferences;
  readonly tunnels: TunnelDirectory;
  /** Seconds of the FDB's clock. */
  readonly nowSeconds: () => number;
}

/**
 * Applies a batch all or none: judges every entry first, then writes, and undoes what was written should the
 * table turn out full on the way. Works in slices, so nobody else may write entries (but learn) meanwhile.
 *
 * Throws the VtepError of the first entry that does not fit, with its index.
 */
export async function applyBatch(batch: FdbBatch, context: FdbContext): Promise<void> {
  checkTunnels(batch, context.tunnels);
  const { tables, references } = context;
  const remotes: number[] = [];
  const fresh = new Set<number>();
  let writing = false;
  try {
    await acquireDestinations(batch, context, remotes, fresh);
    const judgement = await judge(batch, remotes, tables);
    checkRoom(judgement, tables);
    writing = true;
    await write(batch, remotes, judgement, context);
  } finally {
    for (const index of remotes) {
      // A row that no worker can have seen needs no grace period.
      if (!writing && fresh.has(index)) tables.remotes.release(index);
      else references.drop(index);
    }
  }
}

/** A tunnel may have gone since the entries were parsed. */
function checkTunnels(batch: FdbBatch, tunnels: TunnelDirectory): void {
  for (const tunnel of batch.tunnels) {
    const now = tunnels.byIndex(tunnel.index);
    if (now?.name === tunnel.name && now.vni === tunnel.vni) continue;
    throw new VtepError('ERR_NOT_FOUND', `Cannot find device "${tunnel.name}"`);
  }
}

/** References of our own, so that nothing below can run out of remotes or lose one. */
async function acquireDestinations(
  batch: FdbBatch,
  context: FdbContext,
  remotes: number[],
  fresh: Set<number>,
): Promise<void> {
  const slices = new Slices();
  for (const key of batch.destinations) {
    if (slices.due(remotes.length)) await slices.pause();
    try {
      const index = context.references.acquire(key);
      remotes.push(index);
      if (context.tables.remotes.references(index) === 1) fresh.add(index);
    } catch (error) {
      throw withIndex(error, firstRowTo(batch, remotes.length));
    }
  }
}

function firstRowTo(batch: FdbBatch, destination: number): number {
  let row = 0;
  while (batch.destinationAt(row) !== destination) row += 1;
  return row;
}

function checkRoom(judgement: Judgement, tables: FdbTables): void {
  const free = tables.table.capacity - tables.table.count;
  if (judgement.newRows <= free) return;
  throw new VtepError(
    'ERR_LIMIT',
    `Cannot add ${judgement.newRows} entries: the FDB has room for ${free} of ${tables.table.capacity}`,
    { hint: 'delete entries that are not needed, or split them over several daemons' },
  );
}

async function write(
  batch: FdbBatch,
  remotes: readonly number[],
  judgement: Judgement,
  context: FdbContext,
): Promise<void> {
  const { tables, references } = context;
  const transaction = new FdbTransaction(tables, references, context.nowSeconds());
  try {
    for (const list of judgement.lists) transaction.setList(list, [...list.members], list.state);
    await writeUnicast(batch, remotes, transaction);
  } catch (error) {
    transaction.rollback();
    throw error;
  }
  await transaction.commit();
}

async function writeUnicast(
  batch: FdbBatch,
  remotes: readonly number[],
  transaction: FdbTransaction,
): Promise<void> {
  const slices = new Slices();
  for (let row = 0; row < batch.length; row += 1) {
    if (slices.due(row)) await slices.pause();
    const macHigh = batch.macHighAt(row);
    const macLow = batch.macLowAt(row);
    if (ownsList(macHigh, macLow)) continue;
    const key = { vni: batch.tunnelAt(row).vni, macHigh, macLow };
    if (batch.verb === 'del') {
      transaction.remove(key);
      continue;
    }
    transaction.setUnicast(key, remotes[batch.destinationAt(row)]!, batch.stateAt(row));
  }
}
