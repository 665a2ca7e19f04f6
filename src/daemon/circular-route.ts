/** Routes to a remote that lead back into the tunnel's own device. */
import { VtepError } from '../base/errors.ts';
import type { TunnelConfig } from '../config/config.ts';
import { linkByIndex, listLinks, type Link } from '../linux/netlink-link.ts';
import { routeToRemote } from './egress.ts';

/** Interfaces on top of each other. */
const STACK_MAX = 8;

/**
 * True when what leaves by the interface `oif` comes out of `device`, a tunnel's: it is the device itself, a
 * VLAN or the like on it, or a bridge or bond that has no other port. A bridge with further ports knows
 * other ways; should it take this one all the same, the data path notices (`circular_route`).
 */
export function leadsInto(
  oif: number,
  device: Link,
  linkOf: (index: number) => Link | undefined = linkByIndex,
): boolean {
  let index = oif;
  for (let depth = 0; depth < STACK_MAX; depth += 1) {
    if (index === device.index) return true;
    if (index === device.master) return isOnlyPort(device, index);
    const lower = linkOf(index)?.lower;
    if (lower === undefined) return false;
    index = lower;
  }
  return false;
}

/** Throws ERR_CONFIG when the route to a configured remote leads into the tunnel's own device. */
export function refuseCircularRoutes(config: TunnelConfig, device: Link): void {
  for (const remote of config.remotes) {
    const route = routeToRemote(config, remote);
    if (route === undefined || !leadsInto(route.oif, device)) continue;
    throw new VtepError(
      'ERR_CONFIG',
      `Cannot open "${config.name}": the route to its remote ${remote.text} leads into the tunnel itself`,
      {
        hint:
          `ip route get ${remote.text} tells the route; the remote must not be inside of the network ` +
          'of an address of this device',
      },
    );
  }
}

function isOnlyPort(device: Link, master: number): boolean {
  return listLinks().every((link) => link.master !== master || link.index === device.index);
}
