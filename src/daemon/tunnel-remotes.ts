/** The remotes that a tunnel's configuration means: addresses, what names resolve to, and the group. */
import { asVtepError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { TunnelConfig, UnderlayAddress } from '../config/config.ts';
import { linkByName } from '../linux/netlink-link.ts';
import type { ConfiguredRemote } from '../vtep/fdb-configured.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import type { TunnelInfo } from '../vtep/tunnel-directory.ts';
import { scopeOf } from './egress.ts';
import type { NameWatch } from './name-watch.ts';

export interface TunnelRemotesOptions {
  readonly verbs: FdbVerbs;
  readonly names: NameWatch;
  readonly log: Logger;
}

/** A remote's name and the addresses it stands for at the moment. */
export interface NamedRemote {
  readonly name: string;
  readonly addresses: readonly string[];
}

interface Entry {
  readonly info: TunnelInfo;
  readonly config: TunnelConfig;
  readonly unwatch: (() => void)[];
}

/**
 * Keeps the FDB's configured remotes what the configuration means. A change is one step: new remotes are
 * there before old ones go.
 */
export class TunnelRemotes {
  readonly #options: TunnelRemotesOptions;
  readonly #entries = new Map<number, Entry>();

  constructor(options: TunnelRemotesOptions) {
    this.#options = options;
  }

  /** Sets the remotes that are known and follows the names. Throws ERR_NOT_FOUND, ERR_LIMIT. */
  async open(info: TunnelInfo, config: TunnelConfig): Promise<void> {
    const entry: Entry = { info, config, unwatch: [] };
    this.#entries.set(info.index, entry);
    await this.refresh(info.index);
    for (const name of config.remoteNames) {
      entry.unwatch.push(this.#options.names.watch(name, () => void this.#changed(info.index)));
    }
  }

  /** Follows the names no longer; the remotes go with the tunnel. */
  close(tunnel: number): void {
    this.#entries.get(tunnel)?.unwatch.forEach((unwatch) => unwatch());
    this.#entries.delete(tunnel);
  }

  /** Sets the remotes again, after something that they depend on has changed. */
  async refresh(tunnel: number): Promise<void> {
    const entry = this.#entries.get(tunnel);
    if (entry === undefined) return;
    await this.#options.verbs.setConfiguredRemotes(entry.info, this.#remotesOf(entry));
  }

  /** The names among a tunnel's remotes. */
  named(tunnel: number): NamedRemote[] {
    const { names } = this.#options;
    const entry = this.#entries.get(tunnel);
    if (entry === undefined) return [];
    return entry.config.remoteNames.map((name) => ({
      name,
      addresses: this.#usable(entry.config, names.addressesOf(name)).map(({ text }) => text),
    }));
  }

  /** The device of a tunnel's group. */
  linkOf(tunnel: number): string | undefined {
    return this.#entries.get(tunnel)?.config.outer.link;
  }

  async #changed(tunnel: number): Promise<void> {
    try {
      await this.refresh(tunnel);
    } catch (error) {
      const dev = this.#entries.get(tunnel)?.info.name;
      this.#options.log.warn('remotes not changed', { dev, message: asVtepError(error).message });
    }
  }

  #remotesOf({ config }: Entry): ConfiguredRemote[] {
    const { names } = this.#options;
    const remotes = config.remotes.map(toRemote);
    for (const name of config.remoteNames) {
      remotes.push(...this.#usable(config, names.addressesOf(name)).map(toRemote));
    }
    const { link } = config.outer;
    if (config.group !== undefined && link !== undefined) {
      // 0 while there is no such device: the group is joined, and this set again, when there is.
      const scope = linkByName(link)?.index ?? 0;
      remotes.push({ address: config.group.bytes, scope });
    }
    return remotes;
  }

  /** Of the addresses of a name, those that the tunnel's underlay can send to. */
  #usable(
    { families, locals }: TunnelConfig,
    addresses: readonly UnderlayAddress[],
  ): UnderlayAddress[] {
    const own = new Set(locals.map(({ text }) => text));
    return addresses.filter(({ family, text }) => families.includes(family) && !own.has(text));
  }
}

function toRemote(remote: UnderlayAddress): ConfiguredRemote {
  return { address: remote.bytes, scope: scopeOf(remote) };
}
