/** An FDB with limits and moves over a table of remotes, as the daemon makes it. */
import { LearnLimits } from '../../src/fdb/learn-limits.ts';
import { MacMoves } from '../../src/fdb/mac-moves.ts';
import { RemoteTable } from '../../src/fdb/remotes.ts';
import { FdbTable } from '../../src/fdb/table.ts';

const TUNNELS = 4;

export interface GuardedFdb {
  readonly table: FdbTable;
  readonly remotes: RemoteTable;
  readonly limits: LearnLimits;
  readonly moves: MacMoves;
  /** A new remote of a tunnel. */
  remote(tunnel?: number): number;
}

export function guardedFdb(capacity = 256): GuardedFdb {
  const remotes = RemoteTable.create(16, 1);
  const limits = new LearnLimits(TUNNELS, remotes);
  const table = FdbTable.create(capacity, 1, (slots) => {
    return { limits, moves: new MacMoves(TUNNELS, slots, remotes) };
  });
  const remote = (tunnel = 0): number =>
    remotes.acquire({
      tunnel,
      address: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, remotes.count + 1),
      scope: 0,
      port: 4789,
      vni: 42,
    });
  return { table, remotes, limits, moves: table.guards!.moves, remote };
}
