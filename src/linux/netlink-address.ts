/** Addresses of interfaces. */
import { IPV4_MAPPED_OFFSET, formatIp, isIpv4Mapped, type Prefix } from '../wire/ip.ts';
import { EACCES, EEXIST, EINVAL, ENOBUFS, EPERM } from './errno.ts';
import { NetlinkError, netlinkFailure, netlinkRequest } from './netlink.ts';
import { RequestBuilder, parseAttributes, type NetlinkMessage } from './netlink-message.ts';
import * as uapi from './uapi.ts';

/** linux/if_addr.h, struct ifaddrmsg: family, prefix length, flags, scope, index. */
const IFADDRMSG_LENGTH = 8;
const PREFIX_OFFSET = 1;
const INDEX_OFFSET = 4;

/** `family` and `length` go together: 0..32 bits for 4, 0..128 for 6. */
export interface InterfaceAddress extends Prefix {
  /** Index of the interface. */
  readonly index: number;
}

/**
 * Gives the address to the interface; one that is there already is fine.
 *
 * As `ip address add` does: no broadcast address, duplicate detection for IPv6. Throws
 * ERR_PERMISSION, ERR_SYSCALL.
 */
export function addAddress(index: number, prefix: Prefix): void {
  const bytes = addressBytes(prefix.address, prefix.family);
  const request = new RequestBuilder(ifaddrmsg(prefix.family, prefix.length, index))
    .bytes(uapi.IFA_LOCAL, bytes)
    .bytes(uapi.IFA_ADDRESS, bytes);
  try {
    netlinkRequest(uapi.RTM_NEWADDR, uapi.NLM_F_CREATE | uapi.NLM_F_EXCL, request);
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === EEXIST) return;
    const text = `${formatIp(prefix.address)}/${prefix.length}`;
    throw netlinkFailure(`add the address ${text} to interface ${index}`, error, hintFor(error));
  }
}

/** Takes the address from the interface. Throws ERR_PERMISSION, ERR_SYSCALL. */
export function removeAddress(index: number, prefix: Prefix): void {
  const bytes = addressBytes(prefix.address, prefix.family);
  const request = new RequestBuilder(ifaddrmsg(prefix.family, prefix.length, index));
  try {
    netlinkRequest(uapi.RTM_DELADDR, 0, request.bytes(uapi.IFA_LOCAL, bytes));
  } catch (error) {
    const text = `${formatIp(prefix.address)}/${prefix.length}`;
    throw netlinkFailure(`remove the address ${text} of interface ${index}`, error, hintFor(error));
  }
}

/** Addresses of one interface, or of all. */
export function listAddresses(index?: number): InterfaceAddress[] {
  const addresses: InterfaceAddress[] = [];
  try {
    const request = new RequestBuilder(ifaddrmsg(undefined, 0, 0));
    for (const message of netlinkRequest(uapi.RTM_GETADDR, uapi.NLM_F_DUMP, request)) {
      const address = parseAddress(message);
      if (address === undefined) continue;
      if (index === undefined || address.index === index) addresses.push(address);
    }
  } catch (error) {
    throw netlinkFailure('list the addresses', error);
  }
  return addresses;
}

/** The address of one RTM_NEWADDR message; undefined for families other than IP. */
export function parseAddress(message: NetlinkMessage): InterfaceAddress | undefined {
  const { body } = message;
  const attributes = parseAttributes(body, IFADDRMSG_LENGTH);
  // On a point-to-point interface IFA_ADDRESS is the other end's; IPv6 may leave IFA_LOCAL out.
  const bytes = attributes.get(uapi.IFA_LOCAL) ?? attributes.get(uapi.IFA_ADDRESS);
  const address = bytes === undefined ? undefined : mappedAddress(bytes);
  if (address === undefined) return undefined;
  return {
    address,
    length: body.readUInt8(PREFIX_OFFSET),
    family: isIpv4Mapped(address) ? 4 : 6,
    index: body.readUInt32LE(INDEX_OFFSET),
  };
}

/** 4 or 16 bytes, as the family has them in a message. */
export function addressBytes(address: Uint8Array, family: 4 | 6): Uint8Array {
  return family === 4 ? address.subarray(IPV4_MAPPED_OFFSET) : address;
}

/** 16 bytes of their own from the 4 or 16 of a message; undefined for any other length. */
export function mappedAddress(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length !== 4 && bytes.length !== 16) return undefined;
  const address = new Uint8Array(16);
  if (bytes.length === 4) address.fill(0xff, 10, IPV4_MAPPED_OFFSET);
  address.set(bytes, 16 - bytes.length);
  return address;
}

function ifaddrmsg(family: 4 | 6 | undefined, length: number, index: number): Buffer {
  const fixed = Buffer.alloc(IFADDRMSG_LENGTH);
  if (family !== undefined) fixed.writeUInt8(family === 4 ? uapi.AF_INET : uapi.AF_INET6, 0);
  fixed.writeUInt8(length, PREFIX_OFFSET);
  fixed.writeUInt32LE(index, INDEX_OFFSET);
  return fixed;
}

function hintFor(error: unknown): string | undefined {
  if (!(error instanceof NetlinkError)) return undefined;
  if (error.errno === EPERM) return 'changing addresses needs CAP_NET_ADMIN';
  if (error.errno !== EINVAL && error.errno !== ENOBUFS && error.errno !== EACCES) return undefined;
  return 'IPv6 addresses need a device with an MTU of 1280 or more, and IPv6 not disabled on it';
}
