import { describe, expect, it } from 'vitest';
import * as ipv4 from '../../../src/wire/ipv4.ts';
import { bytesOf, hexOf, poisoned } from './bytes.ts';

/** UDP, DSCP 46 with ECT(0), id 0x1234, DF, TTL 64, 192.0.2.1 to 198.51.100.2, 32 bytes in all. */
const PACKET = '45ba 0020 1234 4000 4011 0000 c0000201 c6336402 0001020304050607 08090a0b';

describe('isIpv4()', () => {
  it('accepts a whole packet, also with padding behind it', () => {
    expect(ipv4.isIpv4(bytesOf(PACKET), 0, 32)).toBe(true);
    expect(ipv4.isIpv4(bytesOf(`${PACKET} 0000`), 0, 34)).toBe(true);
  });

  it('refuses every shorter length', () => {
    for (let available = 0; available < 32; available += 1) {
      expect(ipv4.isIpv4(bytesOf(PACKET), 0, available)).toBe(false);
    }
  });

  it('refuses another version, a short header, and a header longer than the packet', () => {
    expect(ipv4.isIpv4(bytesOf(PACKET.replace('45', '65')), 0, 32)).toBe(false);
    expect(ipv4.isIpv4(bytesOf(PACKET.replace('45', '44')), 0, 32)).toBe(false);
    expect(ipv4.isIpv4(bytesOf(PACKET.replace('45', '4f')), 0, 32)).toBe(false);
  });
});

it('the readers read what stands in a packet', () => {
  const view = bytesOf(PACKET);
  expect(ipv4.ipv4HeaderLength(view, 0)).toBe(20);
  expect(ipv4.readIpv4Tos(view, 0)).toBe(0xba);
  expect(ipv4.readIpv4TotalLength(view, 0)).toBe(32);
  expect(ipv4.readIpv4Id(view, 0)).toBe(0x1234);
  expect(ipv4.readIpv4Fragment(view, 0)).toBe(ipv4.IPV4_FLAG_DF);
  expect(ipv4.readIpv4Ttl(view, 0)).toBe(64);
  expect(ipv4.readIpv4Protocol(view, 0)).toBe(17);
  expect(ipv4.readIpv4Source(view, 0)).toBe(0xc0000201);
  expect(ipv4.readIpv4Destination(view, 0)).toBe(0xc6336402);
});

it('isFragmentIpv4() is true for the first, a middle and the last fragment', () => {
  const withField = (field: string): DataView => bytesOf(PACKET.replace('4000', field));
  expect(['2000', '2010', '0010'].map((field) => ipv4.isFragmentIpv4(withField(field), 0))).toEqual(
    [true, true, true],
  );
  expect(['0000', '4000'].map((field) => ipv4.isFragmentIpv4(withField(field), 0))).toEqual([
    false,
    false,
  ]);
});

it('the writers write a header and nothing beside it', () => {
  const view = poisoned(24);
  ipv4.writeIpv4HeaderLength(view, 2, 20);
  ipv4.writeIpv4Tos(view, 2, 0xba);
  ipv4.writeIpv4TotalLength(view, 2, 32);
  ipv4.writeIpv4Id(view, 2, 0x1234);
  ipv4.writeIpv4Fragment(view, 2, ipv4.IPV4_FLAG_DF);
  ipv4.writeIpv4Ttl(view, 2, 64);
  ipv4.writeIpv4Protocol(view, 2, 17);
  ipv4.writeIpv4Source(view, 2, 0xc0000201);
  ipv4.writeIpv4Destination(view, 2, 0xc6336402);
  ipv4.writeIpv4Checksum(view, 2);
  expect(ipv4.ipv4ChecksumValid(view, 2)).toBe(true);
  const checksum = ipv4.readIpv4Checksum(view, 2);
  view.setUint16(12, 0);
  expect(hexOf(view)).toBe(`a5a5${PACKET.replaceAll(' ', '').slice(0, 40)}a5a5`);
  expect(checksum).not.toBe(0);
});

it('updateIpv4Tos() keeps a right checksum right, and a wrong one wrong', () => {
  const view = bytesOf(PACKET);
  ipv4.writeIpv4Checksum(view, 0);
  ipv4.updateIpv4Tos(view, 0, 0xbb);
  expect(ipv4.readIpv4Tos(view, 0)).toBe(0xbb);
  expect(ipv4.ipv4ChecksumValid(view, 0)).toBe(true);
  view.setUint8(8, 3);
  ipv4.updateIpv4Tos(view, 0, 0xb8);
  expect(ipv4.ipv4ChecksumValid(view, 0)).toBe(false);
});
