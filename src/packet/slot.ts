/**
 * One slot geometry for both directions, so that no frame is ever moved.
 *
 *   slot+0            6        8               16
 *   | spare           | vnet…  | VXLAN (8)     | inner Ethernet frame …
 *                     |<- virtio_net_hdr (10) ->|
 *
 * A TAP is read at slot+6, so that the frame lands at slot+16; once the virtio_net_hdr has been
 * understood, the VXLAN header is written over its last eight bytes and a datagram begins at slot+8.
 */
export const SLOT_VNET_OFFSET = 6;
export const SLOT_VXLAN_OFFSET = 8;
export const SLOT_FRAME_OFFSET = 16;

/** Longest frame a TAP hands over: 65,545 bytes were seen with TSO; rounded up. */
export const FRAME_BYTES_MAX = 65_664;

/** Distance between slots: an odd number of cache lines, so that frame headers do not share cache sets. */
export const SLOT_BYTES = 65_728;

/** Bytes a datagram may hold: what the kernel's GRO merges at most (65,535), rounded up. */
export const DATAGRAM_BYTES_MAX = 65_664;

/** Longest UDP payload over IPv4 (65,535 - 20 - 8); over IPv6 it may be 20 more, which we do not use. */
export const UDP_PAYLOAD_BYTES_MAX = 65_507;
