/**
 * A mix of frames, always the same, for tests that send it along two ways and compare. Each flow has a
 * source MAC of its own, so that what arrives can be sorted by flow: order holds within one only.
 */
import {
  arpRequest,
  ethernet,
  ETHERTYPE,
  type IpOptions,
  onesSum,
  PROTOCOL,
  pseudoSum,
  tcp,
  udp,
} from './frames.ts';

/** Of every frame of the mix; nobody has it, so that a bridge floods it. */
export const DESTINATION = '02:bb:00:00:00:01';
/** Begin of all source MACs, as a filter of tcpdump's sees it. */
export const MIX_FILTER = 'ether[6:4] = 0x02aa0000';

const MSS = 1_360;
const VNET_BYTES = 10;
const ACK = 0x10;
const PSH_ACK = 0x18;
const FIN_PSH_ACK = 0x19;
const ETHERNET_BYTES = 14;

const V4 = { source: '10.9.0.1', destination: '10.9.0.2' };
const V6 = { source: 'fd09::1', destination: 'fd09::2' };

export function flowMac(flow: number): string {
  return `02:aa:00:00:00:${flow.toString(16).padStart(2, '0')}`;
}

/** Frames by source MAC, hexadecimal, each flow in its order. */
export function byFlow(frames: readonly Uint8Array[]): Record<string, string[]> {
  const flows: Record<string, string[]> = {};
  for (const frame of frames) {
    const hex = Buffer.from(frame).toString('hex');
    (flows[hex.slice(12, 24)] ??= []).push(hex);
  }
  return flows;
}

/** Ordinary frames with whole checksums: what a wire carries. Some TCP flows invite coalescing. */
export function wireFrames(): Buffer[] {
  const frames: Buffer[] = [];
  for (let round = 0; round < 24; round += 1) {
    const last = round % 8 === 7;
    // Two flows that could be merged, interleaved, with IDs that count as a sender's stack counts them.
    frames.push(tcpSegment(1, V4, round, last ? PSH_ACK : ACK));
    frames.push(tcpSegment(2, V6, round, ACK));
    if (round % 4 === 0) frames.push(udpOf(3, V4, 100 + round));
    if (round % 4 === 1) frames.push(udpOf(4, V6, 1_300));
  }
  frames.push(
    ...Array.from({ length: 8 }, (_, index) => damaged(tcpSegment(5, V4, index, ACK))),
    ...Array.from({ length: 8 }, (_, index) => tcpSegment(6, V4, index, ACK, [100])),
    ...Array.from({ length: 4 }, (_, index) => tcpSegment(7, V6, index, ACK, [100, 200])),
    // Every second one is missing, then the first ones come again.
    ...[0, 2, 4, 0, 1].map((index) => tcpSegment(8, V4, index, ACK)),
    arpRequest(flowMac(9), '10.9.0.1', '10.9.0.2'),
    ...fragments(10),
    udpOf(11, V4, 0),
    padded(udpOf(12, V4, 1)),
    udpOf(13, { ...V4, tos: 0xb8 }, 64),
    ethernet({ source: flowMac(14), destination: DESTINATION, type: 0x88b5 }, bytes(200)),
    ethernet({ source: flowMac(15), destination: DESTINATION, type: ETHERTYPE.ipv4 }, bytes(40)),
  );
  return frames;
}

/** `count` equal frames of one flow, for one send that the kernel cuts into datagrams. */
export function train(flow: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => tcpSegment(flow, V4, index, ACK));
}

/**
 * What a stack hands to a device that does its work for it, each behind its virtio_net_hdr: super-frames
 * of TCP and UDP, and frames whose checksum is left to the device.
 */
export function deviceFrames(): Buffer[] {
  const frames: Buffer[] = [];
  const payload = bytes(9 * MSS + 333);
  for (const [flow, addresses] of [
    [31, V4],
    [32, V6],
  ] as const) {
    const ports = { sourcePort: 40_000 + flow, destinationPort: 80, sequence: 0xffff_f000 };
    for (const [index, flags] of [ACK, PSH_ACK, FIN_PSH_ACK].entries()) {
      const options = { ...ports, sequence: ports.sequence + index * payload.length, flags };
      const packet = tcp({ ...addresses, id: 100 + 20 * index }, options, payload);
      const gsoType = addresses === V4 ? 1 : 4;
      frames.push(unfinished(flow, addresses, packet, { gsoType, gsoSize: MSS }));
    }
  }
  for (const [flow, addresses] of [
    [33, V4],
    [34, V6],
  ] as const) {
    const ports = { sourcePort: 40_000 + flow, destinationPort: 443 };
    const whole = udp({ ...addresses, id: 500 }, ports, bytes(7_001));
    frames.push(unfinished(flow, addresses, whole, { gsoType: 5, gsoSize: 1_000 }));
    const single = udp({ ...addresses, id: 600 }, ports, bytes(501));
    frames.push(unfinished(flow, addresses, single, { gsoType: 0, gsoSize: 0 }));
  }
  return frames;
}

