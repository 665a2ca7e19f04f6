// Hot path: no allocation, no throw, no await.
import { isList } from '../fdb/destination-lists.ts';
import type { SharedTables } from './shared-tables.ts';

/** True when the entry of a MAC names the sender's address, if with another port, VNI or interface. */
export function isPinnedTo(
  tables: SharedTables,
  vni: number,
  macHigh: number,
  macLow: number,
  tunnel: number,
  sender: number,
): boolean {
  const { fdb, remotes } = tables;
  const pinned = fdb.lookup(vni, macHigh, macLow);
  if (pinned < 0 || isList(pinned)) return false;
  return remotes.isSender(pinned, tunnel, remotes.bytes, remotes.addressOffset(sender));
}
