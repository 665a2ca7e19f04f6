import type { ReadTunnel } from './checks.ts';
import { quote } from './problem.ts';
import type { Report } from './read-mapping.ts';

/** A multicast group needs its device, and an underlay of its own family. */
export function checkGroups(tunnels: readonly ReadTunnel[], report: Report): void {
  for (const tunnel of tunnels) checkGroup(tunnel, report);
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
  const locals = values.local?.items ?? [];
  if (locals.length < (values.local?.given ?? 0)) return;
  if (locals.length === 0 || locals.some(({ value }) => value.family === group.value.family))
    return;
  const message =
    `${quote(group.value.text)} is IPv${group.value.family} but the local address is ` +
    `IPv${locals[0]!.value.family}; allowed: a local address of each family, or none`;
  report({ path: group.path, place: group.place, message });
}
