// Hot path: no allocation, no throw, no await.
import { IPPROTO_TCP } from '../wire/tcp.ts';
import { IPPROTO_UDP } from '../wire/udp.ts';
import type { InnerPacket } from './inner-packet.ts';

const IPPROTO_SCTP = 132;

/**
 * Hash of the inner flow, a number of 31 bits (which needs no box): it chooses the outer source port, so
 * that the underlay spreads flows over its paths and never reorders one (RFC 7348 section 5).
 *
 * IP packets hash by addresses, protocol and ports (fragments without ports, so that all of a packet's
 * fragments go one way); all other frames by their MACs.
 */
export function flowHash(view: DataView, frame: number, inner: InnerPacket): number {
  let hash: number;
  if (inner.family === 4) {
    hash = mix(mix(inner.protocol, view.getInt32(inner.l3 + 12)), view.getInt32(inner.l3 + 16));
  } else if (inner.family === 6) {
    hash = inner.protocol;
    for (let offset = inner.l3 + 8; offset < inner.l3 + 40; offset += 4) {
      hash = mix(hash, view.getInt32(offset));
    }
  } else {
    hash = mix(mix(view.getInt32(frame), view.getInt32(frame + 4)), view.getInt32(frame + 8));
    return finish(hash);
  }
  if (inner.l4 >= 0 && hasPorts(inner.protocol) && inner.l4 + 4 <= inner.end) {
    hash = mix(hash, view.getInt32(inner.l4));
  }
  return finish(hash);
}

function hasPorts(protocol: number): boolean {
  return protocol === IPPROTO_TCP || protocol === IPPROTO_UDP || protocol === IPPROTO_SCTP;
}

function mix(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e37_79b1);
  return product ^ (product >>> 15);
}

function finish(hash: number): number {
  const product = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return (product ^ (product >>> 13)) & 0x7fff_ffff;
}
