import { addressesOf, type ReadTunnel } from './checks.ts';
import type { Config } from './config.ts';
import { quote } from './problem.ts';
import type { Item, ItemList, Report } from './read-mapping.ts';

/** What must hold between the outer header's settings of one tunnel, its addresses and the underlay. */
export function checkOuter(
  { values }: ReadTunnel,
  { underlay }: Pick<Config, 'underlay'>,
  report: Report,
): void {
  const { fragment, link } = values;
  const dontFragment = values['do-not-fragment']?.value ?? 'set';
  if (fragment?.value === true && dontFragment === 'set' && underlay !== 'portable') {
    const message =
      'true contradicts "do-not-fragment", which is true unless it is given; allowed: together with ' +
      '"do-not-fragment: false" or "do-not-fragment: inherit"';
    report({ path: fragment.path, place: fragment.place, message });
  }
  for (const { value, path, place } of [...(values.local?.items ?? []), ...addressesOf(values)]) {
    if (link === undefined || value.interfaceName === undefined) continue;
    if (value.interfaceName === link.value) continue;
    const message = `${quote(value.text)} is not on the device of "link"; allowed: %${link.value}`;
    report({ path, place, message });
  }
  if (underlay === 'portable') checkPortable(values, report);
}

/** node:dgram knows TTL, and nothing else of all this. */
function checkPortable(values: ReadTunnel['values'], report: Report): void {
  const refuse = (item: Item<unknown> | ItemList<unknown> | undefined, what: string): void => {
    if (item === undefined) return;
    const message = `${what} needs the fast underlay; allowed: a configuration without it, or "underlay: fast"`;
    report({ path: item.path, place: item.place, message });
  };
  if (values.ttl?.value === 'inherit') refuse(values.ttl, 'inherit');
  const tos = values['type-of-service'];
  if (tos?.value !== 0) refuse(tos, 'the type of service');
  refuse(values['do-not-fragment'], 'DF');
  refuse(values.fragment, 'the choice to fragment or not');
  const label = values['flow-label'];
  if (label?.value !== 'auto') refuse(label, 'the flow label');
  refuse(values.checksums, 'the choice of checksums');
  refuse(values.link, 'binding to a device');
}
