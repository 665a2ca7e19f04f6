/** The TAP of one tunnel: made or taken over, and set up. */
import type { Logger } from '../base/log.ts';
import type { TunnelConfig } from '../config/config.ts';
import { addAddress } from '../linux/netlink-address.ts';
import { linkByName, setLink, type Link } from '../linux/netlink-link.ts';
import { closeTap, openTap, type Tap } from '../linux/tap.ts';
import { overlayMtu } from '../vtep/mtu.ts';
import { formatMac } from '../wire/mac.ts';
import { deviceMac } from './device-mac.ts';
import { widestFamily, type Egress } from './egress.ts';

export interface TunnelDevice {
  readonly tap: Tap;
  /** As it is after it was set up. */
  readonly link: Link;
}

/**
 * Opens the TAP with one queue a worker and sets MTU, addresses and up.
 *
 * A device that was there keeps its MAC, and its MTU unless the configuration gives one. Throws what
 * openTap() and netlink throw; a device that was made here is gone again then.
 */
export function openTunnelDevice(
  config: TunnelConfig,
  egress: Egress,
  workers: number,
  log: Logger,
): TunnelDevice {
  const { name, vni } = config;
  const tap = openTap({ name, queues: workers, offload: config.offload === 'auto' });
  try {
    const before = linkByName(name)!;
    const mtu = config.mtu === 'auto' ? overlayMtu(egress.mtu, widestFamily(config)) : config.mtu;
    if (tap.created) {
      setLink(before.index, { mac: deviceMac({ local: egress.identity, name, vni }), mtu });
    } else {
      if (config.mtuGiven && before.mtu !== mtu) setLink(before.index, { mtu });
      log.info('device taken over', { dev: name, mtu: before.mtu, multi_queue: tap.multiQueue });
    }
    for (const { bytes, prefixLength, family } of config.addresses) {
      addAddress(before.index, { address: bytes, length: prefixLength, family });
    }
    if (!before.up) setLink(before.index, { up: true });
    return { tap, link: linkByName(name)! };
  } catch (error) {
    closeTap(tap);
    throw error;
  }
}

export function macText(link: Link): string {
  return link.mac === undefined ? '' : formatMac(link.mac.high, link.mac.low);
}
