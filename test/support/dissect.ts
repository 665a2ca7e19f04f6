/** Takes frames apart for tests, independently of src/; see packets.ts. */
import { concat, naiveSum } from './packets.ts';

export interface Dissected {
  readonly destination: string;
  readonly source: string;
  /** TPID and tag, 32 bits each. */
  readonly vlans: readonly number[];
  readonly etherType: number;
  readonly family: 0 | 4 | 6;
  readonly tos: number;
  readonly ttl: number;
  readonly id: number;
  readonly fragment: number;
  /** Length of the IP packet as its header says. */
  readonly ipLength: number;
  readonly ipChecksumValid: boolean;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly udpLength: number;
  readonly checksum: number;
  readonly checksumValid: boolean;
  /** Length of all headers. */
  readonly headers: number;
  readonly payload: Uint8Array;
  /** What lies behind the IP packet. */
  readonly padding: Uint8Array;
}

export function dissect(frame: Uint8Array): Dissected {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const vlans: number[] = [];
  let at = 12;
  while (vlans.length < 2 && [0x8100, 0x88a8].includes(view.getUint16(at))) {
    vlans.push(view.getUint32(at));
    at += 4;
  }
  const etherType = view.getUint16(at);
  at += 2;
  const base = {
    ...{ destination: mac(frame.subarray(0, 6)), source: mac(frame.subarray(6, 12)), vlans },
    ...{ etherType, family: 0 as const, tos: 0, ttl: 0, id: 0, fragment: 0, ipLength: 0 },
    ...{ ipChecksumValid: true, protocol: -1, sourcePort: 0, destinationPort: 0, sequence: 0 },
    ...{ acknowledgment: 0, flags: 0, udpLength: 0, checksum: 0, checksumValid: true },
    ...{ headers: at, payload: frame.subarray(at), padding: new Uint8Array() },
  };
  if (etherType === 0x0800) return { ...base, ...dissectIpv4(frame, view, at) };
  if (etherType === 0x86dd) return { ...base, ...dissectIpv6(frame, view, at) };
  return base;
}

function dissectIpv4(frame: Uint8Array, view: DataView, l3: number): Partial<Dissected> {
  const headerLength = (frame[l3]! & 15) * 4;
  const ipLength = view.getUint16(l3 + 2);
  const protocol = frame[l3 + 9]!;
  const l4 = l3 + headerLength;
  const end = l3 + ipLength;
  const pseudo = concat(
    frame.subarray(l3 + 12, l3 + 20),
    Uint8Array.of(0, protocol, (end - l4) >> 8, (end - l4) & 255),
  );
  return {
    family: 4,
    tos: frame[l3 + 1]!,
    ttl: frame[l3 + 8]!,
    id: view.getUint16(l3 + 4),
    fragment: view.getUint16(l3 + 6),
    ipLength,
    ipChecksumValid: naiveSum(frame.subarray(l3, l4)) === 0xffff,
    ...dissectTransport(frame, view, protocol, l4, end, pseudo),
  };
}

function dissectIpv6(frame: Uint8Array, view: DataView, l3: number): Partial<Dissected> {
  const end = l3 + 40 + view.getUint16(l3 + 4);
  let protocol = frame[l3 + 6]!;
  let l4 = l3 + 40;
  while ([0, 43, 60].includes(protocol)) {
    protocol = frame[l4]!;
    l4 += 8 + frame[l4 + 1]! * 8;
  }
  const length = end - l4;
  const pseudo = concat(
    frame.subarray(l3 + 8, l3 + 40),
    Uint8Array.of(0, 0, length >> 8, length & 255, 0, 0, 0, protocol),
  );
  return {
    family: 6,
    tos: (view.getUint16(l3) >> 4) & 255,
    ttl: frame[l3 + 7]!,
    ipLength: end - l3,
    ...dissectTransport(frame, view, protocol, l4, end, pseudo),
  };
}

function dissectTransport(
  frame: Uint8Array,
  view: DataView,
  protocol: number,
  l4: number,
  end: number,
  pseudo: Uint8Array,
): Partial<Dissected> {
  const padding = frame.subarray(end);
  if (protocol !== 6 && protocol !== 17)
    return { protocol, headers: l4, payload: frame.subarray(l4, end), padding };
  const tcp = protocol === 6;
  const headers = l4 + (tcp ? (frame[l4 + 12]! >> 4) * 4 : 8);
  const checksum = view.getUint16(l4 + (tcp ? 16 : 6));
  const absent = !tcp && checksum === 0;
  return {
    protocol,
    sourcePort: view.getUint16(l4),
    destinationPort: view.getUint16(l4 + 2),
    sequence: tcp ? view.getUint32(l4 + 4) : 0,
    acknowledgment: tcp ? view.getUint32(l4 + 8) : 0,
    flags: tcp ? frame[l4 + 13]! : 0,
    udpLength: tcp ? 0 : view.getUint16(l4 + 4),
    checksum,
    checksumValid: absent || naiveSum(pseudo, frame.subarray(l4, end)) === 0xffff,
    headers,
    payload: frame.subarray(headers, end),
    padding,
  };
}

function mac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
