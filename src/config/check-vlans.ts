import type { ReadTunnel } from './checks.ts';
import { quote } from './problem.ts';
import type { Report } from './read-mapping.ts';

/** Every VLAN of a device has one VNI, and every VNI one VLAN or one device. */
export function checkVlans(tunnels: readonly ReadTunnel[], report: Report): void {
  const owners = new Map<number, string>();
  for (const { name, values } of tunnels) {
    if (values.id !== undefined) owners.set(values.id.value, `tunnel ${quote(name)}`);
  }
  for (const { name, values } of tunnels) {
    const vids = new Set<number>();
    for (const { value, path, place } of values.vlans?.items ?? []) {
      const { vid, vni } = value;
      if (vids.has(vid)) {
        const message = `VLAN ${vid} is there twice; allowed: one VNI per VLAN`;
        report({ path, place, message });
        continue;
      }
      vids.add(vid);
      const owner = owners.get(vni);
      if (owner === undefined) {
        owners.set(vni, `VLAN ${vid} of tunnel ${quote(name)}`);
        continue;
      }
      const message = `${vni} is the VNI of ${owner} too; allowed: a VNI that nothing else has`;
      report({ path, place, message });
    }
  }
}
