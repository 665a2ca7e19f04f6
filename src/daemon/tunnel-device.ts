/** The TAP of one tunnel: made or taken over, and set up. */
import type { Logger } from '../base/log.ts';
import type { TunnelConfig } from '../config/config.ts';
import { addAddress } from '../linux/netlink-address.ts';
import { linkByName, setLink, type Link } from '../linux/netlink-link.ts';
import { removeQdisc } from '../linux/netlink-qdisc.ts';
import { closeTap, openTap, type Tap } from '../linux/tap.ts';
import { overlayMtu, superFrameSegments } from '../vtep/mtu.ts';
import { formatMac, type Mac } from '../wire/mac.ts';
import { deviceMac } from './device-mac.ts';
import { widestFamily, type Egress } from './egress.ts';

export interface TunnelDevice {
  readonly tap: Tap;
  /** As it is after it was set up. */
  readonly link: Link;
}

/** What is not of the configuration. */
export interface DeviceState {
  /** False leaves a device that is made here down. */
  readonly up: boolean;
  /** In place of the one that is made up. */
  readonly mac?: Mac | undefined;
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
  state: DeviceState,
  log: Logger,
): TunnelDevice {
  const { name, vni } = config;
  const tap = openTap({ name, queues: workers, offload: config.offload === 'auto' });
  try {
    const before = linkByName(name)!;
    const mtu = config.mtu === 'auto' ? overlayMtu(egress.mtu, widestFamily(config)) : config.mtu;
    if (tap.created) {
      const mac = state.mac ?? deviceMac({ local: egress.identity, name, vni });
      setLink(before.index, { mac, mtu });
      fitSuperFrames(before, mtu, log);
      if (tap.multiQueue) dispenseWithQueue(before, log);
    } else {
      if (config.mtuGiven && before.mtu !== mtu) setLink(before.index, { mtu });
      log.info('device taken over', { dev: name, mtu: before.mtu, multi_queue: tap.multiQueue });
    }
    for (const { bytes, prefixLength, family } of config.addresses) {
      addAddress(before.index, { address: bytes, length: prefixLength, family });
    }
    if (!before.up && state.up) setLink(before.index, { up: true });
    return { tap, link: linkByName(name)! };
  } catch (error) {
    closeTap(tap);
    throw error;
  }
}

/** Costs memory and time only where it stays, so a kernel that refuses is no failure. */
function dispenseWithQueue({ index, name }: Link, log: Logger): void {
  try {
    removeQdisc(index);
  } catch (error) {
    log.debug('queueing discipline stays', { dev: name, error: String(error) });
  }
}

/** Only to go faster, too: what is larger leaves in two sends. */
export function fitSuperFrames({ index, name }: Link, mtu: number, log: Logger): void {
  try {
    setLink(index, { segments: superFrameSegments(mtu) });
  } catch (error) {
    log.debug('super-frames stay as large as they are', { dev: name, error: String(error) });
  }
}

export function macText(link: Link): string {
  return link.mac === undefined ? '' : formatMac(link.mac.high, link.mac.low);
}
