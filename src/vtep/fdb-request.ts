import { VtepError } from '../base/errors.ts';
import type { RemoteKey } from '../fdb/remotes.ts';
import { isLinkLocalIp6, isIpv4Mapped, isUnspecifiedIp, parseIp } from '../wire/ip.ts';
import { parseMac } from '../wire/mac.ts';
import type { Mac } from '../wire/mac.ts';
import type { InterfaceDirectory, TunnelDirectory, TunnelInfo } from './tunnel-directory.ts';

/** The verbs that change single entries; iproute2's words. */
export type FdbVerb = 'add' | 'append' | 'replace' | 'del';

/** iproute2's words for an entry's state; `dynamic` ages, the others never do. */
export type FdbStateWord = 'dynamic' | 'static' | 'permanent';

/**
 * One entry as a user writes it: text, not yet judged.
 * `port` and `vni` default to the tunnel's, `state` to `permanent`; `srcVni` may only repeat the tunnel's.
 */
export interface FdbRequest {
  readonly mac: string;
  readonly dev: string;
  readonly dst?: string | undefined;
  readonly port?: number | undefined;
  readonly vni?: number | undefined;
  readonly srcVni?: number | undefined;
  /** A VLAN of the device that is a tunnel of its own. */
  readonly vlan?: number | undefined;
  readonly via?: string | undefined;
  readonly state?: FdbStateWord | undefined;
}

/** The tunnel called `name`, or that of a VLAN of it, or ERR_NOT_FOUND. */
export function requireTunnel(tunnels: TunnelDirectory, name: string, vlan?: number): TunnelInfo {
  const tunnel = tunnels.byName(name, vlan);
  if (tunnel !== undefined) return tunnel;
  if (vlan !== undefined && tunnels.byName(name) !== undefined) {
    const vlans = tunnels.vlansOf(name).map((known) => known.vlan);
    throw new VtepError('ERR_NOT_FOUND', `Cannot find VLAN ${vlan} of "${name}"`, {
      hint:
        vlans.length === 0
          ? 'the device has no VLANs of its own; leave vlan out'
          : `its VLANs: ${vlans.slice(0, 10).join(', ')}`,
    });
  }
  const names = [...new Set(tunnels.all().map((known) => known.name))];
  throw new VtepError('ERR_NOT_FOUND', `Cannot find device "${name}"`, {
    hint:
      names.length === 0
        ? 'this daemon has no tunnels'
        : `this daemon's tunnels: ${names.slice(0, 10).join(', ')}`,
  });
}

/** What of a filter says which device is meant, or which VLAN of it; without `vlan`, all of the device. */
export function deviceFilter(
  tunnels: TunnelDirectory,
  name: string,
  vlan: number | undefined,
): { tunnel: TunnelInfo; vlanVnis?: ReadonlySet<number> } {
  const tunnel = requireTunnel(tunnels, name, vlan);
  const vlans = vlan === undefined ? tunnels.vlansOf(name) : [];
  return vlans.length === 0
    ? { tunnel }
    : { tunnel, vlanVnis: new Set(vlans.map(({ vni }) => vni)) };
}

/** The MAC written as `text`, or ERR_USAGE. */
export function requireMac(text: string): Mac {
  const mac = parseMac(text);
  if (mac !== undefined) return mac;
  throw new VtepError('ERR_USAGE', `Cannot parse the MAC address "${text}"`, {
    hint: 'write six bytes in hexadecimal, for example 52:54:00:3f:e6:43',
  });
}

/** The IP address written as `text` as 16 bytes, or ERR_USAGE; `word` is the keyword it stood behind. */
export function requireIp(text: string, word: string): Uint8Array {
  const address = parseIp(text);
  if (address !== undefined) return address;
  throw new VtepError('ERR_USAGE', `Cannot parse the IP address "${text}" of "${word}"`, {
    hint: 'write an IPv4 or IPv6 address, for example 192.168.120.20 or 2001:db8::20',
  });
}

/** Refuses a `src_vni` that is not the tunnel's VNI, since a tunnel carries one VNI only. */
export function checkSourceVni(tunnel: TunnelInfo, srcVni: number | undefined): void {
  if (srcVni === undefined || srcVni === tunnel.vni) return;
  throw new VtepError(
    'ERR_USAGE',
    `Cannot use src_vni ${srcVni} on "${tunnel.name}", whose VNI is ${tunnel.vni}`,
    { hint: 'leave src_vni out, or name the device that carries this VNI' },
  );
}

/**
 * The remote a request's `dst`, `port`, `vni` and `via` name, with the tunnel's values where it is silent.
 *
 * `via` names an interface that must exist, by which the datagrams leave. Where the tunnel has a local IPv6
 * address, Linux follows the route all the same unless the destination is link-local.
 */
export function remoteKeyOf(
  tunnel: TunnelInfo,
  request: FdbRequest,
  interfaces: InterfaceDirectory,
): RemoteKey {
  const dst = request.dst ?? '';
  const address = requireIp(dst, 'dst');
  checkDestination(tunnel, dst, address, request.via);
  let scope = 0;
  if (request.via !== undefined) {
    const index = interfaces.indexOf(request.via);
    if (index === undefined) {
      throw new VtepError('ERR_NOT_FOUND', `Cannot find device "${request.via}" of "via"`);
    }
    scope = index;
  }
  return {
    tunnel: tunnel.index,
    address,
    scope,
    port: request.port ?? tunnel.port,
    vni: request.vni ?? tunnel.vni,
  };
}

function checkDestination(
  tunnel: TunnelInfo,
  dst: string,
  address: Uint8Array,
  via: string | undefined,
): void {
  const ipv4 = isIpv4Mapped(address);
  if (isUnspecifiedIp(address) || (ipv4 && address[12] === 0)) {
    throw new VtepError('ERR_USAGE', `Cannot send to the unspecified address "${dst}"`, {
      hint: 'name the address of the other VTEP behind dst',
    });
  }
  if (isMulticastBytes(address, ipv4)) {
    throw new VtepError('ERR_USAGE', `Cannot send to the multicast group "${dst}"`, {
      hint: 'a tunnel joins its group with the key "group"; append one dst per remote',
    });
  }
  if (ipv4 ? !tunnel.family4 : !tunnel.family6) {
    const family = ipv4 ? 'IPv4' : 'IPv6';
    const other = ipv4 ? 'IPv6' : 'IPv4';
    throw new VtepError(
      'ERR_USAGE',
      `Cannot reach the ${family} address "${dst}" from "${tunnel.name}"`,
      { hint: `the tunnel's local address is ${other}; use an ${other} dst` },
    );
  }
  if (!ipv4 && isLinkLocalIp6(address) && via === undefined) {
    throw new VtepError('ERR_USAGE', `Cannot reach the link-local address "${dst}" without "via"`, {
      hint: 'name the underlay interface, for example via eth0',
    });
  }
}

function isMulticastBytes(address: Uint8Array, ipv4: boolean): boolean {
  return ipv4 ? address[12]! >= 0xe0 : address[0] === 0xff;
}
