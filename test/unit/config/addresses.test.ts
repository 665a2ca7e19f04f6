import { describe, expect, it } from 'vitest';
import { parseOverlayAddress, parseUnderlayAddress } from '../../../src/config/addresses.ts';
import { parseIp } from '../../../src/wire/ip.ts';

describe('parseUnderlayAddress()', () => {
  it('gives text, bytes and family of both families', () => {
    expect(parseUnderlayAddress('192.168.120.10', 'local')).toEqual({
      text: '192.168.120.10',
      bytes: parseIp('192.168.120.10'),
      family: 4,
      interfaceName: undefined,
    });
    expect(parseUnderlayAddress('2001:DB8:0::A', 'remote')).toEqual({
      text: '2001:db8::a',
      bytes: parseIp('2001:db8::a'),
      family: 6,
      interfaceName: undefined,
    });
  });

  it('keeps the interface of a link-local address', () => {
    expect(parseUnderlayAddress('fe80::1%eth0', 'local')).toEqual({
      text: 'fe80::1%eth0',
      bytes: parseIp('fe80::1'),
      family: 6,
      interfaceName: 'eth0',
    });
  });

  it.each([
    ['10.0.0.1/24', 'has a prefix length; allowed: the address alone, 10.0.0.1'],
    [
      '10.0.0.1:4789',
      'is more than an address; allowed: 10.0.0.1; the port has a setting of its own',
    ],
    ['[2001:db8::1]:4789', 'is more than an address; allowed: 2001:db8::1; the port has a setting'],
    ['[2001:db8::1]', 'is more than an address; allowed: 2001:db8::1'],
    ['vm2.example.org', 'is not an IP address; allowed: a unicast IPv4 or IPv6 address'],
    ['192.168.120.300', 'is not an IP address; allowed: a unicast IPv4 or IPv6 address'],
    ['fe80:::1', 'is not an IP address; allowed: a unicast IPv4 or IPv6 address'],
    ['', 'is not an IP address; allowed: a unicast IPv4 or IPv6 address'],
    [
      '239.1.1.1',
      'is a multicast address; allowed: a unicast IPv4 or IPv6 address (a multicast group',
    ],
    ['ff02::1', 'is a multicast address; allowed: a unicast'],
    ['0.0.0.0', 'is the unspecified address; allowed: a unicast'],
    ['::', 'is the unspecified address; allowed: a unicast'],
    ['255.255.255.255', 'is the broadcast address; allowed: a unicast'],
    [
      'fe80::1',
      'is link-local and needs the name of its interface; allowed: for example fe80::1%eth0',
    ],
    ['fe80::1%', 'is link-local and needs the name of its interface'],
    ['fe80::1%a/b', 'is link-local and needs the name of its interface'],
    ['2001:db8::1%eth0', 'is not link-local, so it takes no interface; allowed: 2001:db8::1'],
    ['10.0.0.1%eth0', 'is not link-local, so it takes no interface; allowed: 10.0.0.1'],
  ])('refuses %j for a remote', (text, expected) => {
    expect(parseUnderlayAddress(text, 'remote')).toEqual({
      refused: expect.stringContaining(expected) as string,
    });
  });

  it('says how to listen on every address', () => {
    expect(parseUnderlayAddress('0.0.0.0', 'local')).toEqual({
      refused: expect.stringContaining('or no "local" to listen on all addresses') as string,
    });
  });
});

describe('parseOverlayAddress()', () => {
  it('gives text, bytes, prefix length and family', () => {
    expect(parseOverlayAddress('10.0.0.1/24')).toEqual({
      text: '10.0.0.1/24',
      bytes: parseIp('10.0.0.1'),
      prefixLength: 24,
      family: 4,
    });
    expect(parseOverlayAddress('fd00:0::1/128')).toMatchObject({ text: 'fd00::1/128', family: 6 });
  });

  it.each([
    ['10.0.0.1', 'has no prefix length; allowed: for example 10.0.0.1/24'],
    ['fd00::1', 'has no prefix length; allowed: for example fd00::1/64'],
    ['10.0.0.1/33', 'is not an address with its prefix length; allowed: for example 10.0.0.1/24'],
    ['x', 'is not an address with its prefix length'],
    ['224.0.0.1/24', 'is a multicast address'],
    ['0.0.0.0/0', 'is the unspecified address'],
  ])('refuses %j', (text, expected) => {
    expect(parseOverlayAddress(text)).toEqual({
      refused: expect.stringContaining(expected) as string,
    });
  });
});
