/** The composition root: the one place where tables, kernel, forwarding core, verbs and API meet. */
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { ApiServer } from '../api/server.ts';
import { millisecondClock, monotonicSeconds } from '../base/clock.ts';
import { asVtepError } from '../base/errors.ts';
import { RateLimitedLog, type Logger } from '../base/log.ts';
import { REMOTES_MAX, TUNNELS_MAX, type Config } from '../config/config.ts';
import { Counters } from '../dataplane/counters.ts';
import { PathMtuTable } from '../dataplane/path-mtu.ts';
import { Policers } from '../dataplane/policers.ts';
import { sharedMemory, type SharedTables } from '../dataplane/shared-tables.ts';
import { GroupTable } from '../dataplane/group-table.ts';
import { Strangers } from '../dataplane/strangers.ts';
import { TunnelTable } from '../dataplane/tunnel-table.ts';
import { VlanTable } from '../dataplane/vlan-table.ts';
import { DestinationLists } from '../fdb/destination-lists.ts';
import { Grace } from '../fdb/grace.ts';
import { NeighbourTable } from '../fdb/neighbours.ts';
import { LearnLimits } from '../fdb/learn-limits.ts';
import { MacMoves } from '../fdb/mac-moves.ts';
import { RemoteTable } from '../fdb/remotes.ts';
import { FdbTable } from '../fdb/table.ts';
import { linkByIndex, linkByName } from '../linux/netlink-link.ts';
import { notify } from '../linux/sd-notify.ts';
import { FdbVerbs } from '../vtep/fdb-verbs.ts';
import { NeighbourVerbs } from '../vtep/neighbour-verbs.ts';
import { Newcomers } from '../vtep/newcomers.ts';
import { Tunnels } from '../vtep/tunnels.ts';
import { Endpoints } from './endpoints.ts';
import { Housekeeping } from './housekeeping.ts';
import { DaemonInspector } from './inspector.ts';
import { LinkVerbs } from './link-verbs.ts';
import type { OpenTunnel } from './open-tunnel.ts';
import { TransmitPools } from './transmit-pools.ts';
import { TunnelSet } from './tunnel-set.ts';
import { UnderlayRemotes } from './underlay-remotes.ts';
import { WorkerPool } from './worker-pool.ts';

/** Entries of the FDB, all tunnels together. Memory is touched, and so taken, only as entries are added. */
const FDB_CAPACITY = 1 << 20;
/** Remotes of all tunnels together. */
const REMOTE_ROWS = 4 * REMOTES_MAX;
const LIST_WORDS = 16 * REMOTES_MAX;
/** Neighbours of all tunnels together. */
const NEIGHBOURS_CAPACITY = 1 << 16;
const ENDPOINTS_MAX = 64;
/** Multicast groups, by address, port and device. */
const GROUPS_MAX = 64;
const POOLS_MAX = 64;
const WORKERS_AUTO_MAX = 4;
/** Between two tries to make a device again. */
const REOPEN_MS = 2_000;

export class Daemon {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #onFailure: () => void;
  readonly #workers: WorkerPool;
  readonly #endpoints: Endpoints;
  readonly #pools: TransmitPools;
  readonly #underlay: UnderlayRemotes;
  readonly #tunnels: TunnelSet;
  readonly #housekeeping: Housekeeping;
  readonly #api: ApiServer;
  readonly #quiet: RateLimitedLog;
  #stopping = false;

