import { addressesOf, type ReadTunnel } from './checks.ts';
import { DEFAULT_MULTICAST_TTL, DEFAULT_PORT } from './config.ts';
import { quote } from './problem.ts';
import type { Report } from './read-mapping.ts';

/**
 * A multicast group needs its device, and an underlay of its own family. Through which device and how
 * far multicast leaves is a property of the sockets: tunnels that share them must agree.
 */
export function checkGroups(tunnels: readonly ReadTunnel[], report: Report): void {
  const sharing = new Map<string, ReadTunnel>();
  for (const tunnel of tunnels) {
    const { group, local, port } = tunnel.values;
    checkGroup(tunnel, report);
    if (group === undefined || ('local' in tunnel.values && local === undefined)) continue;
    const key = `${group.value.family} ${local?.value.text ?? ''} ${port?.value ?? DEFAULT_PORT}`;
    const other = sharing.get(key);
    if (other === undefined) sharing.set(key, tunnel);
    else checkAgreement(tunnel, other, report);
  }
}

function checkGroup({ values }: ReadTunnel, report: Report): void {
  const { group, link } = values;
  const ttl = values['multicast-ttl'];
  if (group === undefined) {
    if (ttl === undefined || 'group' in values) return;
    const message = 'is of no use without a multicast group; allowed: together with "group"';
    report({ path: ttl.path, place: ttl.place, message });
    return;
  }
  if (link === undefined && !('link' in values)) {
    const message =
      `${quote(group.value.text)} needs the underlay device it is joined on; ` +
      'allowed: together with "link", for example link: eth0';
    report({ path: group.path, place: group.place, message });
  }
  const first = values.local ?? addressesOf(values)[0];
  if (first === undefined || first.value.family === group.value.family) return;
  const message =
    `${quote(group.value.text)} is IPv${group.value.family} but ${first.value.text} is ` +
    `IPv${first.value.family}; allowed: one family per tunnel`;
  report({ path: group.path, place: group.place, message });
}

function checkAgreement({ values }: ReadTunnel, other: ReadTunnel, report: Report): void {
  for (const key of ['link', 'multicast-ttl'] as const) {
    const otherItem = other.values[key];
    const item = values[key];
    // What is not valid has been reported already.
    if ((item === undefined && key in values) || (otherItem === undefined && key in other.values)) {
      continue;
    }
    const fallback = key === 'link' ? undefined : DEFAULT_MULTICAST_TTL;
    const mine = item?.value ?? fallback;
    const theirs = otherItem?.value ?? fallback;
    if (mine === undefined || theirs === undefined || mine === theirs) continue;
    const { path, place } = item ?? values.group!;
    const message =
      `${mine} differs from that of tunnel ${quote(other.name)}, ${theirs}, which sends from the ` +
      `same address and port; allowed: the same "${key}", or another "local" or "port"`;
    report({ path, place, message });
  }
}
