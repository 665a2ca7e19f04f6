import { describe, expect, it } from 'vitest';
import {
  formatIp,
  isIpv4Mapped,
  isLinkLocalIp6,
  isLoopbackIp,
  isMulticastIp,
  isUnspecifiedIp,
  parseIp,
  parsePrefix,
} from '../../../src/wire/ip.ts';

function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('hex');
}

describe('parseIp()', () => {
  it('gives 16 bytes of either family', () => {
    expect(hex(parseIp('192.0.2.1'))).toBe('00000000000000000000ffffc0000201');
    expect(hex(parseIp('2001:db8::1'))).toBe('20010db8000000000000000000000001');
    expect(hex(parseIp('::'))).toBe('0'.repeat(32));
    expect(hex(parseIp('1:2:3:4:5:6:7:8'))).toBe('00010002000300040005000600070008');
    expect(hex(parseIp('2001:db8::192.0.2.1'))).toBe('20010db80000000000000000c0000201');
  });

  it('takes the mapped form for the same address', () => {
    expect(parseIp('::ffff:192.0.2.1')).toEqual(parseIp('192.0.2.1'));
  });

  it('refuses everything else', () => {
    const wrong = [
      '',
      '1.2.3',
      '1.2.3.256',
      '010.0.0.1',
      '1.2.3.4/24',
      'fe80::1%eth0',
      ':::',
      'a',
      '1::2::3',
    ];
    for (const text of wrong) expect(parseIp(text)).toBeUndefined();
  });
});

describe('formatIp()', () => {
  it('writes IPv6 as RFC 5952 wants it', () => {
    const texts = [
      '192.0.2.1',
      '2001:db8::1',
      '::',
      '::1',
      'fe80::',
      '2001:db8:0:1:1:1:1:1',
      '1:0:0:2::3',
      '::2:0:0:3',
    ];
    for (const text of texts) expect(formatIp(parseIp(text)!)).toBe(text);
    expect(formatIp(parseIp('2001:DB8:0:0:0:0:2:1')!)).toBe('2001:db8::2:1');
    expect(formatIp(parseIp('2001:0:0:1:0:0:0:1')!)).toBe('2001:0:0:1::1');
  });

  it('reads at an offset', () => {
    const bytes = new Uint8Array(20);
    bytes.set(parseIp('192.0.2.7')!, 4);
    expect(formatIp(bytes, 4)).toBe('192.0.2.7');
  });
});

describe('parsePrefix()', () => {
  it('keeps the host bits and tells the family', () => {
    expect(parsePrefix('10.0.0.1/24')).toEqual({
      address: parseIp('10.0.0.1'),
      length: 24,
      family: 4,
    });
    expect(parsePrefix('fd00::1/64')).toMatchObject({ length: 64, family: 6 });
  });

  it('refuses lengths out of range, missing or odd', () => {
    for (const text of [
      '10.0.0.1',
      '10.0.0.1/',
      '10.0.0.1/33',
      '10.0.0.1/08',
      '::1/129',
      '::ffff:1.2.3.4/96',
      '/8',
    ]) {
      expect(parsePrefix(text)).toBeUndefined();
    }
  });
});

describe('the kinds of addresses', () => {
  const is = (predicate: (bytes: Uint8Array) => boolean, text: string): boolean =>
    predicate(parseIp(text)!);

  it('are told apart in both families', () => {
    expect(is(isIpv4Mapped, '10.0.0.1')).toBe(true);
    expect(is(isIpv4Mapped, 'fd00::1')).toBe(false);
    for (const text of ['224.0.0.1', '239.255.255.255', 'ff02::1'])
      expect(is(isMulticastIp, text)).toBe(true);
    for (const text of ['223.255.255.255', '240.0.0.1', 'fe80::1'])
      expect(is(isMulticastIp, text)).toBe(false);
    for (const text of ['0.0.0.0', '::']) expect(is(isUnspecifiedIp, text)).toBe(true);
    expect(is(isUnspecifiedIp, '0.0.0.1')).toBe(false);
    for (const text of ['127.0.0.1', '127.255.0.1', '::1'])
      expect(is(isLoopbackIp, text)).toBe(true);
    expect(is(isLoopbackIp, '128.0.0.1')).toBe(false);
    for (const text of ['fe80::1', 'febf::1']) expect(is(isLinkLocalIp6, text)).toBe(true);
    expect(is(isLinkLocalIp6, 'fec0::1')).toBe(false);
  });
});
