// Hot path: no allocation, no throw, no await.

export const NO_TUNNEL = -1;

/** Which tunnel a VNI means on one underlay port and address. Filled by messages, read per datagram. */
export class VniMap {
  readonly #tunnels = new Map<number, number>();
  // Nearly every datagram is of the VNI of the one before.
  #lastVni = -1;
  #lastTunnel = NO_TUNNEL;

  set(vni: number, tunnel: number): void {
    this.#tunnels.set(vni, tunnel);
    this.#lastVni = -1;
  }

  delete(vni: number): void {
    this.#tunnels.delete(vni);
    this.#lastVni = -1;
  }

  get size(): number {
    return this.#tunnels.size;
  }

  /** The tunnel's index, or NO_TUNNEL. */
  find(vni: number): number {
    if (vni === this.#lastVni) return this.#lastTunnel;
    const tunnel = this.#tunnels.get(vni);
    this.#lastVni = vni;
    this.#lastTunnel = tunnel === undefined ? NO_TUNNEL : tunnel;
    return this.#lastTunnel;
  }
}
