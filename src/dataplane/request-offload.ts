// Hot path: no allocation, no throw, no await.
import {
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  writeVnetCsumOffset,
  writeVnetCsumStart,
  writeVnetFlags,
  writeVnetGsoSize,
  writeVnetGsoType,
  writeVnetHdrLen,
} from '../wire/virtio-net.ts';

/**
 * Asks the overlay's stack, in the virtio_net_hdr at `vnet`, to finish the checksum at `csumOffset` behind
 * `csumStart`, and to cut the frame into segments of `gsoSize` where `gsoType` is not GSO_NONE.
 *
 * A super-frame with only the segment fields would be dropped by a bridge port, one with only the
 * checksum fields works into the local stack alone: both go together.
 */
export function requestOffload(
  view: DataView,
  vnet: number,
  gsoType: number,
  headerLength: number,
  gsoSize: number,
  csumStart: number,
  csumOffset: number,
): void {
  writeVnetFlags(view, vnet, VIRTIO_NET_HDR_F_NEEDS_CSUM);
  writeVnetGsoType(view, vnet, gsoType);
  writeVnetHdrLen(view, vnet, headerLength);
  writeVnetGsoSize(view, vnet, gsoSize);
  writeVnetCsumStart(view, vnet, csumStart);
  writeVnetCsumOffset(view, vnet, csumOffset);
}
