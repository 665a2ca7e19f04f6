import { ApiClient } from '../api/client.ts';
import type {
  DaemonReport,
  OuterReport,
  NeighbourReport,
  RemoteReport,
  StatusReport,
  Traffic,
  TunnelReport,
} from '../api/protocol.ts';
import type { Invocation } from './command.ts';
import { formatBytes, formatDuration, formatJson } from './output.ts';
import { formatSafety } from './safety.ts';
import { usageError } from './usage.ts';

/** `show [dev] [NAME]`: tunnels, their remotes, counters and the state of the offloads. */
export async function showStatus({ options, words, output }: Invocation): Promise<void> {
  const dev = deviceOf(words);
  const report = await new ApiClient(options.socket).read<StatusReport>('/v1/tunnels', { dev });
  output.write(options.json ? formatJson(report, options.pretty) : formatStatus(report));
}

/** The report as a person reads it: one block for the daemon, one for each tunnel. */
export function formatStatus({ daemon, tunnels }: StatusReport): string {
  const blocks = [formatDaemon(daemon), ...tunnels.map(formatTunnel)];
  if (tunnels.length === 0) blocks.push(['no tunnels']);
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function deviceOf(words: readonly string[]): string | undefined {
  const names = words[0] === 'dev' ? words.slice(1) : words;
  if (names.length > 1) throw usageError(`Unexpected "${names[1]}"`, 'write: vtep show [NAME]');
  if (names.length === 0 && words.length > 0) throw usageError('Missing value behind "dev"');
  return names[0];
}

function formatDaemon(daemon: DaemonReport): string[] {
  const workers = `${daemon.workers} ${daemon.workers === 1 ? 'worker' : 'workers'}`;
  const lines = [
    `vtepd ${daemon.version}: pid ${daemon.pid}, up ${formatDuration(daemon.uptimeSeconds)}, ` +
      `${workers}, Node ${daemon.node}`,
  ];
  const drops = formatDrops(daemon.drops);
  if (drops !== undefined) lines.push(`  drops outside of tunnels: ${drops}`);
  return lines;
}

function formatTunnel(tunnel: TunnelReport): string[] {
  const { offload, fdb } = tunnel;
  const ageing = tunnel.ageing === 0 ? 'never ages' : `ages after ${tunnel.ageing} s`;
  const states = [
    `checksum ${offload.checksum}`,
    `tso ${offload.tso}`,
    `uso ${offload.uso}`,
    `gso ${offload.gso}`,
    `gro ${offload.gro}`,
  ];
  return [
    `tunnel: ${tunnel.ifname}`,
    `  vni: ${tunnel.vni}${tunnel.vlan === undefined ? '' : ` (vlan ${tunnel.vlan})`}`,
    ...(tunnel.vlanPolicy === undefined ? [] : [`  tagged frames: ${tunnel.vlanPolicy}`]),
    `  local: ${[tunnel.local, tunnel.local6].filter(Boolean).join(', ')} port ${tunnel.port}`,
    `  device: index ${tunnel.ifindex}, mac ${tunnel.mac}, mtu ${tunnel.mtu}`,
    ...formatMssClamp(tunnel),
    `  learning: ${tunnel.learning ? 'on' : 'off'}, ${ageing}`,
    `  offload: ${offload.configured} (${states.join(', ')})`,
    `  outer: ${formatOuter(tunnel.outer)}`,
    `  underlay: ${tunnel.underlay}`,
    `  fdb: ${fdb.learned} learned, ${fdb.static} static` +
      (fdb.frozen === 0 ? '' : `, ${fdb.frozen} frozen`),
    ...formatSafety(tunnel.safety),
    ...formatNeighbours(tunnel.neigh),
    `  transfer: ${formatTransfer(tunnel.rx, tunnel.tx)}`,
    `  drops: ${formatDrops(tunnel.drops) ?? 'none'}`,
    ...formatGroup(tunnel),
    ...formatNames(tunnel),
    ...tunnel.remotes.flatMap(formatRemote),
  ];
}

function formatGroup({ group }: TunnelReport): string[] {
  if (group === undefined) return [];
  const { address, link, ttl, joined } = group;
  return [`  group: ${address} dev ${link} ttl ${ttl}${joined ? '' : ' (not joined)'}`];
}

function formatNames({ names = [] }: TunnelReport): string[] {
  return names.map(({ name, addresses, failure }) => {
    const known = addresses.length === 0 ? 'no address yet' : addresses.join(', ');
    return `  name: ${name} is ${known}${failure === undefined ? '' : ` (failed: ${failure})`}`;
  });
}

/** What is always there, then what is not the default. */
function formatOuter(outer: OuterReport): string {
  const { ttl, tos, df, label, link, reserved_bits } = outer;
  const words = [`ttl ${ttl}`, `tos ${tos}`, `df ${df}`];
  if (outer.fragment) words.push('fragment');
  words.push(`label ${label}`);
  if (!outer.udp_csum) words.push('noudpcsum');
  if (outer.udp_zero_csum6_tx) words.push('udp6zerocsumtx');
  if (outer.udp_zero_csum6_rx) words.push('udp6zerocsumrx');
  if (link !== undefined) words.push(`link ${link}`);
  words.push(`reserved bits ${reserved_bits}`);
  return words.join(', ');
}

function formatMssClamp({ mssClamp }: TunnelReport): string[] {
  if (mssClamp === undefined) return [];
  return [`  tcp mss clamp: ${mssClamp.ipv4} over IPv4, ${mssClamp.ipv6} over IPv6`];
}

/** Nothing where suppression is off, which is nearly everywhere. */
function formatNeighbours(neigh: NeighbourReport): string[] {
  if (!neigh.suppress) return [];
  const { answered, learned, dynamic } = neigh;
  return [
    `  neigh-suppress: on, ${answered} requests answered, ${learned} changes learned, ${dynamic} dynamic`,
  ];
}

function formatRemote(remote: RemoteReport): string[] {
  let line = `  remote: ${remote.dst}`;
  if (remote.port !== undefined) line += ` port ${remote.port}`;
  if (remote.vni !== undefined) line += ` vni ${remote.vni}`;
  if (remote.via !== undefined) line += ` via ${remote.via}`;
  const roles = [
    remote.configured && 'configured',
    remote.flood && 'flood',
    remote.heard && 'heard in the group',
  ].filter(Boolean);
  if (roles.length > 0) line += ` (${roles.join(', ')})`;
  if (remote.pathMtu !== undefined) line += ` path mtu ${remote.pathMtu}`;
  if (remote.pathMtuExpires !== undefined) line += ` for ${remote.pathMtuExpires} s`;
  if (remote.learned > 0) line += `, ${remote.learned} learned`;
  return [line, `    transfer: ${formatTransfer(remote.rx, remote.tx)}`];
}

function formatTransfer(rx: Traffic, tx: Traffic): string {
  return (
    `${formatBytes(rx.bytes)} in ${rx.packets} frames received, ` +
    `${formatBytes(tx.bytes)} in ${tx.packets} frames sent`
  );
}

function formatDrops(drops: Readonly<Record<string, number>>): string | undefined {
  const counted = Object.entries(drops).filter(([, count]) => count > 0);
  if (counted.length === 0) return undefined;
  return counted
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
}
