import {
  formatIp,
  isIpv4Mapped,
  isLinkLocalIp6,
  isMulticastIp,
  isUnspecifiedIp,
  parseIp,
  parsePrefix,
} from '../wire/ip.ts';
import type { OverlayAddress, UnderlayAddress } from './config.ts';

/** Why a text is not an address; continues a sentence that begins with the text. */
export interface Refusal {
  readonly refused: string;
}

/**
 * A VTEP's address from its text, `fe80::1%eth0` included, or the reason why it cannot be one.
 * Whether the interface exists is for the daemon to find out.
 */
export function parseUnderlayAddress(
  text: string,
  use: 'local' | 'remote',
): UnderlayAddress | Refusal {
  const percent = text.indexOf('%');
  const bare = percent === -1 ? text : text.slice(0, percent);
  const interfaceName = percent === -1 ? undefined : text.slice(percent + 1);
  const bytes = parseIp(bare);
  if (bytes === undefined) return { refused: notAnAddress(text) };
  const refused = unusable(bytes, use) ?? scopeRefusal(bytes, interfaceName);
  if (refused !== undefined) return { refused };
  const canonical = formatIp(bytes);
  return {
    text: interfaceName === undefined ? canonical : `${canonical}%${interfaceName}`,
    bytes,
    family: isIpv4Mapped(bytes) ? 4 : 6,
    interfaceName,
  };
}

/** A multicast group's address from its text, or the reason why it cannot be one. */
export function parseGroup(text: string): UnderlayAddress | Refusal {
  const percent = text.indexOf('%');
  const bytes = parseIp(percent === -1 ? text : text.slice(0, percent));
  if (bytes === undefined || !isMulticastIp(bytes)) {
    return { refused: `is not a multicast address; ${GROUP}` };
  }
  const canonical = formatIp(bytes);
  if (percent !== -1) {
    return {
      refused: `names an interface; allowed: ${canonical}, the interface has the key "link"`,
    };
  }
  const family = isIpv4Mapped(bytes) ? 4 : 6;
  // ff00::/16 is reserved, ff01::/16 does not leave the host (RFC 4291 section 2.7).
  if (family === 6 && (bytes[1]! & 0xf) < 2) {
    return { refused: `is a multicast address that never leaves the host; ${GROUP}` };
  }
  return { text: canonical, bytes, family, interfaceName: undefined };
}

/** A TAP device's address from its text, or the reason why it cannot be one. */
export function parseOverlayAddress(text: string): OverlayAddress | Refusal {
  const prefix = parsePrefix(text);
  if (prefix === undefined) {
    const bytes = parseIp(text);
    if (bytes === undefined)
      return { refused: `is not an address with its prefix length; ${CIDR}` };
    const example = `${formatIp(bytes)}/${isIpv4Mapped(bytes) ? 24 : 64}`;
    return { refused: `has no prefix length; allowed: for example ${example}` };
  }
  if (isMulticastIp(prefix.address)) return { refused: `is a multicast address; ${CIDR}` };
  if (isUnspecifiedIp(prefix.address)) return { refused: `is the unspecified address; ${CIDR}` };
  return {
    text: `${formatIp(prefix.address)}/${prefix.length}`,
    bytes: prefix.address,
    prefixLength: prefix.length,
    family: prefix.family,
  };
}

function unusable(bytes: Uint8Array, use: 'local' | 'remote'): string | undefined {
  if (isMulticastIp(bytes)) {
    const hint = use === 'remote' ? ' (a multicast group has the key "group")' : '';
    return `is a multicast address; ${UNICAST}${hint}`;
  }
  if (isUnspecifiedIp(bytes)) {
    const elsewise = use === 'local' ? ', or no "local" to listen on all addresses' : '';
    return `is the unspecified address; ${UNICAST}${elsewise}`;
  }
  if (isBroadcast(bytes)) return `is the broadcast address; ${UNICAST}`;
  return undefined;
}

function scopeRefusal(bytes: Uint8Array, interfaceName: string | undefined): string | undefined {
  const address = formatIp(bytes);
  if (isLinkLocalIp6(bytes)) {
    if (interfaceName !== undefined && INTERFACE.test(interfaceName)) return undefined;
    const example = `${address}%eth0`;
    return `is link-local and needs the name of its interface; allowed: for example ${example}`;
  }
  if (interfaceName === undefined) return undefined;
  return `is not link-local, so it takes no interface; allowed: ${address}`;
}

/** Looks for what people mean when they write something that is not a bare address. */
function notAnAddress(text: string): string {
  const prefix = parsePrefix(text);
  if (prefix !== undefined) {
    return `has a prefix length; allowed: the address alone, ${formatIp(prefix.address)}`;
  }
  const withPort = BRACKETED.exec(text) ?? IPV4_WITH_PORT.exec(text);
  const bytes = withPort === null ? undefined : parseIp(withPort[1]!);
  if (bytes !== undefined) {
    const elsewhere = withPort![2] === undefined ? '' : '; the port has a setting of its own';
    return `is more than an address; allowed: ${formatIp(bytes)}${elsewhere}`;
  }
  return `is not an IP address; ${UNICAST}`;
}

function isBroadcast(bytes: Uint8Array): boolean {
  return isIpv4Mapped(bytes) && bytes.subarray(12).every((byte) => byte === 255);
}

const UNICAST = 'allowed: a unicast IPv4 or IPv6 address';
const GROUP = 'allowed: for example 239.1.1.1 or ff05::100';
const CIDR = 'allowed: for example 10.0.0.1/24 or 2001:db8::1/64';
const INTERFACE = /^[^\s/:%@]{1,15}$/;
const BRACKETED = /^\[([0-9a-f:.]+)\](:\d+)?$/i;
const IPV4_WITH_PORT = /^([0-9.]+)(:\d+)$/;
