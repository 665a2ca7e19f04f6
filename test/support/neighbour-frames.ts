/** Frames of ARP and neighbour discovery, built byte by byte like those of packets.ts. */
import {
  concat,
  ethernetFrame,
  type EthernetSpec,
  ipBytes,
  ipFrame,
  macBytes,
  naiveChecksum,
  pseudoHeader,
} from './packets.ts';

export const MAC_A = '02:00:00:00:00:0a';
export const MAC_B = '02:00:00:00:00:0b';
export const BROADCAST = 'ff:ff:ff:ff:ff:ff';

export interface ArpSpec extends EthernetSpec {
  readonly operation?: number;
  readonly senderMac?: string;
  readonly senderIp?: string;
  readonly targetMac?: string;
  readonly targetIp?: string;
  /** Hardware type, protocol type and both lengths. */
  readonly head?: Uint8Array;
}

/** By default a request of MAC_A and 10.0.0.1 for 10.0.0.2. */
export function arp(spec: ArpSpec = {}): Uint8Array {
  const { operation = 1, senderIp = '10.0.0.1', targetIp = '10.0.0.2' } = spec;
  const body = concat(
    spec.head ?? Uint8Array.of(0, 1, 8, 0, 6, 4),
    Uint8Array.of(operation >> 8, operation & 0xff),
    macBytes(spec.senderMac ?? spec.source ?? MAC_A),
    ipBytes(senderIp),
    macBytes(spec.targetMac ?? '00:00:00:00:00:00'),
    ipBytes(targetIp),
  );
  return ethernetFrame({ destination: BROADCAST, source: MAC_A, ...spec }, 0x0806, body);
}

export interface NdSpec extends EthernetSpec {
  readonly type?: number;
  readonly code?: number;
  /** R, S and O. */
  readonly flags?: number;
  readonly sourceIp?: string;
  readonly destinationIp?: string;
  readonly target?: string;
  readonly options?: Uint8Array;
  readonly hopLimit?: number;
  readonly wrongChecksum?: boolean;
  readonly extensions?: readonly (readonly [number, Uint8Array])[];
}

/** A link-layer address option: type 1 of the source, 2 of the target. */
export function linkLayer(type: number, mac: string): Uint8Array {
  return concat(Uint8Array.of(type, 1), macBytes(mac));
}

/** By default a solicitation of MAC_A and fd00::1 for fd00::2, with its source link-layer option. */
export function solicitation(spec: NdSpec = {}): Uint8Array {
  const options = linkLayer(1, spec.source ?? MAC_A);
  const to = { destination: '33:33:ff:00:00:02', destinationIp: 'ff02::1:ff00:2' };
  return message({ type: 135, source: MAC_A, target: 'fd00::2', options, ...to, ...spec });
}

/** By default what answers {@link solicitation}: from MAC_B and fd00::2, solicited and overriding. */
export function advertisement(spec: NdSpec = {}): Uint8Array {
  const options = linkLayer(2, spec.source ?? MAC_B);
  const from = { source: MAC_B, sourceIp: 'fd00::2', destination: MAC_A, destinationIp: 'fd00::1' };
  return message({ type: 136, flags: 0x60, target: 'fd00::2', options, ...from, ...spec });
}

function message(spec: NdSpec): Uint8Array {
  const { type = 135, code = 0, flags = 0, options = new Uint8Array(), hopLimit = 255 } = spec;
  const icmp = concat(
    Uint8Array.of(type, code, 0, 0, flags, 0, 0, 0),
    ipBytes(spec.target ?? 'fd00::2'),
    options,
  );
  const ip = { family: 6 as const, ttl: hopLimit, ...spec };
  const right = naiveChecksum(pseudoHeader(ip, 58, icmp.length), icmp);
  new DataView(icmp.buffer).setUint16(2, right ^ (spec.wrongChecksum ? 0x0101 : 0));
  return ipFrame(ip, 58, icmp);
}
