// Hot path: no allocation, no throw, no await.
import { STRANGER, type RemoteRows } from '../fdb/remote-rows.ts';
import { IP_LENGTH, IPV4_MAPPED_OFFSET } from '../wire/ip.ts';
import { IPV4_DESTINATION_OFFSET } from '../wire/ipv4.ts';
import { IPV6_DESTINATION_OFFSET } from '../wire/ipv6.ts';
import { IPPROTO_UDP, UDP_HEADER_LENGTH } from '../wire/udp.ts';
import { hasReservedBits, isVxlan, readVni, VXLAN_HEADER_LENGTH } from '../wire/vxlan.ts';
import type { InnerPacket } from './inner-packet.ts';

/**
 * Recognises what this tunnel has encapsulated already: a VXLAN datagram of its own to one of its own
 * remotes, which has come back out of its own device because a route to the remote leads there. To send
 * it on would wrap it again and again. A tunnel inside of a tunnel is not one: it has another VNI, or
 * other ends.
 */
export class CircularFrames {
  readonly #remotes: RemoteRows;
  readonly #address = new Uint8Array(IP_LENGTH);

  constructor(remotes: RemoteRows) {
    this.#remotes = remotes;
  }

  /** `inner` is the frame that came out of the device of `tunnel`, whose VNI is `vni`. */
  recognises(view: DataView, inner: InnerPacket, tunnel: number, vni: number): boolean {
    const { l4 } = inner;
    if (inner.protocol !== IPPROTO_UDP || l4 < 0) return false;
    const header = l4 + UDP_HEADER_LENGTH;
    const available = inner.end - header;
    // First what nearly every other datagram fails: the header as we write it, reserved bits zero.
    if (available < VXLAN_HEADER_LENGTH || !isVxlan(view, header, available)) return false;
    if (hasReservedBits(view, header)) return false;
    const remote = this.#findDestination(view, inner, tunnel);
    if (remote === STRANGER) return false;
    const carried = readVni(view, header);
    return carried === vni || carried === this.#remotes.vni(remote);
  }

  #findDestination(view: DataView, inner: InnerPacket, tunnel: number): number {
    const address = this.#address;
    const mapped = inner.family === 4;
    const from = inner.l3 + (mapped ? IPV4_DESTINATION_OFFSET : IPV6_DESTINATION_OFFSET);
    const first = mapped ? IPV4_MAPPED_OFFSET : 0;
    if (mapped) {
      address.fill(0, 0, 10);
      address.fill(0xff, 10, IPV4_MAPPED_OFFSET);
    }
    for (let i = first; i < IP_LENGTH; i += 1) address[i] = view.getUint8(from + i - first);
    return this.#remotes.findSender(tunnel, address, 0);
  }
}