  /** Starts the worker threads. `onFailure` is called when the daemon cannot go on: end the process then. */
  constructor(config: Config, log: Logger, onFailure: () => void) {
    this.#config = config;
    this.#log = log;
    this.#quiet = new RateLimitedLog(log);
    this.#onFailure = onFailure;
    const portable = config.underlay === 'portable';
    const workers = portable ? 1 : workerCount(config);
    const tables = makeTables(workers);
    const directory = new Tunnels(TUNNELS_MAX);
    const verbs = new FdbVerbs({
      tables: {
        table: tables.fdb,
        remotes: tables.remotes,
        lists: tables.lists,
        grace: tables.grace,
      },
      tunnels: directory,
      interfaces: {
        indexOf: (name) => linkByName(name)?.index,
        nameOf: (index) => linkByIndex(index)?.name,
      },
      nowSeconds: monotonicSeconds,
    });
    this.#workers = new WorkerPool(
      workers,
      {
        memory: sharedMemory(tables),
        portable,
        lanesPerPool: config.transmitSockets,
        poolsMax: POOLS_MAX,
        endpointsMax: ENDPOINTS_MAX + GROUPS_MAX,
      },
      {
        died: (worker, reason) => this.#fail('forwarding worker ended', { worker, reason }),
        lost: (what, index, errno) => this.#onLost(what, index, errno),
        fault: (worker, message) => this.#log.error('batch dropped', { worker, message }),
      },
    );
    this.#endpoints = new Endpoints(config, portable, this.#workers, ENDPOINTS_MAX, log);
    this.#pools = new TransmitPools(config, portable, this.#workers, POOLS_MAX);
    const newcomers = new Newcomers(verbs.context, tables.strangers, tables.limits);
    const parts = { tables, directory, verbs, newcomers, workers: this.#workers, log };
    this.#underlay = new UnderlayRemotes({
      ...parts,
      ...{ firstGroupId: ENDPOINTS_MAX, groupsMax: GROUPS_MAX },
    });
    const { remotes, groups } = this.#underlay;
    const sockets = { endpoints: this.#endpoints, pools: this.#pools };
    this.#tunnels = new TunnelSet({ ...parts, ...sockets, remotes, groups });
    this.#housekeeping = new Housekeeping({
      ...parts,
      tunnels: this.#tunnels,
      onHang: (seconds) => this.#fail('forwarding worker hangs', { seconds }),
    });
    const inspector = new DaemonInspector({
      tables,
      verbs,
      newcomers,
      tunnels: () => this.#tunnels.list(),
      underlayRemotes: this.#underlay,
      workers,
      portable,
    });
    this.#api = new ApiServer({
      verbs,
      neighbours: new NeighbourVerbs({
        table: tables.neighbours,
        tunnels: directory,
        nowSeconds: monotonicSeconds,
      }),
      tunnels: directory,
      inspector,
      links: new LinkVerbs({
        config,
        tables,
        verbs,
        tunnels: this.#tunnels,
        endpoints: this.#endpoints,
        log,
      }),
      socketPath: config.socket,
      log,
    });
  }

  /** Opens the API and every tunnel, all or none: rejects with what failed, everything closed again. */
  async start(): Promise<void> {
    try {
      // First, because a second daemon on the same socket must not touch a tunnel.
      await this.#api.listen();
      await this.#tunnels.inTurn(async () => {
        for (const tunnel of this.#config.tunnels) await this.#tunnels.open(tunnel);
        await this.#endpoints.listen();
      });
    } catch (error) {
      await this.#shutDown();
      throw error;
    }
    this.#housekeeping.start();
    this.#underlay.start();
    this.#log.notice('ready', {
      tunnels: this.#tunnels.list().map(({ info }) => `${info.name} (VNI ${info.vni})`),
      workers: this.#workers.count,
      underlay: this.#config.underlay === 'portable' ? 'portable' : 'fast',
      socket: this.#config.socket,
    });
    notify('READY=1');
  }

  /** Closes sockets and removes the devices that were made here. */
  async stop(): Promise<void> {
    notify('STOPPING=1');
    this.#log.info('stopping');
    this.#stopping = true;
    await this.#shutDown();
  }

  /** SIGHUP: the file is not read again in this version, and the service manager must not wait for it. */
  reload(): void {
    notify(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    this.#log.warn('reload not supported', { hint: 'restart the daemon to apply a changed file' });
    notify('READY=1');
  }

  async #shutDown(): Promise<void> {
    this.#housekeeping.stop();
    this.#underlay.stop();
    await this.#api.close();
    await this.#workers.stop();
    this.#endpoints.closeAll();
    this.#underlay.groups.closeAll();
    this.#pools.closeAll();
    this.#tunnels.closeDevices();
  }

  /** Somebody deleted a TAP, or a socket broke. Everything else goes on forwarding. */
  #onLost(what: 'tunnel' | 'endpoint', index: number, errno: number): void {
    const tunnel = what === 'tunnel' ? this.#tunnels.get(index) : undefined;
    if (tunnel?.configured === true) void this.#remake(tunnel);
    else if (tunnel !== undefined) void this.#forget(tunnel);
    // Every worker reports the device; after the first report it is not open any more.
    else if (what === 'endpoint') this.#fail('receive socket failed', { index, errno });
  }

  /** The configuration still wants the tunnel: its device is made again, as the configuration says. */
  async #remake(tunnel: OpenTunnel): Promise<void> {
    const { config } = tunnel;
    this.#log.error('device lost', {
      dev: config.name,
      hint: 'somebody deleted it; it is made again, without addresses and entries that were added by hand',
    });
    let closed = false;
    const attempt = async (): Promise<void> => {
      if (!closed && !(await this.#close(tunnel))) return;
      closed = true;
      await this.#tunnels.open(config);
      await this.#endpoints.listen();
    };
    while (!this.#stopping) {
      try {
        await this.#tunnels.inTurn(attempt);
        return;
      } catch (error) {
        const { message } = asVtepError(error);
        this.#quiet.warn(config.name, monotonicSeconds(), 'device not made again', { message });
      }
      await setTimeout(REOPEN_MS);
    }
  }

  /** Nobody wants a tunnel any more that was added at run time and whose device was deleted. */
  async #forget(tunnel: OpenTunnel): Promise<void> {
    const dev = tunnel.config.name;
    if (!(await this.#tunnels.inTurn(() => this.#close(tunnel)))) return;
    this.#log.warn('device lost', {
      dev,
      hint: 'somebody deleted it; it was added at run time: vtep link add brings it back',
    });
  }

  /** False when another order has closed it, or put another in its place, meanwhile. */
  async #close({ info, device }: OpenTunnel): Promise<boolean> {
    const now = this.#tunnels.get(info.index);
    if (now?.device !== device) return false;
    await this.#tunnels.close(now);
    return true;
  }

  /** The kernel goes on hashing flows onto a dead worker's sockets: only a new process mends that. */
  #fail(event: string, fields: Record<string, unknown>): void {
    this.#log.error(event, fields);
    this.#onFailure();
  }
}

