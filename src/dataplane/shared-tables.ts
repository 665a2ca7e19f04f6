import { millisecondClock } from '../base/clock.ts';
import { DestinationLists } from '../fdb/destination-lists.ts';
import { Grace } from '../fdb/grace.ts';
import { LearnLimits } from '../fdb/learn-limits.ts';
import { MacMoves } from '../fdb/mac-moves.ts';
import { NeighbourTable } from '../fdb/neighbours.ts';
import { RemoteTable } from '../fdb/remotes.ts';
import { FdbTable } from '../fdb/table.ts';
import { Counters, type CounterShape } from './counters.ts';
import { GroupTable } from './group-table.ts';
import { PathMtuTable } from './path-mtu.ts';
import { Policers } from './policers.ts';
import { Strangers } from './strangers.ts';
import { TunnelTable } from './tunnel-table.ts';
import { VlanTable } from './vlan-table.ts';

/** The tables that all threads share. */
export interface SharedTables {
  readonly fdb: FdbTable;
  readonly remotes: RemoteTable;
  readonly lists: DestinationLists;
  readonly neighbours: NeighbourTable;
  readonly grace: Grace;
  readonly tunnels: TunnelTable;
  readonly groups: GroupTable;
  readonly vlans: VlanTable;
  readonly counters: Counters;
  readonly pathMtus: PathMtuTable;
  readonly limits: LearnLimits;
  readonly moves: MacMoves;
  readonly policers: Policers;
  readonly strangers: Strangers;
}

/** The memory of {@link SharedTables}: what a message to another thread carries. */
export interface SharedMemory {
  fdb: SharedArrayBuffer;
  remotes: SharedArrayBuffer;
  lists: SharedArrayBuffer;
  neighbours: SharedArrayBuffer;
  grace: SharedArrayBuffer;
  tunnels: SharedArrayBuffer;
  groups: SharedArrayBuffer;
  vlans: SharedArrayBuffer;
  counters: SharedArrayBuffer;
  pathMtus: SharedArrayBuffer;
  limits: SharedArrayBuffer;
  moves: SharedArrayBuffer;
  policers: SharedArrayBuffer;
  strangers: SharedArrayBuffer;
  shape: CounterShape;
}

/** The tables over memory that another thread made. */
export function attachTables(memory: SharedMemory): SharedTables {
  const remotes = new RemoteTable(memory.remotes);
  const limits = new LearnLimits(memory.shape.tunnels, remotes, memory.limits);
  const moves = new MacMoves(memory.shape.tunnels, 0, remotes, memory.moves);
  return {
    fdb: new FdbTable(memory.fdb, { limits, moves }),
    remotes,
    lists: new DestinationLists(memory.lists),
    neighbours: new NeighbourTable(memory.neighbours),
    grace: new Grace(memory.grace),
    tunnels: new TunnelTable(memory.shape.tunnels, memory.tunnels),
    groups: new GroupTable(memory.shape.workers, memory.shape.tunnels, memory.groups),
    vlans: new VlanTable(memory.shape.tunnels, memory.vlans),
    counters: new Counters(memory.shape, memory.counters),
    pathMtus: new PathMtuTable(memory.shape.remotes, memory.pathMtus),
    limits,
    moves,
    policers: new Policers(memory.shape.tunnels, millisecondClock(), memory.policers),
    strangers: new Strangers(memory.shape.tunnels, memory.strangers),
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
    groups: tables.groups.memory,
    vlans: tables.vlans.memory,
    counters: tables.counters.memory,
    pathMtus: tables.pathMtus.memory,
    limits: tables.limits.memory,
    moves: tables.moves.memory,
    policers: tables.policers.memory,
    strangers: tables.strangers.memory,
    shape: tables.counters.shape,
  };
}
