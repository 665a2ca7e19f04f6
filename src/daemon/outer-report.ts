import type { OuterReport } from '../api/protocol.ts';
import { type OuterConfig, reservedBitsText } from '../config/outer.ts';

/** What `vtep show` says of a tunnel's outer headers. */
export function outerReport(outer: OuterConfig): OuterReport {
  return {
    ttl: outer.ttl,
    tos: outer.tos,
    df: outer.dontFragment,
    fragment: outer.fragment,
    label: outer.flowLabel,
    udp_csum: outer.udpChecksum,
    udp_zero_csum6_tx: outer.zeroChecksum6Tx,
    udp_zero_csum6_rx: outer.zeroChecksum6Rx,
    ...(outer.link === undefined ? {} : { link: outer.link }),
    reserved_bits: reservedBitsText(outer.reservedBits),
  };
}
