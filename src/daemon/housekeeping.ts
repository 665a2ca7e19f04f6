/** What the main thread does now and then: ageing, reclaiming memory, looking for trouble, the watchdog. */
import { monotonicSeconds } from '../base/clock.ts';
import { asVtepError } from '../base/errors.ts';
import { RateLimitedLog, type Logger } from '../base/log.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { Ageing } from '../fdb/ageing.ts';
import { NetlinkChanges } from '../linux/netlink-changes.ts';
import { LinkMonitor } from '../linux/link-monitor.ts';
import { notify, watchdogIntervalMs } from '../linux/sd-notify.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import type { Newcomers } from '../vtep/newcomers.ts';
import type { TunnelDirectory } from '../vtep/tunnel-directory.ts';
import { EgressWatch } from './egress-watch.ts';
import { SafetyWatch } from './safety-watch.ts';
import { FdbPages } from './fdb-pages.ts';
import type { TunnelSet } from './tunnel-set.ts';
import { TunnelWatch } from './tunnel-watch.ts';
import type { WorkerPool } from './worker-pool.ts';

const ROUND_MS = 500;
/** A whole table is swept within this time, as the kernel's rescan interval is. */
const SWEEP_SECONDS = 10;
const STATUS_ROUNDS = 10;
const EGRESS_MS = 500;
/** A worker gives a sign of life four times a second; this silent, it hangs. */
const WORKER_SILENT_SECONDS = 3;
const WORKER_HUNG_SECONDS = 10;
const WORKER_CHECK_MS = 1_000;
/** How long a stranger of a tunnel with `remotes: any` waits until it is learned. */
const NEWCOMERS_MS = 100;
const FORGET_MS = 60_000;

export interface HousekeepingOptions {
  readonly tables: SharedTables;
  readonly verbs: FdbVerbs;
  readonly newcomers: Newcomers;
  readonly directory: TunnelDirectory;
  readonly tunnels: TunnelSet;
  readonly workers: WorkerPool;
  readonly log: Logger;
  /** A worker has been silent for so long that it will not come back. */
  onHang(seconds: number): void;
}

export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #ageing: Ageing;
  readonly #quiet: RateLimitedLog;
  readonly #watch: TunnelWatch;
  readonly #pages = new FdbPages();
  readonly #changes = new NetlinkChanges();
  readonly #egress: EgressWatch;
  /** Made before the first tunnel, so that no change of its device is missed. */
  readonly #monitor = new LinkMonitor();
  readonly #safety: SafetyWatch;
  readonly #timers: NodeJS.Timeout[] = [];
  #round = 0;
  #silent = false;

  constructor(options: HousekeepingOptions) {
    const { tables, verbs, directory } = options;
    this.#options = options;
    this.#quiet = new RateLimitedLog(options.log);
    this.#watch = new TunnelWatch(tables, options.log);
    this.#egress = new EgressWatch(tables, options.log, this.#changes);
    this.#safety = new SafetyWatch(tables, options.log);
    this.#ageing = new Ageing(
      tables.fdb,
      (vni) => directory.byVni(vni)?.ageingSeconds ?? 0,
      (entry) => verbs.aged(entry),
    );
  }

  start(): void {
    const options = this.#options;
    this.#egress.look(options.tunnels.list());
    this.#every(ROUND_MS, () => this.#tidy());
    this.#every(EGRESS_MS, () => this.#egress.round(options.tunnels.list()));
    this.#every(NEWCOMERS_MS, () => {
      if (options.newcomers.active) options.newcomers.admit();
    });
    this.#every(FORGET_MS, () => options.newcomers.forgetSilent());
    this.#every(WORKER_CHECK_MS, () => this.#checkWorkers());
    const watchdogMs = watchdogIntervalMs();
    if (watchdogMs !== undefined) this.#every(watchdogMs / 2, () => this.#watchdog());
  }

  stop(): void {
    this.#timers.forEach(clearInterval);
    this.#changes.close();
    this.#monitor.close();
  }

  /** What fails here (a descriptor limit, a full netlink socket) must not end forwarding. */
  #every(milliseconds: number, task: () => void): void {
    const guarded = (): void => {
      try {
        task();
      } catch (error) {
        const { message } = asVtepError(error);
        this.#quiet.warn('housekeeping', monotonicSeconds(), 'housekeeping failed', { message });
      }
    };
    this.#timers.push(setInterval(guarded, milliseconds));
  }

  #tidy(): void {
    const { tables, tunnels } = this.#options;
    const slots = Math.ceil((tables.fdb.slots * ROUND_MS) / (SWEEP_SECONDS * 1000));
    this.#ageing.sweep(monotonicSeconds(), slots);
    this.#ageNeighbours();
    tables.grace.collect();
    this.#pages.look(tables.fdb);
    this.#round += 1;
    if (this.#round % STATUS_ROUNDS === 1) this.#status();
    const changed = this.#monitor.changes();
    for (const tunnel of tunnels.list()) this.#watch.look(tunnel, changed.get(tunnel.info.ifindex));
    this.#safety.look(tunnels.list(), monotonicSeconds());
  }

  #ageNeighbours(): void {
    const { tables, directory } = this.#options;
    const slots = Math.ceil((tables.neighbours.slots * ROUND_MS) / (SWEEP_SECONDS * 1000));
    const limit = (tunnel: number): number => directory.byIndex(tunnel)?.ageingSeconds ?? 0;
    tables.neighbours.sweep(monotonicSeconds(), slots, limit);
  }

  #status(): void {
    const { tables, tunnels } = this.#options;
    const list = tunnels.list();
    const remotes = list.reduce((sum, { info }) => sum + tables.remotes.list(info.index).length, 0);
    notify(`STATUS=${list.length} tunnels, ${remotes} remotes, ${tables.fdb.count} FDB entries`);
  }

  /** Only while all workers live: a hung data path is what the watchdog is for. */
  #watchdog(): void {
    if (this.#options.workers.silentSeconds() <= WORKER_SILENT_SECONDS) notify('WATCHDOG=1');
  }

  /** The kernel goes on giving a hung worker its share of the flows: only a new process mends that. */
  #checkWorkers(): void {
    const seconds = this.#options.workers.silentSeconds();
    // Twice in a row: after a suspended machine wakes up, the workers get time to say so.
    const hung = seconds > WORKER_HUNG_SECONDS && this.#silent;
    this.#silent = seconds > WORKER_SILENT_SECONDS;
    if (hung) this.#options.onHang(seconds);
    else if (this.#silent) {
      this.#quiet.warn('hang', monotonicSeconds(), 'forwarding worker silent', { seconds });
    }
  }
}
