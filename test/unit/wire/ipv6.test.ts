import { describe, expect, it } from 'vitest';
import * as ipv6 from '../../../src/wire/ipv6.ts';
import { bytesOf, hexOf, poisoned } from './bytes.ts';

const ADDRESSES = '20010db8000000000000000000000001 20010db8000000000000000000000002';

/** A packet with these bytes behind its header, its first next-header number and its payload length. */
function packet(next: string, payload: string, length?: number): DataView {
  const bytes = payload.replaceAll(' ', '').length / 2;
  const field = (length ?? bytes).toString(16).padStart(4, '0');
  return bytesOf(`6ba12345 ${field} ${next} 40 ${ADDRESSES} ${payload}`);
}

function l4(view: DataView): [offset: number, protocol: number] {
  const end = view.byteLength;
  return [ipv6.ipv6L4Offset(view, 0, end), ipv6.ipv6L4Protocol(view, 0, end)];
}

describe('isIpv6()', () => {
  it('accepts a whole packet and refuses every shorter length', () => {
    const view = packet('11', '0011223344556677');
    expect(ipv6.isIpv6(view, 0, 48)).toBe(true);
    for (let available = 0; available < 48; available += 1) {
      expect(ipv6.isIpv6(view, 0, available)).toBe(false);
    }
  });

  it('refuses another version', () => {
    const view = packet('11', '');
    view.setUint8(0, 0x45);
    expect(ipv6.isIpv6(view, 0, 40)).toBe(false);
  });
});

it('the readers read what stands in a packet', () => {
  const view = packet('3a', '00112233');
  expect(ipv6.readIpv6TrafficClass(view, 0)).toBe(0xba);
  expect(ipv6.readIpv6FlowLabel(view, 0)).toBe(0x12345);
  expect(ipv6.readIpv6PayloadLength(view, 0)).toBe(4);
  expect(ipv6.readIpv6NextHeader(view, 0)).toBe(58);
  expect(ipv6.readIpv6HopLimit(view, 0)).toBe(64);
});

it('the writers write their field and nothing beside it', () => {
  const view = poisoned(10);
  ipv6.writeIpv6FirstWord(view, 1, 0xba, 0x12345);
  ipv6.writeIpv6PayloadLength(view, 1, 0x1122);
  ipv6.writeIpv6NextHeader(view, 1, 17);
  ipv6.writeIpv6HopLimit(view, 1, 64);
  expect(hexOf(view)).toBe('a56ba1234511221140a5');
  ipv6.writeIpv6TrafficClass(view, 1, 0x01);
  expect(hexOf(view)).toBe('a5601123 45 1122 11 40 a5'.replaceAll(' ', ''));
});

describe('ipv6L4Offset()', () => {
  it('finds the transport header right behind the network header', () => {
    expect(l4(packet('06', '00'.repeat(20)))).toEqual([40, 6]);
  });

  it('passes hop-by-hop, routing and destination headers', () => {
    const chain = '2b00000000000000 3c01000000000000 0000000000000000 1100000000000000';
    expect(l4(packet('00', `${chain} ${'00'.repeat(8)}`))).toEqual([72, 17]);
  });

  it('passes the fragment header of a first or only fragment', () => {
    expect(l4(packet('2c', '1100000000000001 0000000000000000'))).toEqual([48, 17]);
    const first = packet('2c', '1100000100000001 0000000000000000');
    expect(l4(first)).toEqual([48, 17]);
    expect(ipv6.isFirstFragmentIpv6(first, 0, first.byteLength)).toBe(true);
  });

  it('finds none in a later fragment, behind "no next header", or in a chain that leaves the packet', () => {
    expect(l4(packet('2c', '1100000800000001 0000000000000000'))).toEqual([-1, -1]);
    expect(l4(packet('3b', ''))).toEqual([-1, -1]);
    expect(l4(packet('00', '11ff000000000000'))).toEqual([-1, -1]);
    expect(l4(packet('00', '1100'))).toEqual([-1, -1]);
  });

  it('gives up on an endless chain', () => {
    expect(l4(packet('00', '0000000000000000'.repeat(9)))).toEqual([-1, -1]);
  });
});
