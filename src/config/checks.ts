import {
  type Config,
  MTU_MIN_IPV6,
  REMOTES_MAX,
  TUNNELS_MAX,
  type UnderlayAddress,
} from './config.ts';
import { checkListeners } from './listeners.ts';
import { quote } from './problem.ts';
import { isRemoteName } from './remote-name.ts';
import type { Item, Report, Values } from './read-mapping.ts';
import type { GLOBAL_SHAPE, TUNNEL_SHAPE } from './schema.ts';

/**
 * What must hold between several values. Each check looks only at values that are valid by
 * themselves, so that one mistake makes one problem.
 */

/** A tunnel's settings before defaults are filled in. */
export interface ReadTunnel {
  readonly name: string;
  readonly values: Values<typeof TUNNEL_SHAPE>;
  /** `any` is among its remotes. */
  readonly anyRemote: boolean;
}

/** The source ports must be a range, and enough for the sockets of all workers. */
export function checkGlobal(
  values: Values<typeof GLOBAL_SHAPE>,
  config: Omit<Config, 'tunnels'>,
  report: Report,
): void {
  const range = values['port-range'];
  if (range !== undefined && range.given !== 2) {
    const message = `a list of ${range.given} is not a range; allowed: two ports, [49152, 65535]`;
    report({ path: range.path, place: range.place, message });
    return;
  }
  if (range !== undefined && range.items.length !== 2) return;
  const { low, high } = config.sourcePorts;
  const at = range ?? values['transmit-sockets'] ?? values.workers;
  if (at === undefined) return;
  if (low > high) {
    const message = `${low} is above ${high}; allowed: the lower port first, [${high}, ${low}]`;
    report({ path: at.path, place: at.place, message });
    return;
  }
  const workers = config.workers === 'auto' ? 1 : config.workers;
  const needed = workers * config.transmitSockets;
  if (high - low + 1 >= needed) return;
  const product = workers === 1 ? '' : ` (${workers} workers with ${config.transmitSockets} each)`;
  const message =
    `${high - low + 1} source ports are too few for ${needed} transmit sockets${product}; ` +
    'allowed: a wider "port-range", or fewer "transmit-sockets"';
  report({ path: at.path, place: at.place, message });
}

/**
 * VNIs are unique: the FDB's key is (VNI, MAC), for all tunnels together. Their sockets must be able
 * to be open side by side.
 */
export function checkTunnels(tunnels: readonly ReadTunnel[], report: Report): void {
  const owners = new Map<number, ReadTunnel>();
  for (const tunnel of tunnels) {
    const id = tunnel.values.id;
    if (id === undefined) continue;
    const owner = owners.get(id.value);
    if (owner === undefined) {
      owners.set(id.value, tunnel);
      continue;
    }
    const { line } = owner.values.id!.place;
    const message =
      `${id.value} is the VNI of tunnel ${quote(owner.name)} too (line ${line}); ` +
      'allowed: one tunnel per VNI';
    report({ path: id.path, place: id.place, message });
  }
  checkListeners(tunnels, report);
  const excess = tunnels[TUNNELS_MAX]?.values.id;
  if (excess === undefined) return;
  const message = `${tunnels.length} tunnels are too many; allowed: up to ${TUNNELS_MAX}`;
  report({ path: ['tunnels'], place: excess.place, message });
}

/** The remotes that are addresses, not names. */
export function addressesOf({ remotes }: ReadTunnel['values']): Item<UnderlayAddress>[] {
  return (remotes?.items ?? []).filter(
    (item): item is Item<UnderlayAddress> => !isRemoteName(item.value),
  );
}

/** The addresses of one tunnel must go together, and with its MTU. */
export function checkTunnel({ values }: ReadTunnel, report: Report): void {
  const locals = values.local?.items ?? [];
  for (const [index, { value, path, place }] of locals.entries()) {
    const first = locals.findIndex((other) => other.value.family === value.family);
    if (first === index) continue;
    const message =
      `${quote(value.text)} is a second IPv${value.family} address; ` +
      'allowed: one address, or one of each family';
    report({ path, place, message });
  }
  const remotes = addressesOf(values);
  // Of an address that is wrong nobody knows the family.
  const isKnown = values.local === undefined || values.local.given === locals.length;
  const known = locals.map(({ value }) => value);
  for (const remote of isKnown ? remotes : []) {
    const refused = refuseRemote(remote.value, known);
    if (refused === undefined) continue;
    const message = `${quote(remote.value.text)} ${refused}`;
    report({ path: remote.path, place: remote.place, message });
  }
  reportRepeated(values.remotes?.items ?? [], report);
  reportRepeated(values.addresses?.items ?? [], report);
  if (values.remotes !== undefined && values.remotes.given > REMOTES_MAX) {
    const { path, place, given } = values.remotes;
    const message = `${given} remotes are too many; allowed: up to ${REMOTES_MAX}`;
    report({ path, place, message });
  }
  const { mtu } = values;
  const address6 = values.addresses?.items.find(({ value }) => value.family === 6);
  if (address6 === undefined || typeof mtu?.value !== 'number' || mtu.value >= MTU_MIN_IPV6) return;
  const message =
    `${mtu.value} is too small for the IPv6 address ${address6.value.text}; ` +
    `allowed: at least ${MTU_MIN_IPV6}, or no IPv6 address`;
  report({ path: mtu.path, place: mtu.place, message });
}

function refuseRemote(
  remote: UnderlayAddress,
  locals: readonly UnderlayAddress[],
): string | undefined {
  if (locals.some(({ text }) => text === remote.text)) {
    return 'is the local address; allowed: the addresses of other hosts';
  }
  const local = locals.find(({ family }) => family === remote.family);
  if (local === undefined && locals.length > 0) {
    return (
      `is IPv${remote.family} but the local address is IPv${locals[0]!.family}; ` +
      'allowed: a local address of each family, or none'
    );
  }
  if (remote.interfaceName === undefined || local?.interfaceName === undefined) return undefined;
  if (remote.interfaceName === local.interfaceName) return undefined;
  return `is on another interface than the local address; allowed: %${local.interfaceName}`;
}

function reportRepeated(items: readonly Item<{ text: string }>[], report: Report): void {
  const seen = new Set<string>();
  for (const { value, path, place } of items) {
    if (seen.has(value.text)) {
      report({ path, place, message: `${quote(value.text)} is there twice; allowed: once` });
    }
    seen.add(value.text);
  }
}
