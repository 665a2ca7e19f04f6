import { STRANGER_BOXES, type Strangers } from '../dataplane/strangers.ts';
import type { LearnLimits } from '../fdb/learn-limits.ts';
import { isIpv4Mapped, isLinkLocalIp6, isMulticastIp, isUnspecifiedIp } from '../wire/ip.ts';
import type { FdbContext } from './fdb-apply.ts';
import type { TunnelInfo } from './tunnel-directory.ts';

/** Strangers that a tunnel knows at one time. All further ones are heard, but nothing is learned of them. */
export const NEWCOMERS_MAX = 1024;

/** An open tunnel that takes everybody. */
interface Open {
  readonly tunnel: TunnelInfo;
  /** Interface of the tunnel's link-local address, else 0: where link-local strangers live. */
  readonly scope: number;
  /** The row that stands for all strangers. */
  readonly row: number;
  /** Rows of strangers, true when nothing was learned of them at the last look. */
  readonly rows: Map<number, boolean>;
}

/**
 * The senders that tunnels with `remotes: any` heard from and that nothing names: each gets a row of the
 * table of remotes, so that what it sends can be learned, and loses it when nothing learned points there
 * any more. Main thread only.
 */
export class Newcomers {
  readonly #context: FdbContext;
  readonly #strangers: Strangers;
  readonly #limits: LearnLimits;
  readonly #open = new Map<number, Open>();
  readonly #address = new Uint8Array(16);

  constructor(context: FdbContext, strangers: Strangers, limits: LearnLimits) {
    this.#context = context;
    this.#strangers = strangers;
    this.#limits = limits;
  }

  /** Takes everybody in a tunnel from now on. Throws ERR_LIMIT when the table of remotes is full. */
  open(tunnel: TunnelInfo, scope: number): void {
    const row = this.#context.references.acquire({
      tunnel: tunnel.index,
      address: new Uint8Array(16),
      scope: 0,
      port: tunnel.port,
      vni: tunnel.vni,
    });
    this.#open.set(tunnel.index, { tunnel, scope, row, rows: new Map() });
    this.#strangers.setRow(tunnel.index, row);
  }

  /** Gives back everything that strangers of a tunnel hold. */
  close(tunnel: number): void {
    const open = this.#open.get(tunnel);
    if (open === undefined) return;
    this.#open.delete(tunnel);
    this.#strangers.setRow(tunnel, undefined);
    for (const row of open.rows.keys()) this.#context.references.dropSender(row);
    this.#context.references.drop(open.row);
  }

  /** True while any tunnel takes strangers. */
  get active(): boolean {
    return this.#open.size > 0;
  }

  /** True for the row that stands for all strangers of a tunnel. */
  isEverybody(tunnel: number, row: number): boolean {
    return this.#open.get(tunnel)?.row === row;
  }

  /** Gives rows to the strangers that were heard since the last call; returns how many got one. */
  admit(): number {
    let admitted = 0;
    for (let box = 0; box < STRANGER_BOXES; box += 1) {
      const tunnel = this.#strangers.take(box, this.#address);
      const open = this.#open.get(tunnel);
      if (open !== undefined && this.#admit(open)) admitted += 1;
    }
    return admitted;
  }

  /** To be called now and then: a stranger of whom nothing is learned twice in a row is forgotten. */
  forgetSilent(): void {
    for (const { rows } of this.#open.values()) {
      for (const [row, wasSilent] of rows) {
        const isSilent = this.#limits.learnedOf(row) === 0;
        rows.set(row, isSilent);
        if (!isSilent || !wasSilent) continue;
        rows.delete(row);
        this.#context.references.dropSender(row);
      }
    }
  }

  #admit({ tunnel, scope, rows }: Open): boolean {
    const address = this.#address.slice();
    const { remotes } = this.#context.tables;
    if (rows.size >= NEWCOMERS_MAX || !isSendable(address)) return false;
    // It may have been named or admitted since it left its address.
    if (remotes.findSender(tunnel.index, address, 0) >= 0) return false;
    const { index, port, vni } = tunnel;
    const isScoped = !isIpv4Mapped(address) && isLinkLocalIp6(address);
    const key = { tunnel: index, address, scope: isScoped ? scope : 0, port, vni };
    try {
      const row = this.#context.references.acquire(key);
      remotes.allow(row);
      rows.set(row, false);
      return true;
    } catch {
      // The table of remotes is full: it stays a stranger.
      return false;
    }
  }
}

/** Whoever spoofs a source must not make us send to a group, to everybody or to nobody. */
function isSendable(address: Uint8Array): boolean {
  if (isUnspecifiedIp(address) || isMulticastIp(address)) return false;
  if (!isIpv4Mapped(address)) return true;
  return address[12] !== 0 && address[12] !== 127 && address[12]! < 240;
}
