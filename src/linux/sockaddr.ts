// Hot path: no allocation, no throw, no await.

/**
 * Socket addresses in the kernel's layout (linux/in.h, linux/in6.h), on machines of little-endian
 * order.
 *
 * ```
 * sockaddr_in   0 family (16, host order)  2 port (16, network order)  4 address (32)
 * sockaddr_in6  0 family                   2 port                      4 flow label (32)
 *               8 address (128)           24 scope (32, host order)
 * ```
 */

/** Room for either kind. */
export const SOCKADDR_LENGTH_MAX = 28;
export const SOCKADDR_IN_LENGTH = 16;
export const SOCKADDR_IN6_LENGTH = 28;

const FAMILY_OFFSET = 0;
const PORT_OFFSET = 2;
const IN_ADDRESS_OFFSET = 4;
const IN6_FLOW_OFFSET = 4;
const IN6_ADDRESS_OFFSET = 8;
const IN6_SCOPE_OFFSET = 24;

const FAMILY_INET = 2;
const FAMILY_INET6 = 10;

/**
 * Writes the 16-byte address at `address[addressOffset]` and returns the length of what was
 * written.
 *
 * `family` is 4 or 6. For 4 the address is the mapped form, whose last four bytes count. `scope` is
 * the interface index of an IPv6 link-local address, else 0. All bytes of the structure are
 * written.
 */
export function writeSockaddr(
  view: DataView,
  offset: number,
  family: number,
  address: Uint8Array,
  addressOffset: number,
  port: number,
  scope: number,
): number {
  view.setUint16(offset + PORT_OFFSET, port);
  if (family === 4) {
    view.setUint16(offset + FAMILY_OFFSET, FAMILY_INET, true);
    for (let i = 0; i < 4; i++) {
      view.setUint8(offset + IN_ADDRESS_OFFSET + i, address[addressOffset + 12 + i]!);
    }
    view.setUint32(offset + 8, 0);
    view.setUint32(offset + 12, 0);
    return SOCKADDR_IN_LENGTH;
  }
  view.setUint16(offset + FAMILY_OFFSET, FAMILY_INET6, true);
  view.setUint32(offset + IN6_FLOW_OFFSET, 0);
  for (let i = 0; i < 16; i++) {
    view.setUint8(offset + IN6_ADDRESS_OFFSET + i, address[addressOffset + i]!);
  }
  view.setUint32(offset + IN6_SCOPE_OFFSET, scope, true);
  return SOCKADDR_IN6_LENGTH;
}

/**
 * Writes the address as 16 bytes at `bytes[bytesOffset]`, IPv4 mapped; zeros for any other family.
 */
export function readSockaddr(
  view: DataView,
  offset: number,
  bytes: Uint8Array,
  bytesOffset: number,
): void {
  const family = view.getUint16(offset + FAMILY_OFFSET, true);
  if (family === FAMILY_INET6) {
    for (let i = 0; i < 16; i++) {
      bytes[bytesOffset + i] = view.getUint8(offset + IN6_ADDRESS_OFFSET + i);
    }
    return;
  }
  bytes.fill(0, bytesOffset, bytesOffset + 16);
  if (family !== FAMILY_INET) return;
  bytes[bytesOffset + 10] = 0xff;
  bytes[bytesOffset + 11] = 0xff;
  for (let i = 0; i < 4; i++) {
    bytes[bytesOffset + 12 + i] = view.getUint8(offset + IN_ADDRESS_OFFSET + i);
  }
}

/** 4, 6, or 0 for any other family. */
export function sockaddrFamily(view: DataView, offset: number): number {
  const family = view.getUint16(offset + FAMILY_OFFSET, true);
  if (family === FAMILY_INET) return 4;
  return family === FAMILY_INET6 ? 6 : 0;
}

/** UDP port of either family. */
export function sockaddrPort(view: DataView, offset: number): number {
  return view.getUint16(offset + PORT_OFFSET);
}

/** Interface index of an IPv6 link-local address, else 0. */
export function sockaddrScope(view: DataView, offset: number): number {
  if (view.getUint16(offset + FAMILY_OFFSET, true) !== FAMILY_INET6) return 0;
  return view.getUint32(offset + IN6_SCOPE_OFFSET, true);
}
