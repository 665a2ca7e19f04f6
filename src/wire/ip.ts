import { isIPv4, isIPv6 } from 'node:net';

/**
 * IP address of either family as 16 bytes; IPv4 takes its mapped form ::ffff:a.b.c.d (RFC 4291 §2.5.5.2).
 *
 * node:net judges what is a valid text; turning valid text into bytes and back is done here, because an
 * FDB dump or batch does it a million times and the object-building libraries take microseconds for each.
 * The predicates allocate nothing and may be called from the hot path.
 *
 *   byte   0                       10       12                16
 *        +-------------------------+--------+-----------------+
 *        | zeros                   | ff  ff | a   b   c   d   |   IPv4
 *        +-------------------------+--------+-----------------+
 *        | IPv6 address                                       |   IPv6
 *        +----------------------------------------------------+
 */
export const IP_LENGTH = 16;

/** Where the four bytes of a mapped IPv4 address start. */
export const IPV4_MAPPED_OFFSET = 12;

export interface Prefix {
  /** 16 bytes with all bits as they were given: 10.0.0.1/24 keeps the 1. */
  address: Uint8Array;
  /** Prefix length in bits of the family's own address: 0..32 or 0..128. */
  length: number;
  family: 4 | 6;
}

const IPV6_GROUPS = 8;
const PREFIX_LENGTH_PATTERN = /^(?:0|[1-9][0-9]{0,2})$/;

/**
 * The 16 bytes of `192.0.2.1`, `2001:db8::1` or `::ffff:192.0.2.1` (the same bytes as `192.0.2.1`), or
 * undefined for anything else. A `%scope` suffix is not accepted, nor is a leading zero (`010.0.0.1`).
 */
export function parseIp(text: string): Uint8Array | undefined {
  if (isIPv4(text)) {
    const bytes = new Uint8Array(IP_LENGTH);
    bytes[10] = 0xff;
    bytes[11] = 0xff;
    writeDotted(bytes, text);
    return bytes;
  }
  return isIPv6(text) && !text.includes('%') ? ip6Bytes(text) : undefined;
}

/** Text of the 16 bytes at `offset`: dotted for IPv4, else as RFC 5952 §4 wants it. */
export function formatIp(bytes: Uint8Array, offset = 0): string {
  if (isIpv4Mapped(bytes, offset)) {
    const at = offset + IPV4_MAPPED_OFFSET;
    return `${bytes[at]!}.${bytes[at + 1]!}.${bytes[at + 2]!}.${bytes[at + 3]!}`;
  }
  const groups: string[] = [];
  for (let i = 0; i < IP_LENGTH; i += 2) {
    groups.push(groupText(bytes, offset + i));
  }
  const [start, length] = longestZeroRun(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/**
 * Address and length of a text in CIDR form such as `10.0.0.1/24` or `2001:db8::1/64`, or undefined for
 * anything else. The length is required; an IPv4 address written in IPv6's mapped form is refused,
 * because its length would count bits of the wrong address.
 */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const addressText = text.slice(0, slash);
  const lengthText = text.slice(slash + 1);
  const address = parseIp(addressText);
  if (address === undefined || !PREFIX_LENGTH_PATTERN.test(lengthText)) return undefined;
  const family = addressText.includes(':') ? 6 : 4;
  if (family === 6 && isIpv4Mapped(address)) return undefined;
  const length = Number(lengthText);
  return length <= (family === 4 ? 32 : 128) ? { address, length, family } : undefined;
}

/** True when the 16 bytes at `offset` hold an IPv4 address. */
export function isIpv4Mapped(bytes: Uint8Array, offset = 0): boolean {
  return (
    zerosUntil(bytes, offset, 10) && bytes[offset + 10] === 0xff && bytes[offset + 11] === 0xff
  );
}

/** True for 224.0.0.0/4 (RFC 5771 §3) and ff00::/8 (RFC 4291 §2.7). */
export function isMulticastIp(bytes: Uint8Array, offset = 0): boolean {
  if (isIpv4Mapped(bytes, offset)) return (bytes[offset + IPV4_MAPPED_OFFSET]! & 0xf0) === 0xe0;
  return bytes[offset] === 0xff;
}

/** True for 0.0.0.0 and `::`. */
export function isUnspecifiedIp(bytes: Uint8Array, offset = 0): boolean {
  if (!isIpv4Mapped(bytes, offset)) return zerosUntil(bytes, offset, IP_LENGTH);
  return zerosUntil(bytes, offset + IPV4_MAPPED_OFFSET, 4);
}

/** True for 127.0.0.0/8 (RFC 1122 §3.2.1.3) and `::1`. */
export function isLoopbackIp(bytes: Uint8Array, offset = 0): boolean {
  if (isIpv4Mapped(bytes, offset)) return bytes[offset + IPV4_MAPPED_OFFSET] === 127;
  return zerosUntil(bytes, offset, IP_LENGTH - 1) && bytes[offset + IP_LENGTH - 1] === 1;
}

/** True for fe80::/10 (RFC 4291 §2.5.6), whose addresses mean nothing without a scope. */
export function isLinkLocalIp6(bytes: Uint8Array, offset = 0): boolean {
  return bytes[offset] === 0xfe && (bytes[offset + 1]! & 0xc0) === 0x80;
}

function zerosUntil(bytes: Uint8Array, offset: number, length: number): boolean {
  for (let i = offset; i < offset + length; i += 1) {
    if (bytes[i] !== 0) return false;
  }
  return true;
}

/** Writes the last 4 bytes from a valid dotted text. */
function writeDotted(bytes: Uint8Array, text: string): void {
  const parts = text.split('.');
  for (let i = 0; i < 4; i += 1) bytes[IPV4_MAPPED_OFFSET + i] = Number(parts[i]);
}

/** Bytes of a text that node:net found to be IPv6 without a scope. */
function ip6Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(IP_LENGTH);
  const colon = text.lastIndexOf(':');
  let hex = text;
  if (text.includes('.', colon)) {
    writeDotted(bytes, text.slice(colon + 1));
    // Two groups stand in for the dotted part, so that the count of groups is right.
    hex = `${text.slice(0, colon + 1)}${groupText(bytes, 12)}:${groupText(bytes, 14)}`;
  }
  const gap = hex.indexOf('::');
  const head = groupsOf(gap < 0 ? hex : hex.slice(0, gap));
  const tail = gap < 0 ? [] : groupsOf(hex.slice(gap + 2));
  writeGroups(bytes, 0, head);
  writeGroups(bytes, (IPV6_GROUPS - tail.length) * 2, tail);
  return bytes;
}

function groupText(bytes: Uint8Array, offset: number): string {
  return ((bytes[offset]! << 8) | bytes[offset + 1]!).toString(16);
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}

function writeGroups(bytes: Uint8Array, offset: number, groups: readonly string[]): void {
  for (let i = 0; i < groups.length; i += 1) {
    const value = parseInt(groups[i]!, 16);
    bytes[offset + 2 * i] = value >>> 8;
    bytes[offset + 2 * i + 1] = value & 0xff;
  }
}

/** First of the longest runs of zero groups (RFC 5952 §4.2.3): its start and length. */
function longestZeroRun(groups: readonly string[]): [start: number, length: number] {
  let best = 0;
  let bestLength = 0;
  let length = 0;
  for (let i = 0; i < groups.length; i += 1) {
    length = groups[i] === '0' ? length + 1 : 0;
    if (length > bestLength) {
      bestLength = length;
      best = i - length + 1;
    }
  }
  return [best, bestLength];
}
