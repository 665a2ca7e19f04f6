import { describe, expect, it } from 'vitest';
import * as udp from '../../../src/wire/udp.ts';
import { bytesOf, hexOf, poisoned } from './bytes.ts';

const DATAGRAM = 'c000 12b5 000c abcd 00112233';

describe('isUdp()', () => {
  it('accepts a whole datagram, also with something behind it', () => {
    expect(udp.isUdp(bytesOf(DATAGRAM), 0, 12)).toBe(true);
    expect(udp.isUdp(bytesOf(`${DATAGRAM} 0000`), 0, 14)).toBe(true);
  });

  it('refuses every shorter length, and a length field below eight', () => {
    for (let available = 0; available < 12; available += 1) {
      expect(udp.isUdp(bytesOf(DATAGRAM), 0, available)).toBe(false);
    }
    expect(udp.isUdp(bytesOf(DATAGRAM.replace('000c', '0007')), 0, 12)).toBe(false);
  });
});

it('the readers read what stands in a header', () => {
  const view = bytesOf(DATAGRAM);
  expect(udp.readUdpSourcePort(view, 0)).toBe(49152);
  expect(udp.readUdpDestinationPort(view, 0)).toBe(4789);
  expect(udp.readUdpLength(view, 0)).toBe(12);
  expect(udp.readUdpChecksum(view, 0)).toBe(0xabcd);
});

it('the writers write the four fields', () => {
  const view = poisoned(10);
  udp.writeUdpSourcePort(view, 1, 49152);
  udp.writeUdpDestinationPort(view, 1, 4789);
  udp.writeUdpLength(view, 1, 12);
  udp.writeUdpChecksum(view, 1, 0xabcd);
  expect(hexOf(view)).toBe('a5c00012b5000cabcda5');
});
