/** Remotes that were heard in a multicast group become allowed senders, and strangers again when silent. */
import { setTimeout } from 'node:timers/promises';
import { monotonicSeconds } from '../base/clock.ts';
import { asVtepError } from '../base/errors.ts';
import { RateLimitedLog, type Logger } from '../base/log.ts';
import { REMOTE_RX_PACKETS } from '../dataplane/counters.ts';
import type { HeardSender } from '../dataplane/group-table.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { listAddresses } from '../linux/netlink-address.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import type { TunnelDirectory } from '../vtep/tunnel-directory.ts';
import { formatIp, isLinkLocalIp6, isMulticastIp, isUnspecifiedIp } from '../wire/ip.ts';

/** Between two looks at what the workers have heard, so that forged senders cannot keep us busy. */
const PAUSE_MS = 20;
/** A silent remote of a tunnel that never ages is kept. */
const NEVER = 0;

interface Activity {
  packets: number;
  sinceSeconds: number;
}

export interface HeardSendersOptions {
  readonly tables: SharedTables;
  readonly directory: TunnelDirectory;
  readonly verbs: FdbVerbs;
  /** Interface index of the tunnel's group, for senders with a link-local address. */
  readonly scopeOf: (tunnel: number) => number;
  readonly log: Logger;
}

export class HeardSenders {
  readonly #options: HeardSendersOptions;
  readonly #quiet: RateLimitedLog;
  readonly #activity = new Map<number, Activity>();
  #running = false;
  #stopped = false;

  constructor(options: HeardSendersOptions) {
    this.#options = options;
    this.#quiet = new RateLimitedLog(options.log);
  }

  /** Listens to the workers from now on; again is fine. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#listen();
  }

  stop(): void {
    this.#stopped = true;
    this.#options.tables.groups.wake();
  }

  /** Dismisses the remotes that have been silent as long as a learned MAC may be. */
  expire(nowSeconds: number): void {
    const { directory, verbs, tables } = this.#options;
    for (const info of directory.all()) {
      if (info.ageingSeconds === NEVER) continue;
      for (const index of verbs.admittedRemotes(info)) {
        const packets = tables.counters.remoteTotal(index, REMOTE_RX_PACKETS);
        const known = this.#activity.get(index);
        if (known === undefined || known.packets !== packets) {
          this.#activity.set(index, { packets, sinceSeconds: nowSeconds });
        } else if (nowSeconds - known.sinceSeconds > info.ageingSeconds) {
          this.#activity.delete(index);
          verbs.dismiss(info, index);
        }
      }
    }
  }

  async #listen(): Promise<void> {
    const { groups } = this.#options.tables;
    while (!this.#stopped) {
      const { signal } = groups;
      const heard: HeardSender[] = [];
      groups.drain((sender) => heard.push(sender));
      this.#admitAll(heard);
      await groups.changed(signal);
      if (heard.length > 0) await setTimeout(PAUSE_MS, undefined, { ref: false });
    }
  }

  #admitAll(heard: readonly HeardSender[]): void {
    if (heard.length === 0) return;
    try {
      const own = new Set(listAddresses().map(({ address }) => formatIp(address)));
      for (const sender of heard) this.#admit(sender, own);
    } catch (error) {
      const { message } = asVtepError(error);
      this.#quiet.warn('admit', monotonicSeconds(), 'sender not admitted', { message });
    }
  }

  #admit({ tunnel, address }: HeardSender, own: ReadonlySet<string>): void {
    const { directory, verbs, scopeOf, log } = this.#options;
    const info = directory.byIndex(tunnel);
    const text = formatIp(address);
    if (info === undefined || isMulticastIp(address) || isUnspecifiedIp(address)) return;
    if (own.has(text)) return;
    const scope = isLinkLocalIp6(address) ? scopeOf(tunnel) : 0;
    const index = verbs.admit(info, { address, scope });
    if (index === undefined) return;
    this.#activity.delete(index);
    log.debug('remote heard in the group', { dev: info.name, vni: info.vni, remote: text });
  }
}
