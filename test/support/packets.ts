/**
 * Frames for tests of the data path, built by an implementation of their own: slow, byte by byte, and
 * sharing nothing with src/, so that a mistake there does not cancel out. dissect.ts takes them apart.
 */

export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;
export const TCP_CWR = 0x80;

export interface VlanTag {
  readonly tpid?: number;
  readonly priority?: number;
  readonly id: number;
}

/** How a transport checksum is written: right, off by one, only the pseudo-header's sum, or 0. */
export type ChecksumState = 'right' | 'wrong' | 'partial' | 'none';

export interface EthernetSpec {
  readonly destination?: string;
  readonly source?: string;
  readonly vlans?: readonly VlanTag[];
  /** Bytes behind the IP packet, as Ethernet pads short frames. */
  readonly padding?: Uint8Array;
}

export interface IpSpec extends EthernetSpec {
  readonly family?: 4 | 6;
  readonly sourceIp?: string;
  readonly destinationIp?: string;
  /** TOS or traffic class. */
  readonly tos?: number;
  readonly ttl?: number;
  readonly id?: number;
  readonly dontFragment?: boolean;
  readonly moreFragments?: boolean;
  /** In units of 8 bytes. */
  readonly fragmentOffset?: number;
  /** IPv4 options, a multiple of 4 bytes. */
  readonly ipOptions?: Uint8Array;
  readonly flowLabel?: number;
  /** IPv6 extension headers, the first byte of each left for the next header: [number, bytes]. */
  readonly extensions?: readonly (readonly [number, Uint8Array])[];
  readonly wrongIpChecksum?: boolean;
}

export interface TransportSpec extends IpSpec {
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly payload?: Uint8Array;
  readonly checksum?: ChecksumState;
}

export interface TcpSpec extends TransportSpec {
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly flags?: number;
  /** The low four bits of the byte with the data offset. */
  readonly reserved?: number;
  readonly window?: number;
  /** A multiple of 4 bytes, at most 40. */
  readonly options?: Uint8Array;
}

const MAC_A = '02:00:00:00:00:0a';
const MAC_B = '02:00:00:00:00:0b';

