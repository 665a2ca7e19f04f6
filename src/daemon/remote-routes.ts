/** The routes to the remotes of many tunnels, each asked for once: tunnels share remotes and devices. */
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { linkByIndex, linkByName, type Link } from '../linux/netlink-link.ts';
import { routeTo, type Route } from '../linux/netlink-route.ts';
import { formatIp } from '../wire/ip.ts';
import { localOf } from './egress.ts';
import type { OpenTunnel } from './open-tunnel.ts';

/** Make one for each look at the tunnels: what it has answered it does not ask for again. */
export class RemoteRoutes {
  readonly #tables: SharedTables;
  readonly #routes = new Map<string, Route | undefined>();
  readonly #links = new Map<number, Link | undefined>();

  constructor(tables: SharedTables) {
    this.#tables = tables;
  }

  /** The route to the remote in a row, undefined while there is none. */
  to({ config }: OpenTunnel, remote: number): Route | undefined {
    const { remotes } = this.#tables;
    const offset = remotes.addressOffset(remote);
    const address = remotes.bytes.slice(offset, offset + 16);
    const { link } = config.outer;
    const bound = link === undefined ? 0 : (linkByName(link)?.index ?? 0);
    const oif = remotes.scope(remote) || bound;
    const from = localOf(config, remotes.family(remote) === 4 ? 4 : 6);
    const key = `${formatIp(address)} ${oif} ${from?.text ?? ''}`;
    if (!this.#routes.has(key)) {
      const query = {
        ...(from === undefined ? {} : { from: from.bytes }),
        ...(oif === 0 ? {} : { oif }),
      };
      this.#routes.set(key, routeTo(address, query));
    }
    return this.#routes.get(key);
  }

  /** The interface of that index, undefined when it is gone. */
  readonly link = (index: number): Link | undefined => {
    if (!this.#links.has(index)) this.#links.set(index, linkByIndex(index));
    return this.#links.get(index);
  };

  /** Largest IP packet that the kernel would send to a remote; undefined while there is no route. */
  pathMtu(tunnel: OpenTunnel, remote: number): number | undefined {
    const route = this.to(tunnel, remote);
    const device = route === undefined ? undefined : this.link(route.oif)?.mtu;
    return device === undefined ? undefined : Math.min(device, route?.mtu ?? device);
  }
}
