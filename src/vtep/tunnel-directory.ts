/**
 * What the FDB verbs need to know of the tunnels there are.
 *
 * `index` is the tunnel's number in shared memory, stable while the tunnel lives; `vni` is the tunnel's own
 * VNI and with that the first half of every FDB key; `family4` and `family6` say over which underlays the
 * tunnel can send.
 */
export interface TunnelInfo {
  readonly index: number;
  readonly name: string;
  readonly vni: number;
  /** The VLAN of the device that is this tunnel; undefined for the device's own tunnel. */
  readonly vlan?: number;
  /** Destination UDP port of remotes that name none. */
  readonly port: number;
  readonly ifindex: number;
  readonly family4: boolean;
  readonly family6: boolean;
  /** 0 means that learned entries never age. */
  readonly ageingSeconds: number;
}

/** Look-up of tunnels by whatever a user or a row names them by; main thread only. */
export interface TunnelDirectory {
  /** The tunnel of a device, or of a VLAN of it. */
  byName(name: string, vlan?: number): TunnelInfo | undefined;
  /** The tunnels of the VLANs of a device. */
  vlansOf(name: string): TunnelInfo[];
  byIndex(index: number): TunnelInfo | undefined;
  byVni(vni: number): TunnelInfo | undefined;
  all(): TunnelInfo[];
}

/** The machine's network interfaces, for `via DEV`. */
export interface InterfaceDirectory {
  indexOf(name: string): number | undefined;
  nameOf(index: number): string | undefined;
}