/** `length` bytes that differ from each other and from those of another `seed`. */
export function bytesOf(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761) >>> 0;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Ones'-complement sum of big-endian words, RFC 1071 as it stands there; an odd last byte is padded. */
export function naiveSum(...parts: readonly Uint8Array[]): number {
  const bytes = concat(...parts);
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) {
    sum += bytes[index]! * 256 + (bytes[index + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

export function naiveChecksum(...parts: readonly Uint8Array[]): number {
  return 0xffff - naiveSum(...parts);
}

export function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (digits) => parseInt(digits, 16));
}

/** 4 or 16 bytes; IPv6 with at most one `::` and no dots. */
export function ipBytes(text: string): Uint8Array {
  if (text.includes('.')) return Uint8Array.from(text.split('.'), Number);
  const [left = '', right] = text.split('::');
  const words = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((digits) => parseInt(digits, 16));
  const head = words(left);
  const tail = words(right ?? '');
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Uint8Array.from(all.flatMap((value) => [value >> 8, value & 0xff]));
}

export function ethernetFrame(
  spec: EthernetSpec,
  etherType: number,
  payload: Uint8Array,
): Uint8Array {
  const tags = (spec.vlans ?? []).map(({ tpid = 0x8100, priority = 0, id }) =>
    concat(word(tpid), word(priority * 0x2000 + id)),
  );
  const macs = [macBytes(spec.destination ?? MAC_B), macBytes(spec.source ?? MAC_A)];
  return concat(...macs, ...tags, word(etherType), payload, spec.padding ?? new Uint8Array());
}

export function arpFrame(spec: EthernetSpec = {}): Uint8Array {
  const sender = concat(macBytes(spec.source ?? MAC_A), ipBytes('10.0.0.1'));
  const target = concat(new Uint8Array(6), ipBytes('10.0.0.2'));
  const body = concat(word(1), word(0x0800), Uint8Array.of(6, 4), word(1), sender, target);
  return ethernetFrame({ destination: 'ff:ff:ff:ff:ff:ff', ...spec }, 0x0806, body);
}

/** An IP packet of any protocol in its frame. */
export function ipFrame(spec: IpSpec, protocol: number, body: Uint8Array): Uint8Array {
  if (spec.family === 6) return ethernetFrame(spec, 0x86dd, ipv6Packet(spec, protocol, body));
  return ethernetFrame(spec, 0x0800, ipv4Packet(spec, protocol, body));
}

export function icmpFrame(spec: TransportSpec = {}): Uint8Array {
  const echo = concat(Uint8Array.of(8, 0, 0, 0), word(7), word(1), spec.payload ?? bytesOf(56));
  new DataView(echo.buffer).setUint16(2, naiveChecksum(echo));
  return ipFrame(spec, 1, echo);
}

export function udpFrame(spec: TransportSpec = {}): Uint8Array {
  const payload = spec.payload ?? bytesOf(32);
  const body = concat(portsOf(spec), word(8 + payload.length), word(0), payload);
  const right = naiveChecksum(pseudoHeader(spec, 17, body.length), body);
  writeChecksum(spec, 17, body, 6, right === 0 ? 0xffff : right);
  return ipFrame(spec, 17, body);
}

export function tcpFrame(spec: TcpSpec = {}): Uint8Array {
  const options = spec.options ?? new Uint8Array();
  const head = concat(
    portsOf(spec),
    long(spec.sequence ?? 1),
    long(spec.acknowledgment ?? 1),
    Uint8Array.of((5 + options.length / 4) * 16 + (spec.reserved ?? 0), spec.flags ?? TCP_ACK),
    word(spec.window ?? 5000),
    long(0),
    options,
  );
  const body = concat(head, spec.payload ?? bytesOf(100));
  writeChecksum(spec, 6, body, 16, naiveChecksum(pseudoHeader(spec, 6, body.length), body));
  return ipFrame(spec, 6, body);
}

/** Two bytes of payload for which the right UDP checksum comes out as 0. */
export function zeroChecksumPayload(spec: TransportSpec = {}): Uint8Array {
  const body = concat(portsOf(spec), word(10), long(0));
  return word(naiveChecksum(pseudoHeader(spec, 17, body.length), body));
}

/** A VXLAN datagram's payload: header and frame. `flags` and `reserved` are its odd bytes. */
export function vxlanDatagram(
  vni: number,
  frame: Uint8Array,
  { flags = 0x08, reserved = 0 } = {},
): Uint8Array {
  return concat(Uint8Array.of(flags, 0, 0, 0), long(vni * 256 + reserved), frame);
}

/** The addresses, protocol and length that a transport checksum covers besides the packet. */
export function pseudoHeader(spec: IpSpec, protocol: number, length: number): Uint8Array {
  const { source, destination } = addressesOf(spec);
  if (spec.family === 6)
    return concat(source, destination, long(length), Uint8Array.of(0, 0, 0, protocol));
  return concat(source, destination, Uint8Array.of(0, protocol), word(length));
}

function addressesOf(spec: IpSpec): { source: Uint8Array; destination: Uint8Array } {
  const six = spec.family === 6;
  return {
    source: ipBytes(spec.sourceIp ?? (six ? 'fd00::1' : '10.0.0.1')),
    destination: ipBytes(spec.destinationIp ?? (six ? 'fd00::2' : '10.0.0.2')),
  };
}

function portsOf(spec: TransportSpec): Uint8Array {
  return concat(word(spec.sourcePort ?? 1000), word(spec.destinationPort ?? 2000));
}

function ipv4Packet(spec: IpSpec, protocol: number, body: Uint8Array): Uint8Array {
  const { source, destination } = addressesOf(spec);
  const options = spec.ipOptions ?? new Uint8Array();
  const flags = (spec.dontFragment === false ? 0 : 0x4000) + (spec.moreFragments ? 0x2000 : 0);
  const header = concat(
    Uint8Array.of(0x45 + options.length / 4, spec.tos ?? 0),
    word(20 + options.length + body.length),
    word(spec.id ?? 0),
    word(flags + (spec.fragmentOffset ?? 0)),
    Uint8Array.of(spec.ttl ?? 64, protocol, 0, 0),
    source,
    destination,
    options,
  );
  const checksum = naiveChecksum(header) ^ (spec.wrongIpChecksum ? 0x0101 : 0);
  new DataView(header.buffer).setUint16(10, checksum);
  return concat(header, body);
}

function ipv6Packet(spec: IpSpec, protocol: number, body: Uint8Array): Uint8Array {
  const { source, destination } = addressesOf(spec);
  const chain = spec.extensions ?? [];
  const extensions = chain.map(([, bytes], index) => {
    const copy = Uint8Array.from(bytes);
    copy[0] = chain[index + 1]?.[0] ?? protocol;
    return copy;
  });
  const payload = concat(...extensions, body);
  const first = 0x6000_0000 + (spec.tos ?? 0) * 0x10_0000 + (spec.flowLabel ?? 0);
  const next = Uint8Array.of(chain[0]?.[0] ?? protocol, spec.ttl ?? 64);
  return concat(long(first), word(payload.length), next, source, destination, payload);
}

function writeChecksum(
  spec: TransportSpec,
  protocol: number,
  body: Uint8Array,
  field: number,
  right: number,
): void {
  const pseudo = naiveSum(pseudoHeader(spec, protocol, body.length));
  const values = { right, wrong: right ^ 0x0101, partial: pseudo, none: 0 };
  new DataView(body.buffer).setUint16(field, values[spec.checksum ?? 'right']);
}

function word(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 0xff, value & 0xff);
}

function long(value: number): Uint8Array {
  return concat(word(Math.floor(value / 0x1_0000)), word(value % 0x1_0000));
}
