/** What of an underlay device decides on group membership. */
import { listAddresses } from '../linux/netlink-address.ts';
import { linkByName } from '../linux/netlink-link.ts';
import { routeTo } from '../linux/netlink-route.ts';
import type { UnderlayAddress } from '../config/config.ts';
import { formatIp, isLinkLocalIp6 } from '../wire/ip.ts';

export interface LinkState {
  readonly ifindex: number;
  readonly up: boolean;
  readonly mtu: number;
  /** Changes with the device, its being up, its MTU and its addresses. */
  readonly signature: string;
}

/** The state of a device; undefined while there is none of that name. */
export function linkState(name: string): LinkState | undefined {
  const link = linkByName(name);
  if (link === undefined) return undefined;
  const addresses = listAddresses(link.index).map(({ address }) => formatIp(address));
  const words = [link.index, link.up, link.mtu, ...addresses.toSorted()];
  return { ifindex: link.index, up: link.up, mtu: link.mtu, signature: words.join(' ') };
}

/** The address that datagrams to the group leave from, 16 bytes; undefined while the device has none. */
export function groupSource(
  group: UnderlayAddress,
  local: UnderlayAddress | undefined,
  ifindex: number,
): Uint8Array | undefined {
  if (local !== undefined) return local.bytes;
  const source = routeTo(group.bytes, { oif: ifindex })?.preferredSource;
  if (source !== undefined) return source;
  const usable = listAddresses(ifindex).filter(({ family }) => family === group.family);
  return (usable.find(({ address }) => !isLinkLocalIp6(address)) ?? usable[0])?.address;
}
