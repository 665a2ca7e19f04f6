/** What a tunnel may not have in common with one that runs. */
import { VtepError } from '../base/errors.ts';
import type { TunnelConfig } from '../config/config.ts';
import { anyAddress, localText } from './egress.ts';

/**
 * The checks that a file gets for all its tunnels together (config/checks.ts), for one more beside those that
 * run. Throws ERR_EXISTS for a name or VNI that is taken, ERR_USAGE for sockets that cannot be open
 * side by side.
 */
export function refuseBeside(wanted: TunnelConfig, running: readonly TunnelConfig[]): void {
  for (const other of running) {
    if (other.name === wanted.name) {
      throw new VtepError('ERR_EXISTS', `Cannot add "${wanted.name}": it exists already`, {
        hint: `change it with: vtep link set ${wanted.name} …`,
      });
    }
    const taken = vnisOf(other);
    const vni = vnisOf(wanted).find((mine) => taken.includes(mine));
    if (vni !== undefined) {
      throw new VtepError(
        'ERR_EXISTS',
        `Cannot add "${wanted.name}": ${vni} is the VNI of "${other.name}"`,
        { hint: 'a VNI belongs to one tunnel' },
      );
    }
    if (other.port === wanted.port) refuseSharedPort(wanted, other);
  }
}

/** Its own and those of its VLANs. */
function vnisOf({ vni, vlans }: TunnelConfig): number[] {
  return [vni, ...vlans.map((mapping) => mapping.vni)];
}

function refuseSharedPort(wanted: TunnelConfig, other: TunnelConfig): void {
  for (const family of wanted.families) {
    if (!other.families.includes(family)) continue;
    const [mine, theirs] = [localText(wanted, family), localText(other, family)];
    const anywhere = anyAddress(family);
    // The kernel gives a port of one address to nobody beside a socket that has the port of all.
    if ((mine === anywhere) !== (theirs === anywhere)) {
      throw inCommon(wanted, other, 'local', 'listens on every address');
    }
    // Nor a port of one device beside a socket that has the port of all.
    if (mine === theirs && (wanted.outer.link === undefined) !== (other.outer.link === undefined)) {
      throw inCommon(wanted, other, 'link', 'listens on every device');
    }
  }
}

function inCommon(
  wanted: TunnelConfig,
  other: TunnelConfig,
  key: string,
  otherwise: string,
): VtepError {
  return new VtepError(
    'ERR_USAGE',
    `Cannot add "${wanted.name}": it has port ${wanted.port} in common with "${other.name}", and ` +
      `only one of them says ${key}`,
    { hint: `a tunnel without ${key} ${otherwise}: say ${key} in all or in none` },
  );
}
