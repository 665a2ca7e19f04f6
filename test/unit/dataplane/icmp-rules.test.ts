import { describe, expect, test } from 'vitest';
import { DataPath, NOW_SECONDS } from '../../support/data-path.ts';
import { bytesOf, udpFrame } from '../../support/packets.ts';

const MTU = 1000;
const LARGE = { payload: bytesOf(1200), dontFragment: true } as const;

function answersTo(frame: Uint8Array, mtu: number): number {
  const path = new DataPath();
  const row = path.remote('192.0.2.1');
  path.flood([row]);
  path.tables.pathMtus.learn(row, mtu, NOW_SECONDS);
  path.transmit([{ frame }]);
  expect(path.drops()).toEqual({ mtu: 1 });
  return path.writer.deliveries.length;
}

function icmp(type: number, spec: { family?: 4 | 6 } = {}): Uint8Array {
  const frame = udpFrame({ ...LARGE, ...spec, payload: bytesOf(1500) });
  const family = spec.family ?? 4;
  frame[family === 4 ? 23 : 20] = family === 4 ? 1 : 58;
  frame[family === 4 ? 34 : 54] = type;
  if (family === 4) fixIpv4Checksum(frame);
  return frame;
}

function fixIpv4Checksum(frame: Uint8Array): void {
  const view = new DataView(frame.buffer, frame.byteOffset);
  view.setUint16(24, 0);
  let sum = 0;
  for (let at = 14; at < 34; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(24, ~sum & 0xffff);
}

describe('no answer', () => {
  const six = { family: 6, payload: bytesOf(1500) } as const;
  test.each([
    ['without DF', udpFrame({ ...LARGE, dontFragment: false })],
    ['to a later fragment', udpFrame({ ...LARGE, fragmentOffset: 10 })],
    ['to an ICMP error', icmp(3)],
    ['to an ICMPv6 error', icmp(2, { family: 6 })],
    ['to a multicast MAC', udpFrame({ ...LARGE, destination: '01:00:5e:00:00:01' })],
    ['to broadcast', udpFrame({ ...LARGE, destination: 'ff:ff:ff:ff:ff:ff' })],
    ['to a multicast address', udpFrame({ ...LARGE, destinationIp: '224.0.0.5' })],
    ['to a broadcast address', udpFrame({ ...LARGE, destinationIp: '255.255.255.255' })],
    ['from nowhere', udpFrame({ ...LARGE, sourceIp: '0.0.0.0' })],
    ['from the loopback', udpFrame({ ...LARGE, sourceIp: '127.0.0.1' })],
    ['from a group', udpFrame({ ...LARGE, sourceIp: '239.0.0.1' })],
    ['with a wrong header checksum', udpFrame({ ...LARGE, wrongIpChecksum: true })],
    ['to an IPv6 group', udpFrame({ ...six, destinationIp: 'ff02::1' })],
    ['from an IPv6 group', udpFrame({ ...six, sourceIp: 'ff02::1' })],
    ['from ::', udpFrame({ ...six, sourceIp: '::' })],
    ['from ::1', udpFrame({ ...six, sourceIp: '::1' })],
    [
      'to a later IPv6 fragment',
      udpFrame({ ...six, extensions: [[44, Uint8Array.of(0, 0, 0, 80, 0, 0, 0, 1)]] }),
    ],
    ['below the least MTU of IPv6', udpFrame({ family: 6, payload: bytesOf(1300) })],
    ['to what is no IP', udpFrame(LARGE).fill(0x88, 12, 14)],
  ])('%s', (name, frame) => {
    const mtu = name.startsWith('below')
      ? 1329
      : name.includes('v6') || name.includes('::')
        ? 1400
        : MTU;
    expect(answersTo(frame, mtu)).toBe(0);
  });
});

describe('an answer', () => {
  const six = { family: 6, payload: bytesOf(1500) } as const;
  test.each([
    ['to ICMP that is no error', icmp(8), MTU],
    ['to ICMPv6 that is no error', icmp(128, { family: 6 }), 1400],
    ['to a first fragment', udpFrame({ ...LARGE, moreFragments: true }), MTU],
    [
      'to a first IPv6 fragment',
      udpFrame({ ...six, extensions: [[44, Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1)]] }),
      1400,
    ],
    ['at the least MTU of IPv6', udpFrame({ family: 6, payload: bytesOf(1300) }), 1330],
  ])('%s', (_, frame, mtu) => {
    expect(answersTo(frame, mtu)).toBe(1);
  });
});