function workerCount({ workers }: Config): number {
  return workers === 'auto' ? Math.min(availableParallelism(), WORKERS_AUTO_MAX) : workers;
}

function makeTables(workers: number): SharedTables {
  const grace = Grace.create(workers);
  const remotes = RemoteTable.create(REMOTE_ROWS);
  const counters = new Counters({ workers, tunnels: TUNNELS_MAX, remotes: REMOTE_ROWS });
  const pathMtus = new PathMtuTable(REMOTE_ROWS);
  remotes.onNewRow = (index) => {
    counters.clearRemote(index);
    pathMtus.clear(index);
  };
  const limits = new LearnLimits(TUNNELS_MAX, remotes);
  const fdb = FdbTable.create(FDB_CAPACITY, undefined, (slots) => {
    return { limits, moves: new MacMoves(TUNNELS_MAX, slots, remotes) };
  });
  return {
    fdb,
    remotes,
    lists: DestinationLists.create(LIST_WORDS, grace),
    neighbours: NeighbourTable.create(NEIGHBOURS_CAPACITY, TUNNELS_MAX),
    grace,
    tunnels: new TunnelTable(TUNNELS_MAX),
    groups: new GroupTable(workers, TUNNELS_MAX),
    vlans: new VlanTable(TUNNELS_MAX),
    counters,
    pathMtus,
    limits,
    moves: fdb.guards!.moves,
    policers: new Policers(TUNNELS_MAX, millisecondClock()),
    strangers: new Strangers(TUNNELS_MAX),
  };
}
