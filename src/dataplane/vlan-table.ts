// Hot path: no allocation, no throw, no await.

/** What is done with a VLAN tag that names no VNI: it passes, is taken off, or its frame is dropped. */
export const VLAN_PASS = 0;
export const VLAN_STRIP = 1;
export const VLAN_DROP = 2;

const POLICY_MASK = 0x3;
const VID_SHIFT = 4;
const VID_MASK = 0xfff;
const TRUNK_SHIFT = 16;

/** Devices that carry VLANs with VNIs of their own, all tunnels together. */
const TRUNKS = 64;
const VIDS = 4096;
const NO_TUNNEL = -1;

/**
 * VLAN settings of the tunnels, in shared memory: the main thread writes, workers read. A tunnel's mode is
 * one number, 0 for the tunnels that leave frames as they are, which is nearly all of them.
 */
export class VlanTable {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #trunksAt: number;

  constructor(tunnels: number, memory?: SharedArrayBuffer) {
    this.#trunksAt = tunnels;
    this.memory = memory ?? new SharedArrayBuffer((tunnels + TRUNKS * (VIDS + 1)) * 4);
    this.#words = new Int32Array(this.memory);
  }

  /** The mode of a tunnel, for the functions below; 0 when there is nothing to do. */
  mode(tunnel: number): number {
    return this.#words[tunnel]!;
  }

  /**
   * The tunnel of a VLAN (0..4095) on the device of a tunnel with this mode, or -1. Only of devices that
   * have such VLANs.
   */
  tunnelOf(mode: number, vid: number): number {
    const trunk = (mode >>> TRUNK_SHIFT) - 1;
    if (trunk < 0) return NO_TUNNEL;
    return this.#words[this.#trunkAt(trunk) + 1 + vid]! - 1;
  }

  /**
   * Main thread: sets what a tunnel does with tags. `vid` is the tag that its frames get on the device, 0
   * for none.
   */
  set(tunnel: number, policy: number, vid: number): void {
    Atomics.store(this.#words, tunnel, policy | (vid << VID_SHIFT));
  }

  /**
   * Main thread: makes VLAN `vids[i]` on the device of `tunnel` the frames of tunnel `tunnels[i]`; after
   * {@link set}. False when too many devices have VLANs.
   */
  setTrunk(tunnel: number, vids: readonly number[], tunnels: readonly number[]): boolean {
    for (let trunk = 0; trunk < TRUNKS; trunk += 1) {
      const at = this.#trunkAt(trunk);
      if (this.#words[at] !== 0) continue;
      this.#words.fill(0, at + 1, at + 1 + VIDS);
      for (let index = 0; index < vids.length; index += 1) {
        this.#words[at + 1 + vids[index]!] = tunnels[index]! + 1;
      }
      this.#words[at] = 1;
      Atomics.or(this.#words, tunnel, (trunk + 1) << TRUNK_SHIFT);
      return true;
    }
    return false;
  }

  /** Main thread: the device has no VLANs any more, if it had; no worker reads it now. */
  clear(tunnel: number): void {
    const trunk = (this.#words[tunnel]! >>> TRUNK_SHIFT) - 1;
    Atomics.store(this.#words, tunnel, 0);
    if (trunk >= 0) this.#words[this.#trunkAt(trunk)] = 0;
  }

  /** Word index of a trunk: 1 when it is taken, then the tunnel plus one of each VLAN. */
  #trunkAt(trunk: number): number {
    return this.#trunksAt + trunk * (VIDS + 1);
  }
}

/** VLAN_PASS, VLAN_STRIP or VLAN_DROP. */
export function vlanPolicy(mode: number): number {
  return mode & POLICY_MASK;
}

/** The tag that the tunnel's frames get on the device; 0 for none. */
export function deliveryVid(mode: number): number {
  return (mode >>> VID_SHIFT) & VID_MASK;
}

/** True when VLANs of the tunnel's device are tunnels of their own. */
export function isTrunk(mode: number): boolean {
  return mode >>> TRUNK_SHIFT !== 0;
}
