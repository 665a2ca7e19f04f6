/**
 * Frames for tests, written byte by byte and with plain arithmetic: independent of src/wire, so that a
 * mistake there is not made here again.
 */
import { parseIp } from '../../src/wire/ip.ts';

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd } as const;
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const;

const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;
const UDP_HEADER_BYTES = 8;
const TCP_HEADER_BYTES = 20;

export interface EthernetOptions {
  readonly source: string;
  readonly destination: string;
  readonly type: number;
  /** VLAN ids, outermost first. */
  readonly vlans?: readonly number[];
}

export interface IpOptions {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  /** TOS or traffic class. */
  readonly tos?: number;
  /** TTL or hop limit. Default 64. */
  readonly ttl?: number;
  /** IPv6 only. Default 0. */
  readonly flowLabel?: number;
  /** IPv4 only. Default 0. */
  readonly id?: number;
  /** IPv4 only: flags and fragment offset; default DF. */
  readonly fragment?: number;
}

export interface Ports {
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export interface TcpOptions extends Ports {
  readonly sequence: number;
  readonly acknowledgement?: number;
  /** Default ACK. */
  readonly flags?: number;
}

export function macBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

export function ethernet(options: EthernetOptions, payload: Uint8Array): Buffer {
  const tags = (options.vlans ?? []).flatMap((id) => [word16(ETHERTYPE.vlan), word16(id)]);
  return Buffer.concat([
    macBytes(options.destination),
    macBytes(options.source),
    ...tags,
    word16(options.type),
    payload,
  ]);
}

/** An IP packet of the addresses' family around `payload`, which has its checksum already. */
export function ip(options: IpOptions, payload: Uint8Array): Buffer {
  return options.source.includes(':') ? ipv6(options, payload) : ipv4(options, payload);
}

/** An IP packet with a UDP datagram in it. */
export function udp(
  addresses: Omit<IpOptions, 'protocol'>,
  ports: Ports,
  payload: Uint8Array,
): Buffer {
  const header = Buffer.alloc(UDP_HEADER_BYTES);
  header.writeUInt16BE(ports.sourcePort, 0);
  header.writeUInt16BE(ports.destinationPort, 2);
  header.writeUInt16BE(UDP_HEADER_BYTES + payload.length, 4);
  const options = { ...addresses, protocol: PROTOCOL.udp };
  const sum = transportChecksum(options, Buffer.concat([header, payload]));
  header.writeUInt16BE(sum === 0 ? 0xffff : sum, 6);
  return ip(options, Buffer.concat([header, payload]));
}

/** An IP packet with a TCP segment in it. */
export function tcp(
  addresses: Omit<IpOptions, 'protocol'>,
  options: TcpOptions,
  payload: Uint8Array,
): Buffer {
  const header = Buffer.alloc(TCP_HEADER_BYTES);
  header.writeUInt16BE(options.sourcePort, 0);
  header.writeUInt16BE(options.destinationPort, 2);
  header.writeUInt32BE(options.sequence >>> 0, 4);
  header.writeUInt32BE(options.acknowledgement ?? 1, 8);
  header.writeUInt8((TCP_HEADER_BYTES / 4) << 4, 12);
  header.writeUInt8(options.flags ?? 0x10, 13);
  header.writeUInt16BE(0x1000, 14);
  const inside = { ...addresses, protocol: PROTOCOL.tcp };
  header.writeUInt16BE(transportChecksum(inside, Buffer.concat([header, payload])), 16);
  return ip(inside, Buffer.concat([header, payload]));
}

/** An ARP request for `target`. */
export function arpRequest(mac: string, sender: string, target: string): Buffer {
  const fixed = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);
  const payload = Buffer.concat([
    fixed,
    macBytes(mac),
    ipBytes(sender),
    Buffer.alloc(6),
    ipBytes(target),
  ]);
  return ethernet({ source: mac, destination: BROADCAST, type: ETHERTYPE.arp }, payload);
}

/** A datagram for a VTEP: VXLAN header and frame. `flags` are the header's first 32 bits. */
export function vxlan(vni: number, frame: Uint8Array, flags = 0x0800_0000, reserved = 0): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(flags >>> 0, 0);
  header.writeUInt32BE(((vni << 8) | reserved) >>> 0, 4);
  return Buffer.concat([header, frame]);
}

/** What a VNI-checking test needs most: a small UDP frame from one MAC to another. */
export function udpFrame(source: string, destination: string, text: string, flow = 1): Buffer {
  const addresses = { source: '10.0.0.201', destination: '10.0.0.202' };
  const ports = { sourcePort: 20_000 + flow, destinationPort: 7 };
  const packet = udp(addresses, ports, Buffer.from(text));
  return ethernet({ source, destination, type: ETHERTYPE.ipv4 }, packet);
}

/** Folded ones'-complement sum of 16-bit words, RFC 1071. */
export function onesSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) {
    sum += (bytes[index]! << 8) | (bytes[index + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** Sum of the pseudo-header: what a stack leaves in the field for the device to finish. */
export function pseudoSum(options: IpOptions, length: number): number {
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(length, 0);
  tail.writeUInt32BE(options.protocol, 4);
  return onesSum(Buffer.concat([ipBytes(options.source), ipBytes(options.destination), tail]));
}

function transportChecksum(options: IpOptions, segment: Buffer): number {
  const pseudo = word16(pseudoSum(options, segment.length));
  return ~onesSum(Buffer.concat([pseudo, segment])) & 0xffff;
}

function ipv4(options: IpOptions, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(IPV4_HEADER_BYTES);
  header.writeUInt8(0x45, 0);
  header.writeUInt8(options.tos ?? 0, 1);
  header.writeUInt16BE(IPV4_HEADER_BYTES + payload.length, 2);
  header.writeUInt16BE(options.id ?? 0, 4);
  header.writeUInt16BE(options.fragment ?? 0x4000, 6);
  header.writeUInt8(options.ttl ?? 64, 8);
  header.writeUInt8(options.protocol, 9);
  ipBytes(options.source).copy(header, 12);
  ipBytes(options.destination).copy(header, 16);
  header.writeUInt16BE(~onesSum(header) & 0xffff, 10);
  return Buffer.concat([header, payload]);
}

function ipv6(options: IpOptions, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(IPV6_HEADER_BYTES);
  const label = options.flowLabel ?? 0;
  header.writeUInt32BE(((6 << 28) | ((options.tos ?? 0) << 20) | label) >>> 0, 0);
  header.writeUInt16BE(payload.length, 4);
  header.writeUInt8(options.protocol, 6);
  header.writeUInt8(options.ttl ?? 64, 7);
  ipBytes(options.source).copy(header, 8);
  ipBytes(options.destination).copy(header, 24);
  return Buffer.concat([header, payload]);
}

/** 4 or 16 bytes. */
function ipBytes(text: string): Buffer {
  const bytes = Buffer.from(parseIp(text)!);
  return text.includes(':') ? bytes : bytes.subarray(12);
}

function word16(value: number): Buffer {
  return Buffer.from([value >>> 8, value & 0xff]);
}
