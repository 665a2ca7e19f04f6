import { addressesOf, type ReadTunnel } from './checks.ts';
import { DEFAULT_PORT } from './config.ts';
import { familiesOf } from './outer.ts';
import { type ConfigPath, type Place, quote } from './problem.ts';
import type { Report } from './read-mapping.ts';

/**
 * Whether the receive sockets of all tunnels can be open side by side. Tunnels with the same address,
 * port and device share one, so they must agree on what is a property of the socket.
 */

interface Listener {
  readonly tunnel: ReadTunnel;
  /** Empty for every address of the host. */
  readonly address: string;
  /** Empty for every device. */
  readonly link: string;
  readonly zeroChecksum: boolean;
  readonly path: ConfigPath;
  readonly place: Place;
  readonly key: string;
}

/** Reports one problem of each kind for each port. */
export function checkListeners(tunnels: readonly ReadTunnel[], report: Report): void {
  const byPort = groupBy(tunnels.flatMap(listenersOf), ({ key }) => key);
  for (const listeners of byPort.values()) {
    checkDevices(listeners, report);
    for (const group of groupBy(listeners, ({ link }) => link).values()) {
      checkAddresses(group, report);
      for (const same of groupBy(group, ({ address }) => address).values()) {
        checkChecksums(same, report);
      }
    }
  }
}

/** The kernel gives a port of one address to nobody beside a socket that has the port of all. */
function checkAddresses(listeners: readonly Listener[], report: Report): void {
  const local = listeners.find(({ address }) => address !== '');
  const other = listeners.find(({ address }) => address === '');
  if (local === undefined || other === undefined) return;
  const message =
    `${local.address} has port ${portOf(local)} in common with ${named(other)}, and a tunnel without ` +
    'local listens on every address of the port; allowed: local in all of them or in none';
  report({ path: local.path, place: local.place, message });
}

/** Nor a port of one device beside a socket that has the port of all. */
function checkDevices(listeners: readonly Listener[], report: Report): void {
  const free = listeners.filter(({ link }) => link === '');
  const addresses = new Map(free.map((listener) => [listener.address, listener]));
  for (const listener of listeners) {
    if (listener.link === '') continue;
    const { address, link } = listener;
    const other =
      addresses.get(address) ?? addresses.get('') ?? (address === '' ? free[0] : undefined);
    if (other === undefined) continue;
    const message =
      `${link} has port ${portOf(listener)} in common with ${named(other)}, and a tunnel without ` +
      'link listens on every device; allowed: link in all of them or in none';
    const item = listener.tunnel.values.link!;
    report({ path: item.path, place: item.place, message });
    return;
  }
}

/** Whether checksums of zero are taken is a property of the socket that tunnels share. */
function checkChecksums(listeners: readonly Listener[], report: Report): void {
  const taking = listeners.find(({ zeroChecksum }) => zeroChecksum);
  const other = listeners.find(({ zeroChecksum }) => !zeroChecksum);
  if (taking === undefined || other === undefined) return;
  const message =
    `zero-udp6-rx is set here but not in ${named(other)}, which shares the socket of ` +
    `port ${portOf(taking)}; allowed: in both or in neither`;
  const item = taking.tunnel.values.checksums!;
  report({ path: item.path, place: item.place, message });
}

/** None when a value that decides on them is there but not valid. */
function listenersOf(tunnel: ReadTunnel): Listener[] {
  const { values } = tunnel;
  const { local, remotes, group, port, link, checksums } = values;
  if (port === undefined && 'port' in values) return [];
  if (link === undefined && 'link' in values) return [];
  if (local !== undefined && local.items.length < local.given) return [];
  const locals = local?.items ?? [];
  const others = [...addressesOf(values), ...(group === undefined ? [] : [group])];
  // A list without a valid address decides nothing, unless all of it are names.
  const unread = remotes === undefined ? 0 : remotes.given - remotes.items.length;
  if (locals.length + others.length === 0 && unread > 0) return [];
  const families = familiesOf(
    locals.map(({ value }) => value),
    others.map(({ value }) => value),
  );
  const zero = checksums?.items.some(({ value }) => value === 'zero-udp6-rx') ?? false;
  return families.map((family) => {
    const item = locals.find(({ value }) => value.family === family);
    const at = item ??
      values.id ?? { path: ['tunnels', tunnel.name], place: { line: 1, column: 1 } };
    return {
      tunnel,
      address: item?.value.text ?? '',
      link: link?.value ?? '',
      zeroChecksum: family === 6 && zero,
      path: at.path,
      place: at.place,
      key: `${family} ${port?.value ?? DEFAULT_PORT}`,
    };
  });
}

function portOf({ tunnel }: Listener): number {
  return tunnel.values.port?.value ?? DEFAULT_PORT;
}

function named({ tunnel }: Listener): string {
  const { id } = tunnel.values;
  return `tunnel ${quote(tunnel.name)}${id === undefined ? '' : ` (line ${id.place.line})`}`;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
