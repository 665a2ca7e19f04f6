/** What a tunnel may not have in common with one that runs. */
import { VtepError } from '../base/errors.ts';
import type { TunnelConfig } from '../config/config.ts';

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
    if (other.vni === wanted.vni) {
      throw new VtepError(
        'ERR_EXISTS',
        `Cannot add "${wanted.name}": ${wanted.vni} is the VNI of "${other.name}"`,
        { hint: 'a VNI belongs to one tunnel' },
      );
    }
    if (other.port !== wanted.port || other.family !== wanted.family) continue;
    // The kernel gives a port of one address to nobody beside a socket that has the port of all.
    if ((other.local === undefined) === (wanted.local === undefined)) continue;
    throw new VtepError(
      'ERR_USAGE',
      `Cannot add "${wanted.name}": it has port ${wanted.port} in common with "${other.name}", and ` +
        'only one of them says local',
      { hint: 'a tunnel without local listens on every address: say local in all or in none' },
    );
  }
}
