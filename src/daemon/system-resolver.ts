/** The host's own name resolution: what every other program here sees, with the TTL that DNS tells. */
import { lookup, Resolver } from 'node:dns/promises';
import { parseUnderlayAddress } from '../config/addresses.ts';
import type { UnderlayAddress } from '../config/config.ts';
import type { NameResolver, Resolution } from './name-watch.ts';

/** A query of DNS that is only about the TTL may not take long. */
const TTL_QUERY = { timeout: 2_000, tries: 1 } as const;

/**
 * getaddrinfo(3) says which addresses a name has, so that /etc/hosts and nsswitch.conf hold here as
 * elsewhere; it tells no TTL, so DNS is asked for that, and believed when its answer is the same.
 */
export class SystemResolver implements NameResolver {
  readonly #dns = new Resolver(TTL_QUERY);

  /** Rejects with getaddrinfo's error, or when no address of the answer can be a remote's. */
  async resolve(name: string): Promise<Resolution> {
    const answers = await lookup(name, { all: true });
    const addresses = answers.map(({ address }) => parseUnderlayAddress(address, 'remote'));
    const usable = addresses.filter((address): address is UnderlayAddress => 'bytes' in address);
    if (usable.length === 0) throw new Error(`no address of ${name} can be a remote's`);
    const texts = new Set(usable.map(({ text }) => text));
    return { addresses: usable, ttlSeconds: await this.#ttl(name, texts) };
  }

  async #ttl(name: string, wanted: ReadonlySet<string>): Promise<number | undefined> {
    const families = await Promise.all([
      this.#dns.resolve4(name, { ttl: true }).catch(() => []),
      this.#dns.resolve6(name, { ttl: true }).catch(() => []),
    ]);
    const records = families.flat();
    const known = records.filter(({ address }) => wanted.has(address));
    if (known.length < wanted.size) return undefined;
    return Math.min(...known.map(({ ttl }) => ttl));
  }
}
