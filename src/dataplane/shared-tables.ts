import { DestinationLists } from '../fdb/destination-lists.ts';
import { Grace } from '../fdb/grace.ts';
import { NeighbourTable } from '../fdb/neighbours.ts';
import { RemoteTable } from '../fdb/remotes.ts';
import { FdbTable } from '../fdb/table.ts';
import { Counters, type CounterShape } from './counters.ts';
import { PathMtuTable } from './path-mtu.ts';
import { TunnelTable } from './tunnel-table.ts';

/** The tables that all threads share. */
export interface SharedTables {
  readonly fdb: FdbTable;
  readonly remotes: RemoteTable;
  readonly lists: DestinationLists;
  readonly neighbours: NeighbourTable;
  readonly grace: Grace;
  readonly tunnels: TunnelTable;
  readonly counters: Counters;
  readonly pathMtus: PathMtuTable;
}

/** The memory of {@link SharedTables}: what a message to another thread carries. */
export interface SharedMemory {
  fdb: SharedArrayBuffer;
  remotes: SharedArrayBuffer;
  lists: SharedArrayBuffer;
  neighbours: SharedArrayBuffer;
  grace: SharedArrayBuffer;
  tunnels: SharedArrayBuffer;
  counters: SharedArrayBuffer;
  pathMtus: SharedArrayBuffer;
  shape: CounterShape;
}

/** The tables over memory that another thread made. */
export function attachTables(memory: SharedMemory): SharedTables {
  return {
    fdb: new FdbTable(memory.fdb),
    remotes: new RemoteTable(memory.remotes),
    lists: new DestinationLists(memory.lists),
    neighbours: new NeighbourTable(memory.neighbours),
    grace: new Grace(memory.grace),
    tunnels: new TunnelTable(memory.shape.tunnels, memory.tunnels),
    counters: new Counters(memory.shape, memory.counters),
    pathMtus: new PathMtuTable(memory.shape.remotes, memory.pathMtus),
  };
}

/** What another thread needs for {@link attachTables}. */
export function sharedMemory(tables: SharedTables): SharedMemory {
  return {
    fdb: tables.fdb.memory,
    remotes: tables.remotes.memory,
    lists: tables.lists.memory,
    neighbours: tables.neighbours.memory,
    grace: tables.grace.memory,
    tunnels: tables.tunnels.memory,
    counters: tables.counters.memory,
    pathMtus: tables.pathMtus.memory,
    shape: tables.counters.shape,
  };
}
