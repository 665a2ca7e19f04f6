/** What `vtep link show` prints of a tunnel: its device as the kernel has it, and its own settings. */
import type { LinkReport, VxlanInfoData } from '../api/link-protocol.ts';
import type { PortRange } from '../config/config.ts';
import type { LinkDetails } from '../linux/netlink-link-details.ts';
import { formatIp } from '../wire/ip.ts';
import type { OpenTunnel } from './open-tunnel.ts';

/** `flood` are the addresses of the flood list, 16 bytes each; `master` is the bridge's name. */
export function linkReport(
  tunnel: OpenTunnel,
  link: LinkDetails,
  master: string | undefined,
  flood: readonly Uint8Array[],
  sourcePorts: PortRange,
): LinkReport {
  const remotes = [...new Set(flood.map((address) => formatIp(address)))];
  return {
    ifindex: link.ifindex,
    ifname: link.ifname,
    flags: link.flags,
    mtu: link.mtu,
    qdisc: link.qdisc,
    ...(master === undefined ? {} : { master }),
    operstate: link.operstate,
    linkmode: link.linkmode,
    group: link.group,
    txqlen: link.txqlen,
    link_type: 'ether',
    address: link.address,
    broadcast: link.broadcast,
    min_mtu: link.min_mtu,
    max_mtu: link.max_mtu,
    linkinfo: { info_kind: 'vxlan', info_data: infoData(tunnel, remotes[0], sourcePorts) },
    configured: tunnel.configured,
    remotes,
  };
}

function infoData(
  { config }: OpenTunnel,
  remote: string | undefined,
  sourcePorts: PortRange,
): VxlanInfoData {
  const { outer } = config;
  const texts = config.locals.map(({ bytes }) => formatIp(bytes));
  const locals = Object.fromEntries(texts.flatMap((text) => Object.entries(named('local', text))));
  return {
    id: config.vni,
    ...(config.group === undefined
      ? named('remote', remote)
      : named('group', formatIp(config.group.bytes))),
    ...(outer.link === undefined ? {} : { link: outer.link }),
    ...locals,
    port_range: { low: sourcePorts.low, high: sourcePorts.high },
    port: config.port,
    learning: config.learning,
    // As the kernel says it: 0 leaves the TTL to the route.
    ttl: outer.ttl === 'auto' ? 0 : outer.ttl,
    ...(outer.tos === 0 ? {} : { tos: tosText(outer.tos) }),
    df: outer.dontFragment,
    ageing: config.ageingSeconds,
    udp_csum: outer.udpChecksum,
    udp_zero_csum6_tx: outer.zeroChecksum6Tx,
    udp_zero_csum6_rx: outer.zeroChecksum6Rx,
  };
}

function tosText(tos: number | 'inherit'): string {
  return tos === 'inherit' ? tos : `0x${tos.toString(16)}`;
}

/** The kernel has a key of its own for each family. */
function named(
  key: 'remote' | 'local' | 'group',
  address: string | undefined,
): Record<string, string> {
  if (address === undefined) return {};
  return { [address.includes(':') ? `${key}6` : key]: address };
}