/** Frames without anything asked of the device, for the same call as {@link deviceFrames}. */
export function plainForDevice(frames: readonly Buffer[]): Buffer[] {
  return frames.map((frame) => Buffer.concat([Buffer.alloc(VNET_BYTES), frame]));
}

type Addresses = Omit<IpOptions, 'protocol'>;

function tcpSegment(
  flow: number,
  addresses: Addresses,
  index: number,
  flags: number,
  vlans: readonly number[] = [],
): Buffer {
  const ports = { sourcePort: 40_000 + flow, destinationPort: 80 };
  const payload = bytes(MSS - 4 * vlans.length, flow * 1_000 + index);
  const sequence = 0xffff_0000 + index * payload.length;
  const packet = tcp({ ...addresses, id: 1_000 + index }, { ...ports, sequence, flags }, payload);
  return frame(flow, packet, vlans);
}

function udpOf(flow: number, addresses: Addresses, length: number): Buffer {
  const ports = { sourcePort: 40_000 + flow, destinationPort: 443 };
  return frame(flow, udp(addresses, ports, bytes(length, flow)));
}

/** A datagram in two fragments: only the first has ports. */
function fragments(flow: number): Buffer[] {
  const ports = { sourcePort: 40_000 + flow, destinationPort: 443 };
  const whole = udp(V4, ports, bytes(1_600)).subarray(20);
  const MORE = 0x2000;
  const parts = [
    { fragment: MORE, part: whole.subarray(0, 800) },
    { fragment: 800 / 8, part: whole.subarray(800) },
  ];
  return parts.map(({ fragment, part }) => {
    const packet = udp({ ...V4, id: 7_777, fragment }, ports, part.subarray(8));
    part.copy(packet, 20);
    return frame(flow, packet);
  });
}

function frame(flow: number, packet: Buffer, vlans: readonly number[] = []): Buffer {
  const type = packet[0]! >> 4 === 4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6;
  return ethernet({ source: flowMac(flow), destination: DESTINATION, type, vlans }, packet);
}

/** One bit of the payload is wrong, and so the transport checksum. */
function damaged(whole: Buffer): Buffer {
  whole[whole.length - 1]! ^= 1;
  return whole;
}

/** Filled up to the least size of an Ethernet frame. */
function padded(short: Buffer): Buffer {
  return Buffer.concat([short, Buffer.alloc(60 - short.length)]);
}

function unfinished(
  flow: number,
  addresses: Addresses,
  packet: Buffer,
  { gsoType, gsoSize }: { readonly gsoType: number; readonly gsoSize: number },
): Buffer {
  const v4 = addresses === V4;
  const l4 = v4 ? 20 : 40;
  const protocol = packet[v4 ? 9 : 6]!;
  const isTcp = protocol === PROTOCOL.tcp;
  const field = isTcp ? 16 : 6;
  packet.writeUInt16BE(pseudoSum({ ...addresses, protocol }, packet.length - l4), l4 + field);
  const vnet = Buffer.alloc(VNET_BYTES);
  vnet[0] = 1; // VIRTIO_NET_HDR_F_NEEDS_CSUM
  vnet[1] = gsoType;
  vnet.writeUInt16LE(gsoType === 0 ? 0 : ETHERNET_BYTES + l4 + (isTcp ? 20 : 8), 2);
  vnet.writeUInt16LE(gsoSize, 4);
  vnet.writeUInt16LE(ETHERNET_BYTES + l4, 6);
  vnet.writeUInt16LE(field, 8);
  return Buffer.concat([vnet, frame(flow, packet)]);
}

/** Bytes that differ from place to place, the same in every run. */
function bytes(length: number, seed = 1): Buffer {
  const result = Buffer.alloc(length);
  for (let index = 0, state = seed; index < length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    result[index] = state >>> 24;
  }
  return result;
}

/** True when the transport checksum of a frame's UDP or TCP packet over IPv4 or IPv6 is right. */
export function checksumIsRight(hex: string): boolean {
  const packet = Buffer.from(hex, 'hex').subarray(ETHERNET_BYTES);
  const v4 = packet[0]! >> 4 === 4;
  const [l4, protocol] = v4 ? [20, packet[9]!] : [40, packet[6]!];
  const addresses = v4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
  const length = v4 ? packet.readUInt16BE(2) : 40 + packet.readUInt16BE(4);
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(length - l4, 0);
  tail.writeUInt32BE(protocol, 4);
  return onesSum(Buffer.concat([addresses, tail, packet.subarray(l4, length)])) === 0xffff;
}
