/** What the underlay's routes say about a tunnel: which address it sends from, and how much fits. */
import type { TunnelConfig, UnderlayAddress } from '../config/config.ts';
import { linkByIndex, linkByName, listLinks, resolveInterface } from '../linux/netlink-link.ts';
import { listAddresses } from '../linux/netlink-address.ts';
import { routeTo, type Route } from '../linux/netlink-route.ts';
import { formatIp, isLinkLocalIp6, isLoopbackIp } from '../wire/ip.ts';
import { formatMac } from '../wire/mac.ts';

const MTU_UNKNOWN = 1500;

export interface Egress {
  /** Smallest MTU on the way to any remote. */
  readonly mtu: number;
  /** False while no route and no device tells: `mtu` is then the usual one. */
  readonly known: boolean;
  /** The address datagrams leave from, text; the unspecified one while nothing tells. */
  readonly local: string;
  /** What tells this host from others on the underlay: `local`, or an address or MAC it has. */
  readonly identity: string;
}

/** Asks the routes to all remotes; without remotes, the device that has the local address. */
export function egressOf(config: TunnelConfig): Egress {
  const routes = config.remotes.map((remote) => routeToRemote(config, remote));
  const found = routes.filter((route) => route !== undefined);
  const mtus = found.map(routeMtu);
  const source = found.find((route) => route.preferredSource !== undefined)?.preferredSource;
  const local =
    config.local?.text ?? (source === undefined ? anyAddress(config.family) : formatIp(source));
  const identity = local === anyAddress(config.family) ? hostIdentity() : local;
  if (mtus.length > 0) return { mtu: Math.min(...mtus), known: true, local, identity };
  const mtu = localDeviceMtu(config);
  const known = mtu !== undefined && config.remotes.length === 0;
  return { mtu: mtu ?? MTU_UNKNOWN, known, local, identity };
}

/** Interface index of a link-local address, else 0. Throws ERR_NOT_FOUND when there is no such interface. */
export function scopeOf(address: UnderlayAddress | undefined): number {
  return address?.interfaceName === undefined ? 0 : resolveInterface(address.interfaceName);
}

export function anyAddress(family: 4 | 6): string {
  return family === 4 ? '0.0.0.0' : '::';
}

/** Neither `local` nor a route says who we are: an address will do, and where there is none a MAC. */
function hostIdentity(): string {
  const own = listAddresses().find(
    ({ address }) => !isLoopbackIp(address) && !isLinkLocalIp6(address),
  );
  if (own !== undefined) return formatIp(own.address);
  const link = listLinks().find(
    ({ mac, kind }) => mac !== undefined && mac.low !== 0 && kind !== 'tun',
  );
  return link?.mac === undefined ? '' : formatMac(link.mac.high, link.mac.low);
}

/** The route that datagrams to a remote take, undefined while there is none. */
export function routeToRemote(config: TunnelConfig, remote: UnderlayAddress): Route | undefined {
  const scope = scopeOf(remote);
  const query = {
    ...(config.local === undefined ? {} : { from: config.local.bytes }),
    ...(scope === 0 ? {} : { oif: scope }),
  };
  return routeTo(remote.bytes, query);
}

/** Without what was learned of the path, which the kernel forgets again: a device cannot follow that. */
function routeMtu(route: Route): number {
  const device = linkByIndex(route.oif)?.mtu ?? MTU_UNKNOWN;
  return route.learned === true ? device : Math.min(device, route.mtu ?? device);
}

function localDeviceMtu({ local }: TunnelConfig): number | undefined {
  if (local === undefined) return undefined;
  if (local.interfaceName !== undefined) return linkByName(local.interfaceName)?.mtu;
  const owner = listAddresses().find(({ address }) => Buffer.compare(address, local.bytes) === 0);
  return owner === undefined ? undefined : linkByIndex(owner.index)?.mtu;
}
