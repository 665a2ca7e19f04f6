// Hot path: no allocation, no throw, no await.

import { MAC_LENGTH, readMacHigh, readMacLowSigned, writeMac } from './mac.ts';

/**
 * ARP for IPv4 over Ethernet, RFC 826.
 *
 *  0                   1                   2                   3
 * +-------------------------------+-------------------------------+
 * |       Hardware type (1)       |     Protocol type (0x0800)    |
 * +---------------+---------------+-------------------------------+
 * |  Length (6)   |  Length (4)   |           Operation           |
 * +---------------+---------------+-------------------------------+
 * |   Sender MAC (6)   | Sender IPv4 (4) | Target MAC (6) | Target IPv4 (4)
 * +-----------------------------------------------------------------
 *
 * IPv4 addresses travel as signed 32-bit numbers in network byte order, as getInt32() reads them.
 */
export const ARP_LENGTH = 28;

export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

export const ARP_SENDER_MAC_OFFSET = 8;
export const ARP_SENDER_IP_OFFSET = 14;
export const ARP_TARGET_MAC_OFFSET = 18;
export const ARP_TARGET_IP_OFFSET = 24;

const HARDWARE_ETHERNET_PROTOCOL_IPV4 = 0x0001_0800;
const LENGTHS = 0x0604;
const OPERATION_OFFSET = 6;

/** True when the `available` bytes at `arp` begin with a whole ARP packet for IPv4 over Ethernet. */
export function isArpIpv4(view: DataView, arp: number, available: number): boolean {
  if (available < ARP_LENGTH) return false;
  return (
    view.getInt32(arp) === HARDWARE_ETHERNET_PROTOCOL_IPV4 && view.getUint16(arp + 4) === LENGTHS
  );
}

/** ARP_REQUEST, ARP_REPLY, or something else. */
export function readArpOperation(view: DataView, arp: number): number {
  return view.getUint16(arp + OPERATION_OFFSET);
}

/** True for the address of a host: neither 0.0.0.0/8, 127.0.0.0/8, multicast, reserved nor broadcast. */
export function isHostIpv4(address: number): boolean {
  const first = (address >>> 24) & 0xff;
  return first !== 0 && first !== 127 && first < 224;
}

/**
 * Writes the reply to the request at `request`, in which the MAC is that of the request's target;
 * ARP_LENGTH bytes at `at`.
 */
export function writeArpReply(
  view: DataView,
  at: number,
  request: number,
  macHigh: number,
  macLow: number,
): void {
  view.setUint32(at, HARDWARE_ETHERNET_PROTOCOL_IPV4);
  view.setUint16(at + 4, LENGTHS);
  view.setUint16(at + OPERATION_OFFSET, ARP_REPLY);
  writeMac(view, at + ARP_SENDER_MAC_OFFSET, macHigh, macLow);
  view.setInt32(at + ARP_SENDER_IP_OFFSET, view.getInt32(request + ARP_TARGET_IP_OFFSET));
  const asker = request + ARP_SENDER_MAC_OFFSET;
  const askerHigh = readMacHigh(view, asker);
  writeMac(view, at + ARP_TARGET_MAC_OFFSET, askerHigh, readMacLowSigned(view, asker));
  view.setInt32(at + ARP_TARGET_IP_OFFSET, view.getInt32(asker + MAC_LENGTH));
}
