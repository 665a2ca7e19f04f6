/** The VLANs of a device that are VNIs of their own: a tunnel each, over the device's descriptors. */
import { VtepError } from '../base/errors.ts';
import type { TunnelConfig } from '../config/config.ts';
import { VLAN_DROP, VLAN_PASS, VLAN_STRIP, type VlanTable } from '../dataplane/vlan-table.ts';
import type { OpenTunnel } from './open-tunnel.ts';

const POLICIES = { pass: VLAN_PASS, strip: VLAN_STRIP, drop: VLAN_DROP } as const;

/** What the tunnel of one VLAN is: its device's, but for VNI, VLAN and `index`. */
export function vlanTunnel(
  device: OpenTunnel,
  { vid, vni }: TunnelConfig['vlans'][number],
  index: number,
): OpenTunnel {
  const config = { ...device.config, vni, vlans: [] };
  return { ...device, config, info: { ...device.info, index, vni, vlan: vid } };
}

/** Sets what a tunnel does with tags. Before its first frame. */
export function setTagging(vlans: VlanTable, { info, config }: OpenTunnel): void {
  vlans.clear(info.index);
  vlans.set(info.index, POLICIES[config.vlan], info.vlan ?? 0);
}

/** Gives the device's tagged frames to the tunnels of its VLANs. Throws ERR_LIMIT. */
export function setTrunk(
  vlans: VlanTable,
  device: OpenTunnel,
  children: readonly OpenTunnel[],
): void {
  const vids = children.map(({ info }) => info.vlan!);
  const indices = children.map(({ info }) => info.index);
  if (vlans.setTrunk(device.info.index, vids, indices)) return;
  throw new VtepError('ERR_LIMIT', `Cannot give "${device.info.name}" VLANs: too many devices do`, {
    hint: 'put more VLANs on fewer devices',
  });
}
