/** What the main thread does now and then: ageing, reclaiming memory, looking for trouble, the watchdog. */
import { monotonicSeconds } from '../base/clock.ts';
import { RateLimitedLog, type Logger } from '../base/log.ts';
import { COUNTER_DROPS } from '../dataplane/counters.ts';
import { DROP_OWN_MAC } from '../dataplane/drop-reasons.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { Ageing } from '../fdb/ageing.ts';
import { linkByIndex } from '../linux/netlink-link.ts';
import { notify, watchdogIntervalMs } from '../linux/sd-notify.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import type { TunnelDirectory } from '../vtep/tunnel-directory.ts';
import { macText } from './tunnel-device.ts';
import type { TunnelSet } from './tunnel-set.ts';
import type { WorkerPool } from './worker-pool.ts';

const ROUND_MS = 500;
/** A whole table is swept within this time, as the kernel's rescan interval is. */
const SWEEP_SECONDS = 10;
const STATUS_ROUNDS = 10;
/** A worker gives a sign of life four times a second; this silent, it hangs. */
const WORKER_SILENT_SECONDS = 3;

export interface HousekeepingOptions {
  readonly tables: SharedTables;
  readonly verbs: FdbVerbs;
  readonly directory: TunnelDirectory;
  readonly tunnels: TunnelSet;
  readonly workers: WorkerPool;
  readonly log: Logger;
}

export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #ageing: Ageing;
  readonly #quiet: RateLimitedLog;
  readonly #duplicates = new Set<number>();
  readonly #timers: NodeJS.Timeout[] = [];
  #round = 0;

  constructor(options: HousekeepingOptions) {
    const { tables, verbs, directory } = options;
    this.#options = options;
    this.#quiet = new RateLimitedLog(options.log);
    this.#ageing = new Ageing(
      tables.fdb,
      (vni) => directory.byVni(vni)?.ageingSeconds ?? 0,
      (entry) => verbs.aged(entry),
    );
  }

  start(): void {
    this.#timers.push(setInterval(() => this.#tidy(), ROUND_MS));
    const watchdogMs = watchdogIntervalMs();
    // Only while all workers live: a hung data path is what the watchdog is for.
    if (watchdogMs !== undefined)
      this.#timers.push(setInterval(() => this.#watchdog(), watchdogMs / 2));
  }

  stop(): void {
    this.#timers.forEach(clearInterval);
  }

  #tidy(): void {
    const { tables } = this.#options;
    const slots = Math.ceil((tables.fdb.slots * ROUND_MS) / (SWEEP_SECONDS * 1000));
    this.#ageing.sweep(monotonicSeconds(), slots);
    tables.grace.collect();
    this.#followDevices();
    if (this.#round % STATUS_ROUNDS === 0) this.#status();
    this.#round += 1;
  }

  /** MAC and MTU may be changed with `ip link` at any time; a bridge does it by itself. */
  #followDevices(): void {
    const { tables, tunnels, log } = this.#options;
    for (const { info } of tunnels.list()) {
      const link = linkByIndex(info.ifindex);
      if (link?.mac === undefined) continue;
      tables.tunnels.setMac(info.index, link.mac.high, link.mac.low);
      tables.tunnels.setMtu(info.index, link.mtu);
      const echoes = tables.counters.tunnelTotal(info.index, COUNTER_DROPS + DROP_OWN_MAC);
      if (echoes === 0 || this.#duplicates.has(info.index)) continue;
      this.#duplicates.add(info.index);
      log.warn('own mac heard from a remote', {
        dev: info.name,
        mac: macText(link),
        hint:
          'another host has the same MAC (cloned machine?), or the segment has a loop; ' +
          `give this device another: ip link set ${info.name} address …`,
      });
    }
  }

  #status(): void {
    const { tables, tunnels } = this.#options;
    const list = tunnels.list();
    const remotes = list.reduce((sum, { info }) => sum + tables.remotes.list(info.index).length, 0);
    notify(`STATUS=${list.length} tunnels, ${remotes} remotes, ${tables.fdb.count} FDB entries`);
  }

  #watchdog(): void {
    const silent = this.#options.workers.silentSeconds();
    if (silent <= WORKER_SILENT_SECONDS) {
      notify('WATCHDOG=1');
      return;
    }
    this.#quiet.warn('hang', monotonicSeconds(), 'forwarding worker silent', { seconds: silent });
  }
}
