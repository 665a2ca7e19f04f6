/** Tells an operator what the safety settings are doing, and lets frozen MACs go in time. */
import { RateLimitedLog, type Logger } from '../base/log.ts';
import { COUNTER_DROPS, COUNTER_LIMITED } from '../dataplane/counters.ts';
import {
  DROP_REASONS,
  DROP_STORM_BROADCAST,
  DROP_STORM_MULTICAST,
  DROP_STORM_UNKNOWN,
} from '../dataplane/drop-reasons.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { FrozenMacs } from '../fdb/frozen-macs.ts';
import { isList, type FdbEntry } from '../fdb/table.ts';
import { formatIp } from '../wire/ip.ts';
import { formatMac } from '../wire/mac.ts';
import type { OpenTunnel } from './open-tunnel.ts';

const STORMS = [DROP_STORM_BROADCAST, DROP_STORM_MULTICAST, DROP_STORM_UNKNOWN];
/** Frozen MACs that a tunnel names in the log within one minute; `vtep fdb show` names all. */
const NAMED_PER_MINUTE = 10;
const MINUTE_SECONDS = 60;

/** What of a tunnel was told, or seen last. */
interface Memory {
  limited: number;
  storms: number;
  minute: number;
  named: number;
}

export class SafetyWatch {
  readonly #tables: SharedTables;
  readonly #log: Logger;
  readonly #quiet: RateLimitedLog;
  readonly #frozen: FrozenMacs;
  readonly #memories = new Map<number, Memory>();

  constructor(tables: SharedTables, log: Logger) {
    this.#tables = tables;
    this.#log = log;
    this.#quiet = new RateLimitedLog(log);
    this.#frozen = new FrozenMacs(tables.fdb, tables.moves);
  }

  /** To be called about twice a second with every open tunnel. */
  look(tunnels: readonly OpenTunnel[], nowSeconds: number): void {
    const byVni = new Map(tunnels.map((tunnel) => [tunnel.info.vni, tunnel]));
    for (const entry of this.#frozen.takeNew()) this.#reportFrozen(byVni, entry, nowSeconds);
    const freezeSeconds = (vni: number): number =>
      byVni.get(vni)?.config.safety.macFreezeSeconds ?? 0;
    for (const { vni, macHigh, macLow } of this.#frozen.releaseDue(nowSeconds, freezeSeconds)) {
      const dev = byVni.get(vni)?.info.name;
      this.#log.info('mac released', { dev, mac: formatMac(macHigh, macLow) });
    }
    for (const tunnel of tunnels) {
      this.#reportLimits(tunnel, nowSeconds);
      this.#reportStorms(tunnel, nowSeconds);
    }
  }

  #reportFrozen(
    byVni: ReadonlyMap<number, OpenTunnel>,
    { vni, macHigh, macLow, destination }: FdbEntry,
    nowSeconds: number,
  ): void {
    const tunnel = byVni.get(vni);
    if (tunnel === undefined) return;
    const { name, index } = tunnel.info;
    const { macMoves, macMoveWindowSeconds, macFreezeSeconds } = tunnel.config.safety;
    const memory = this.#memory(index);
    const minute = Math.floor(nowSeconds / MINUTE_SECONDS);
    if (memory.minute !== minute) {
      memory.minute = minute;
      memory.named = 0;
    }
    memory.named += 1;
    if (memory.named > NAMED_PER_MINUTE) {
      const hint = 'list them: vtep fdb show';
      this.#quiet.warn(`frozen ${name}`, nowSeconds, 'more macs frozen', { dev: name, hint });
      return;
    }
    const until = macFreezeSeconds === 0 ? '' : `it may move again in ${macFreezeSeconds} s, or `;
    this.#log.warn('mac frozen', {
      dev: name,
      mac: formatMac(macHigh, macLow),
      ...(isList(destination) ? {} : { dst: this.#addressOf(destination) }),
      hint:
        `it moved ${macMoves} times within ${macMoveWindowSeconds} s: look for a loop or a second host ` +
        `with this MAC; ${until}after: vtep fdb del ${formatMac(macHigh, macLow)} dev ${name}`,
    });
  }

  #reportLimits({ info, config }: OpenTunnel, nowSeconds: number): void {
    const { counters, limits, remotes } = this.#tables;
    const memory = this.#memory(info.index);
    const limited = counters.tunnelTotal(info.index, COUNTER_LIMITED);
    const hasGrown = limited > memory.limited;
    memory.limited = limited;
    if (!hasGrown) return;
    const { limit, remoteLimit } = config.safety;
    const full = remotes
      .list(info.index)
      .filter((row) => remoteLimit !== 0 && limits.learnedOf(row) >= remoteLimit);
    this.#quiet.warn(`limit ${info.name}`, nowSeconds, 'learning limit reached', {
      dev: info.name,
      learned: limits.learned(info.index),
      limit,
      ...(full.length === 0
        ? {}
        : { remotes: full.slice(0, 8).map((row) => this.#addressOf(row)) }),
      ...(full.length === 0 ? {} : { 'remote-limit': remoteLimit }),
      hint:
        'new MACs are not learned and their frames flooded; find who sends from so many ' +
        `(vtep -s fdb show dev ${info.name}), or raise "limit" or "remote-limit"`,
    });
  }

  #reportStorms({ info }: OpenTunnel, nowSeconds: number): void {
    const memory = this.#memory(info.index);
    const counts = STORMS.map((reason): [string, number] => [
      DROP_REASONS[reason]!,
      this.#tables.counters.tunnelTotal(info.index, COUNTER_DROPS + reason),
    ]);
    const storms = counts.reduce((sum, [, count]) => sum + count, 0);
    const hasGrown = storms > memory.storms;
    memory.storms = storms;
    if (!hasGrown) return;
    const dropped = Object.fromEntries(counts.filter(([, count]) => count > 0));
    const fields = { dev: info.name, ...dropped, hint: `who sends? tcpdump -ei ${info.name}` };
    this.#quiet.warn(`storm ${info.name}`, nowSeconds, 'storm control drops frames', fields);
  }

  #addressOf(row: number): string {
    const { remotes } = this.#tables;
    return formatIp(remotes.bytes, remotes.addressOffset(row));
  }

  #memory(tunnel: number): Memory {
    let memory = this.#memories.get(tunnel);
    if (memory === undefined) {
      memory = { limited: 0, storms: 0, minute: 0, named: 0 };
      this.#memories.set(tunnel, memory);
    }
    return memory;
  }
}
