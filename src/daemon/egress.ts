/** What the underlay's routes say about a tunnel: which address it sends from, and how much fits. */
import type { TunnelConfig, UnderlayAddress } from '../config/config.ts';
import { linkByIndex, linkByName, listLinks, resolveInterface } from '../linux/netlink-link.ts';
import { listAddresses } from '../linux/netlink-address.ts';
import { routeTo, type Route } from '../linux/netlink-route.ts';
import { formatIp, isIpv4Mapped, isLinkLocalIp6, isLoopbackIp, parseIp } from '../wire/ip.ts';
import { formatMac } from '../wire/mac.ts';
import { groupSource } from './link-state.ts';

const MTU_UNKNOWN = 1500;

export interface Egress {
  /** Smallest MTU on the way to any remote. */
  readonly mtu: number;
  /** False while no route and no device tells: `mtu` is then the usual one. */
  readonly known: boolean;
  /** The addresses datagrams leave from, one a family, text; the unspecified one while nothing tells. */
  readonly locals: readonly string[];
  /** What tells this host from others on the underlay: `local`, or an address or MAC it has. */
  readonly identity: string;
}

/** Asks the routes to all remotes; without remotes, the device that has the local address. */
export function egressOf(config: TunnelConfig): Egress {
  const routes = config.remotes.map((remote) => routeToRemote(config, remote));
  const found = routes.filter((route) => route !== undefined);
  const mtus = found.map(routeMtu);
  const { link } = config.outer;
  const linkMtu = config.group && link !== undefined ? linkByName(link)?.mtu : undefined;
  if (linkMtu !== undefined) mtus.push(linkMtu);
  const sources = [groupSourceOf(config), ...found.map((route) => route.preferredSource)].filter(
    (bytes) => bytes !== undefined,
  );
  const locals = config.families.map((family) => {
    const source = sources.find((bytes) => isIpv4Mapped(bytes) === (family === 4));
    return localOf(config, family)?.text ?? (source ? formatIp(source) : anyAddress(family));
  });
  const hasSource = locals[0] !== anyAddress(config.families[0]!);
  const identity = hasSource ? locals[0]! : hostIdentity();
  if (mtus.length > 0) return { mtu: Math.min(...mtus), known: true, locals, identity };
  const mtu = localDeviceMtu(config);
  const known = mtu !== undefined && config.remotes.length === 0;
  return { mtu: mtu ?? MTU_UNKNOWN, known, locals, identity };
}

/** Interface index of a link-local address, else 0. Throws ERR_NOT_FOUND when there is no such interface. */
export function scopeOf(address: UnderlayAddress | undefined): number {
  return address?.interfaceName === undefined ? 0 : resolveInterface(address.interfaceName);
}

/** The configured address of a family; undefined when the tunnel listens on all of it. */
export function localOf(config: TunnelConfig, family: 4 | 6): UnderlayAddress | undefined {
  return config.locals.find((local) => local.family === family);
}

/** The address to bind to, 16 bytes; the unspecified one without `local`. */
export function localAddress(config: TunnelConfig, family: 4 | 6): Uint8Array {
  return localOf(config, family)?.bytes ?? parseIp(anyAddress(family))!;
}

/** The same as text, with the interface of a link-local address. */
export function localText(config: TunnelConfig, family: 4 | 6): string {
  return localOf(config, family)?.text ?? anyAddress(family);
}

/** The one whose headers leave less room to frames that are flooded to both. */
export function widestFamily({ families }: TunnelConfig): 4 | 6 {
  return families.includes(6) ? 6 : 4;
}

export function anyAddress(family: 4 | 6): string {
  return family === 4 ? '0.0.0.0' : '::';
}

/** Where a group is all there is, its device says who we are. */
function groupSourceOf(config: TunnelConfig): Uint8Array | undefined {
  const { group, remotes, outer } = config;
  if (group === undefined || remotes.length > 0) return undefined;
  return groupSource(group, localOf(config, group.family), resolveInterface(outer.link ?? ''));
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
  const { link } = config.outer;
  const oif = link === undefined ? scopeOf(remote) : resolveInterface(link);
  const local = localOf(config, remote.family);
  const query = {
    ...(local === undefined ? {} : { from: local.bytes }),
    ...(oif === 0 ? {} : { oif }),
  };
  return routeTo(remote.bytes, query);
}

/** Without what was learned of the path, which the kernel forgets again: a device cannot follow that. */
function routeMtu(route: Route): number {
  const device = linkByIndex(route.oif)?.mtu ?? MTU_UNKNOWN;
  return route.learned === true ? device : Math.min(device, route.mtu ?? device);
}

function localDeviceMtu({ locals, outer }: TunnelConfig): number | undefined {
  if (outer.link !== undefined) return linkByName(outer.link)?.mtu;
  const local = locals[0];
  if (local === undefined) return undefined;
  if (local.interfaceName !== undefined) return linkByName(local.interfaceName)?.mtu;
  const owner = listAddresses().find(({ address }) => Buffer.compare(address, local.bytes) === 0);
  return owner === undefined ? undefined : linkByIndex(owner.index)?.mtu;
}
