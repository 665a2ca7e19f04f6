// Hot path: no allocation, no throw, no await.
import { ECN_MASK } from '../wire/ecn.ts';
import { ETHERTYPE_IPV6, l3EtherType } from '../wire/ethernet.ts';
import { IPV4_FLAG_DF, readIpv4Fragment, readIpv4Ttl } from '../wire/ipv4.ts';
import { readIpv6FlowLabel, readIpv6HopLimit } from '../wire/ipv6.ts';
import type { InnerPacket } from './inner-packet.ts';
import { INHERIT_TOS } from './outer-table.ts';

/**
 * What the outer header of a frame takes from its inner IP packet, by the rules of the Linux kernel's
 * vxlan device. One object is used for all frames: read() fills it in. Of frames without an IP packet
 * everything is as if nothing was configured, and DF is clear.
 */
export class InheritedHeader {
  /** 0 for the route's default. */
  ttl = 0;
  dscp = 0;
  flowLabel = 0;
  dontFragment = false;

  /** `inherit` are the INHERIT_ constants of the tunnel. */
  read(view: DataView, inner: InnerPacket, inherit: number): void {
    this.dscp = (inherit & INHERIT_TOS) !== 0 ? inner.tos & ~ECN_MASK : 0;
    this.ttl = 0;
    this.flowLabel = 0;
    if (inner.family === 4) {
      this.ttl = readIpv4Ttl(view, inner.l3);
      this.dontFragment = (readIpv4Fragment(view, inner.l3) & IPV4_FLAG_DF) !== 0;
    } else if (inner.family === 6) {
      this.ttl = readIpv6HopLimit(view, inner.l3);
      this.flowLabel = readIpv6FlowLabel(view, inner.l3);
      this.dontFragment = true;
    } else {
      this.dontFragment = inner.l3 >= 0 && l3EtherType(view, inner.l3) === ETHERTYPE_IPV6;
    }
  }
}
