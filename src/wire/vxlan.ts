// Hot path: no allocation, no throw, no await.

/**
 * VXLAN header, RFC 7348 §5.
 *
 *  0                   1                   2                   3
 * +-+-+-+-+-+-+-+-+-----------------------------------------------+
 * |R|R|R|R|I|R|R|R|            Reserved                           |
 * +---------------------------------------------------------------+
 * |                VXLAN Network Identifier (VNI) |   Reserved    |
 * +---------------------------------------------------------------+
 */
export const VXLAN_HEADER_LENGTH = 8;
export const VXLAN_PORT = 4789; // IANA; Linux defaults to 8472, the number in use before there was one
export const VNI_MAX = 0xff_ffff;

/** What the underlay's MTU loses to the overlay's: outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14. */
export const VXLAN_OVERHEAD_IPV4 = 50;

/** The same with the 40 bytes of an outer IPv6 header. */
export const VXLAN_OVERHEAD_IPV6 = 70;

const FLAGS_OFFSET = 0; // 32 bits: flags and reserved
const VNI_OFFSET = 4; //   32 bits: VNI in the upper 24
const FLAG_VNI_VALID = 0x0800_0000;
const RESERVED_LOW = 0xff; // of the second word

/** True when `length` bytes at `offset` hold a header whose VNI may be read (I flag set). */
export function isVxlan(view: DataView, offset: number, length: number): boolean {
  if (length < VXLAN_HEADER_LENGTH) return false;
  return (view.getUint32(offset + FLAGS_OFFSET) & FLAG_VNI_VALID) !== 0;
}

/**
 * True when any bit besides the I flag and the VNI is set. RFC 7348 §5 has receivers ignore them; Linux
 * and Open vSwitch drop such packets, since extensions (GPE, GBP) use these bits. Call only after
 * {@link isVxlan}; which of the two happens is the caller's policy.
 */
export function hasReservedBits(view: DataView, offset: number): boolean {
  const flags = view.getUint32(offset + FLAGS_OFFSET);
  if ((flags & ~FLAG_VNI_VALID) !== 0) return true;
  return (view.getUint32(offset + VNI_OFFSET) & RESERVED_LOW) !== 0;
}

/** VNI, 0..VNI_MAX. Call only after {@link isVxlan}. */
export function readVni(view: DataView, offset: number): number {
  return view.getUint32(offset + VNI_OFFSET) >>> 8;
}

/** Writes all 8 bytes for a `vni` of 0..VNI_MAX; reserved bits are zero as RFC 7348 §5 asks of the sender. */
export function writeVxlan(view: DataView, offset: number, vni: number): void {
  view.setUint32(offset + FLAGS_OFFSET, FLAG_VNI_VALID);
  view.setUint32(offset + VNI_OFFSET, vni << 8);
}
