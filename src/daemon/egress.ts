/** What the underlay's routes say about a tunnel: which address it sends from, and how much fits. */
import type { TunnelConfig, UnderlayAddress } from '../config/config.ts';
import { linkByIndex, linkByName, resolveInterface } from '../linux/netlink-link.ts';
import { listAddresses } from '../linux/netlink-address.ts';
import { routeTo, type Route } from '../linux/netlink-route.ts';
import { formatIp } from '../wire/ip.ts';

const MTU_UNKNOWN = 1500;

export interface Egress {
  /** Smallest MTU on the way to any remote. */
  readonly mtu: number;
  /** The address datagrams leave from, text. */
  readonly local: string;
}

/** Asks the routes to all remotes; without remotes, the device that has the local address. */
export function egressOf(config: TunnelConfig): Egress {
  const routes = config.remotes.map((remote) => routeToRemote(config, remote));
  const found = routes.filter((route) => route !== undefined);
  const mtus = found.map(routeMtu);
  const source = found.find((route) => route.preferredSource !== undefined)?.preferredSource;
  const local =
    config.local?.text ?? (source === undefined ? anyAddress(config.family) : formatIp(source));
  if (mtus.length > 0) return { mtu: Math.min(...mtus), local };
  return { mtu: localDeviceMtu(config) ?? MTU_UNKNOWN, local };
}

/** Interface index of a link-local address, else 0. Throws ERR_NOT_FOUND when there is no such interface. */
export function scopeOf(address: UnderlayAddress | undefined): number {
  return address?.interfaceName === undefined ? 0 : resolveInterface(address.interfaceName);
}

export function anyAddress(family: 4 | 6): string {
  return family === 4 ? '0.0.0.0' : '::';
}

function routeToRemote(config: TunnelConfig, remote: UnderlayAddress): Route | undefined {
  const scope = scopeOf(remote);
  const query = {
    ...(config.local === undefined ? {} : { from: config.local.bytes }),
    ...(scope === 0 ? {} : { oif: scope }),
  };
  return routeTo(remote.bytes, query);
}

function routeMtu(route: Route): number {
  const device = linkByIndex(route.oif)?.mtu ?? MTU_UNKNOWN;
  return Math.min(device, route.mtu ?? device);
}

function localDeviceMtu({ local }: TunnelConfig): number | undefined {
  if (local === undefined) return undefined;
  if (local.interfaceName !== undefined) return linkByName(local.interfaceName)?.mtu;
  const owner = listAddresses().find(({ address }) => Buffer.compare(address, local.bytes) === 0);
  return owner === undefined ? undefined : linkByIndex(owner.index)?.mtu;
}
