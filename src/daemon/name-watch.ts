/** Host names that stand for remotes: resolved at the start and again and again. Main thread only. */
import { RateLimitedLog, type Logger } from '../base/log.ts';
import type { UnderlayAddress } from '../config/config.ts';

/** What a name stands for, and how long that holds. */
export interface Resolution {
  readonly addresses: readonly UnderlayAddress[];
  /** Undefined when whoever answered knows none, such as /etc/hosts. */
  readonly ttlSeconds: number | undefined;
}

/** Rejects when the name cannot be resolved at the moment. */
export interface NameResolver {
  resolve(name: string): Promise<Resolution>;
}

/** Runs `task` once after that time; returns what cancels it. */
export type Schedule = (task: () => void, milliseconds: number) => () => void;

export interface NameWatchOptions {
  readonly resolver: NameResolver;
  readonly schedule: Schedule;
  readonly nowSeconds: () => number;
  readonly log: Logger;
}

/** Without a TTL. */
const REFRESH_SECONDS = 60;
/** A TTL of 0 or of days is not meant for something that runs for ever. */
const REFRESH_SECONDS_MIN = 5;
const REFRESH_SECONDS_MAX = 3600;
/** After a failure. */
const RETRY_SECONDS = 5;
/** Queries at a time: more would only queue up in the resolver. */
const AT_ONCE = 8;

interface Watched {
  readonly name: string;
  readonly listeners: Set<() => void>;
  addresses: readonly UnderlayAddress[];
  failure: string | undefined;
  cancel: () => void;
}

/**
 * A name that cannot be resolved keeps the addresses it had, is warned of, and tried again. Several
 * tunnels with one name share its queries.
 */
export class NameWatch {
  readonly #options: NameWatchOptions;
  readonly #quiet: RateLimitedLog;
  readonly #watched = new Map<string, Watched>();
  readonly #queue: Watched[] = [];
  #busy = 0;

  constructor(options: NameWatchOptions) {
    this.#options = options;
    this.#quiet = new RateLimitedLog(options.log);
  }

  /** Calls `listener` whenever the name gets other addresses; never at once. Returns what ends that. */
  watch(name: string, listener: () => void): () => void {
    let watched = this.#watched.get(name);
    if (watched === undefined) {
      const listeners = new Set<() => void>();
      watched = { name, listeners, addresses: [], failure: undefined, cancel: () => {} };
      this.#watched.set(name, watched);
      this.#enqueue(watched);
    }
    watched.listeners.add(listener);
    return () => this.#unwatch(name, listener);
  }

  /** What the name stands for at the moment; nothing while it was never resolved. */
  addressesOf(name: string): readonly UnderlayAddress[] {
    return this.#watched.get(name)?.addresses ?? [];
  }

  /** Why the last query failed; undefined when it did not. */
  failureOf(name: string): string | undefined {
    return this.#watched.get(name)?.failure;
  }

  stop(): void {
    for (const { cancel } of this.#watched.values()) cancel();
    this.#watched.clear();
    this.#queue.length = 0;
  }

  #unwatch(name: string, listener: () => void): void {
    const watched = this.#watched.get(name);
    if (watched === undefined) return;
    watched.listeners.delete(listener);
    if (watched.listeners.size > 0) return;
    watched.cancel();
    this.#watched.delete(name);
  }

  #enqueue(watched: Watched): void {
    this.#queue.push(watched);
    while (this.#busy < AT_ONCE && this.#queue.length > 0) {
      this.#busy += 1;
      void this.#work();
    }
  }

  async #work(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      await this.#resolve(next);
    }
    this.#busy -= 1;
  }

  async #resolve(watched: Watched): Promise<void> {
    const { resolver, schedule } = this.#options;
    let delaySeconds = RETRY_SECONDS;
    try {
      const { addresses, ttlSeconds } = await resolver.resolve(watched.name);
      const wanted = ttlSeconds ?? REFRESH_SECONDS;
      delaySeconds = Math.min(Math.max(wanted, REFRESH_SECONDS_MIN), REFRESH_SECONDS_MAX);
      if (this.#watched.get(watched.name) !== watched) return;
      watched.failure = undefined;
      this.#take(watched, addresses);
    } catch (error) {
      if (this.#watched.get(watched.name) !== watched) return;
      this.#fail(watched, error);
    }
    watched.cancel = schedule(() => this.#enqueue(watched), delaySeconds * 1000);
  }

  #take(watched: Watched, addresses: readonly UnderlayAddress[]): void {
    const sorted = addresses.toSorted((a, b) => (a.text < b.text ? -1 : 1));
    const texts = sorted.map(({ text }) => text).join(' ');
    if (texts === watched.addresses.map(({ text }) => text).join(' ')) return;
    watched.addresses = sorted;
    this.#options.log.info('name resolved', { name: watched.name, addresses: texts });
    for (const listener of watched.listeners) listener();
  }

  #fail(watched: Watched, error: unknown): void {
    watched.failure = error instanceof Error ? error.message : String(error);
    const kept = watched.addresses.map(({ text }) => text).join(' ');
    this.#quiet.warn(watched.name, this.#options.nowSeconds(), 'name not resolved', {
      name: watched.name,
      message: watched.failure,
      hint: kept === '' ? 'it is tried again' : `${kept} stays; it is tried again`,
    });
  }
}
