/** Who the tunnels' remotes are while they change: host names and multicast groups, with their timers. */
import { monotonicSeconds } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { linkByName } from '../linux/netlink-link.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import type { TunnelDirectory } from '../vtep/tunnel-directory.ts';
import { HeardSenders } from './heard-senders.ts';
import { NameWatch } from './name-watch.ts';
import { SystemResolver } from './system-resolver.ts';
import { TunnelGroups } from './tunnel-groups.ts';
import { TunnelRemotes } from './tunnel-remotes.ts';
import type { WorkerPool } from './worker-pool.ts';

const CHECK_MS = 1_000;
const CHECKS_PER_EXPIRY = 10;

export interface UnderlayRemotesOptions {
  readonly tables: SharedTables;
  readonly directory: TunnelDirectory;
  readonly verbs: FdbVerbs;
  readonly workers: WorkerPool;
  readonly firstGroupId: number;
  readonly groupsMax: number;
  readonly log: Logger;
}

export class UnderlayRemotes {
  readonly names: NameWatch;
  readonly remotes: TunnelRemotes;
  readonly groups: TunnelGroups;
  readonly #heard: HeardSenders;
  #timer: NodeJS.Timeout | undefined;
  #checks = 0;

  constructor(options: UnderlayRemotesOptions) {
    const { verbs, log } = options;
    this.names = new NameWatch({
      resolver: new SystemResolver(),
      schedule,
      nowSeconds: monotonicSeconds,
      log,
    });
    this.remotes = new TunnelRemotes({ verbs, names: this.names, log });
    this.groups = new TunnelGroups({
      ...options,
      firstId: options.firstGroupId,
      remotes: this.remotes,
    });
    this.#heard = new HeardSenders({
      ...options,
      scopeOf: (tunnel) => linkByName(this.remotes.linkOf(tunnel) ?? '')?.index ?? 0,
    });
  }

  start(): void {
    this.#heard.start();
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#heard.stop();
    this.names.stop();
  }

  #check(): void {
    void this.groups.check();
    this.#checks += 1;
    if (this.#checks % CHECKS_PER_EXPIRY === 0) this.#heard.expire(monotonicSeconds());
  }
}

function schedule(task: () => void, milliseconds: number): () => void {
  const timer = setTimeout(task, milliseconds).unref();
  return () => clearTimeout(timer);
}
