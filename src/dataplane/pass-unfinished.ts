// Hot path: no allocation, no throw, no await.
import { IPPROTO_TCP, isTcp, tcpHeaderLength } from '../wire/tcp.ts';
import { UDP_HEADER_LENGTH } from '../wire/udp.ts';
import {
  VIRTIO_NET_HDR_GSO_NONE,
  VIRTIO_NET_HDR_GSO_TCPV4,
  VIRTIO_NET_HDR_GSO_TCPV6,
  VIRTIO_NET_HDR_GSO_UDP_L4,
} from '../wire/virtio-net.ts';
import { checksumFieldOffset, isChecksumUnfinished } from './checksum-offload.ts';
import type { InnerPacket } from './inner-packet.ts';
import { tcpSuperFrameSize } from './merged-datagram.ts';
import { requestOffload } from './request-offload.ts';

/**
 * Leaves a checksum that the sender left to us to the overlay's stack, and with it the segmentation of a
 * super-frame; a frame whose checksum is finished, right or wrong, is left as it is.
 *
 * `vnet` is the frame's virtio_net_hdr, all zeros; `udpSegmentBytes` the segment size of a UDP super-frame,
 * else 0; `mtu` the overlay's, by which a TCP super-frame is known.
 */
export function passUnfinished(
  view: DataView,
  vnet: number,
  frame: number,
  inner: InnerPacket,
  udpSegmentBytes: number,
  mtu: number,
): void {
  const field = checksumFieldOffset(inner);
  if (field < 0 || !isChecksumUnfinished(view, inner, field)) return;
  let headerLength = UDP_HEADER_LENGTH;
  let gsoType = VIRTIO_NET_HDR_GSO_NONE;
  let gsoSize = udpSegmentBytes;
  if (inner.protocol === IPPROTO_TCP) {
    if (!isTcp(view, inner.l4, inner.end - inner.l4)) return;
    headerLength = tcpHeaderLength(view, inner.l4);
    gsoSize = tcpSuperFrameSize(inner, headerLength, mtu);
    if (gsoSize > 0) {
      gsoType = inner.family === 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
    }
  } else if (gsoSize > 0) {
    gsoType = VIRTIO_NET_HDR_GSO_UDP_L4;
  }
  const headers = inner.l4 + headerLength - frame;
  requestOffload(view, vnet, gsoType, headers, gsoSize, inner.l4 - frame, field);
}
