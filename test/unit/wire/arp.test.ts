import { describe, expect, it } from 'vitest';
import {
  ARP_LENGTH,
  isArpIpv4,
  isHostIpv4,
  readArpOperation,
  writeArpReply,
} from '../../../src/wire/arp.ts';
import { arp, MAC_B } from '../../support/neighbour-frames.ts';
import { ipBytes } from '../../support/packets.ts';

const HEADER = 14;

function viewOf(frame: Uint8Array): DataView {
  return new DataView(frame.buffer, frame.byteOffset, frame.length);
}

describe('isArpIpv4()', () => {
  it('takes a request and a reply, padded or not', () => {
    for (const operation of [1, 2]) {
      const view = viewOf(arp({ operation, padding: new Uint8Array(18) }));
      expect(isArpIpv4(view, HEADER, ARP_LENGTH)).toBe(true);
      expect(isArpIpv4(view, HEADER, ARP_LENGTH + 18)).toBe(true);
      expect(readArpOperation(view, HEADER)).toBe(operation);
    }
  });

  it('refuses what is cut short', () => {
    for (let length = 0; length < ARP_LENGTH; length += 1) {
      expect(isArpIpv4(viewOf(arp().slice(0, HEADER + length)), HEADER, length)).toBe(false);
    }
  });

  it('refuses other hardware, other protocols and other lengths', () => {
    for (const [index, value] of [
      [0, 1],
      [1, 6],
      [2, 0x86],
      [3, 1],
      [4, 8],
      [5, 16],
    ] as const) {
      const head = Uint8Array.of(0, 1, 8, 0, 6, 4);
      head[index] = value;
      expect(isArpIpv4(viewOf(arp({ head })), HEADER, ARP_LENGTH)).toBe(false);
    }
  });
});

describe('isHostIpv4()', () => {
  const number = (text: string): number => viewOf(ipBytes(text)).getInt32(0);

  it('takes addresses of hosts', () => {
    for (const text of ['1.0.0.0', '10.0.0.1', '126.1.2.3', '128.0.0.1', '223.255.255.255'])
      expect(isHostIpv4(number(text)), text).toBe(true);
  });

  it('refuses unspecified, loopback, multicast, reserved and broadcast ones', () => {
    for (const text of [
      '0.0.0.0',
      '0.1.2.3',
      '127.0.0.1',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
    ])
      expect(isHostIpv4(number(text)), text).toBe(false);
  });
});

describe('writeArpReply()', () => {
  it('writes what the neighbour itself would answer', () => {
    const request = arp();
    const bytes = new Uint8Array(2 * 64).fill(0xaa);
    bytes.set(request.subarray(HEADER));
    writeArpReply(viewOf(bytes), 64, 0, 0x0200, 0x0000_000b);
    const reply = { source: MAC_B, senderIp: '10.0.0.2', targetMac: '02:00:00:00:00:0a' };
    const wanted = arp({ operation: 2, ...reply, targetIp: '10.0.0.1' }).subarray(HEADER);
    expect(bytes.slice(64, 64 + ARP_LENGTH)).toEqual(new Uint8Array(wanted));
    expect(bytes[64 + ARP_LENGTH]).toBe(0xaa);
  });
});
