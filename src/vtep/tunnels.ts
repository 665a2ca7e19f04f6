import { VtepError } from '../base/errors.ts';
import type { TunnelDirectory, TunnelInfo } from './tunnel-directory.ts';

/** The tunnels there are, by index, name and VNI. Main thread only. */
export class Tunnels implements TunnelDirectory {
  readonly #byIndex: (TunnelInfo | undefined)[];
  readonly #byName = new Map<string, TunnelInfo>();
  readonly #byVlan = new Map<string, TunnelInfo>();
  readonly #byVni = new Map<number, TunnelInfo>();

  /** `capacity` is that of the shared table of tunnels. */
  constructor(capacity: number) {
    this.#byIndex = new Array<TunnelInfo | undefined>(capacity).fill(undefined);
  }

  /** The lowest index that no tunnel has; throws ERR_LIMIT when there is none. */
  freeIndex(): number {
    const index = this.#byIndex.indexOf(undefined);
    if (index >= 0) return index;
    throw new VtepError('ERR_LIMIT', `Cannot open more than ${this.#byIndex.length} tunnels`);
  }

  add(tunnel: TunnelInfo): void {
    this.#byIndex[tunnel.index] = tunnel;
    if (tunnel.vlan === undefined) this.#byName.set(tunnel.name, tunnel);
    else this.#byVlan.set(vlanKey(tunnel.name, tunnel.vlan), tunnel);
    this.#byVni.set(tunnel.vni, tunnel);
  }

  /** Has a tunnel's new description take the place of the one with its index, name and VNI. */
  replace(tunnel: TunnelInfo): void {
    this.add(tunnel);
  }

  remove(tunnel: TunnelInfo): void {
    this.#byIndex[tunnel.index] = undefined;
    if (tunnel.vlan === undefined) this.#byName.delete(tunnel.name);
    else this.#byVlan.delete(vlanKey(tunnel.name, tunnel.vlan));
    this.#byVni.delete(tunnel.vni);
  }

  byName(name: string, vlan?: number): TunnelInfo | undefined {
    return vlan === undefined ? this.#byName.get(name) : this.#byVlan.get(vlanKey(name, vlan));
  }

  vlansOf(name: string): TunnelInfo[] {
    return [...this.#byVlan.values()].filter((tunnel) => tunnel.name === name);
  }

  byIndex(index: number): TunnelInfo | undefined {
    return this.#byIndex[index];
  }

  byVni(vni: number): TunnelInfo | undefined {
    return this.#byVni.get(vni);
  }

  all(): TunnelInfo[] {
    return [...this.#byVni.values()];
  }
}

function vlanKey(name: string, vlan: number): string {
  return `${vlan} ${name}`;
}
