/** Changes a tunnel that runs: all of a request or nothing of it. */
import type { TunnelConfig } from '../config/config.ts';
import type { TunnelChange } from '../config/tunnel-request.ts';
import type { TunnelTable } from '../dataplane/tunnel-table.ts';
import { addAddress, listAddresses, removeAddress } from '../linux/netlink-address.ts';
import { linkByName, setLink, type Link, type LinkChange } from '../linux/netlink-link.ts';
import { overlayMtu } from '../vtep/mtu.ts';
import type { Prefix } from '../wire/ip.ts';
import type { Mac } from '../wire/mac.ts';
import { egressOf, widestFamily } from './egress.ts';
import type { OpenTunnel } from './open-tunnel.ts';

export interface WantedChange extends TunnelChange {
  readonly up: boolean | undefined;
  readonly mac: Mac | undefined;
}

/**
 * Changes device and table, and returns the tunnel as it is then. Throws what the kernel refuses, with the
 * device as it was before.
 */
export function changeLink(
  tunnel: OpenTunnel,
  wanted: WantedChange,
  table: TunnelTable,
): OpenTunnel {
  const { info } = tunnel;
  const config = changedConfig(tunnel.config, wanted);
  changeDevice(tunnel, wanted);
  const link = linkByName(info.name) ?? tunnel.device.link;
  if (link.mac !== undefined) table.setMac(info.index, link.mac.high, link.mac.low);
  table.setMtu(info.index, link.mtu);
  if (wanted.learning !== undefined) table.setLearning(info.index, wanted.learning);
  return {
    ...tunnel,
    config,
    info: { ...info, ageingSeconds: config.ageingSeconds },
    device: { ...tunnel.device, link },
  };
}

function changedConfig(config: TunnelConfig, wanted: WantedChange): TunnelConfig {
  const { mtu, learning, ageingSeconds, addresses } = wanted;
  const known = new Set(config.addresses.map(({ text }) => text));
  return {
    ...config,
    ...(mtu === undefined ? {} : { mtu, mtuGiven: true }),
    ...(learning === undefined ? {} : { learning }),
    ...(ageingSeconds === undefined ? {} : { ageingSeconds }),
    addresses: [...config.addresses, ...addresses.filter(({ text }) => !known.has(text))],
  };
}

function changeDevice(tunnel: OpenTunnel, wanted: WantedChange): void {
  const { mac, up } = wanted;
  const mtu = wanted.mtu === 'auto' ? autoMtu(tunnel.config) : wanted.mtu;
  const index = tunnel.info.ifindex;
  const before = linkByName(tunnel.info.name);
  const change: LinkChange = {
    ...(mtu === undefined ? {} : { mtu }),
    ...(mac === undefined ? {} : { mac }),
    ...(up === undefined ? {} : { up }),
  };
  const added: Prefix[] = [];
  try {
    if (Object.keys(change).length > 0) setLink(index, change);
    for (const { bytes, prefixLength, family } of wanted.addresses) {
      const prefix = { address: bytes, length: prefixLength, family };
      if (hasAddress(index, prefix)) continue;
      addAddress(index, prefix);
      added.push(prefix);
    }
  } catch (error) {
    undo(index, before, added);
    throw error;
  }
}

/** Best effort: the first failure is the one to tell of. */
function undo(index: number, before: Link | undefined, added: readonly Prefix[]): void {
  try {
    for (const prefix of added) removeAddress(index, prefix);
    if (before === undefined) return;
    const { mtu, mac, up } = before;
    setLink(index, { mtu, up, ...(mac === undefined ? {} : { mac }) });
  } catch {
    return;
  }
}

function hasAddress(index: number, { address, length }: Prefix): boolean {
  return listAddresses(index).some(
    (known) => known.length === length && Buffer.compare(known.address, address) === 0,
  );
}

function autoMtu(config: TunnelConfig): number {
  return overlayMtu(egressOf(config).mtu, widestFamily(config));
}
