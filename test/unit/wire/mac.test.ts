import { describe, expect, it } from 'vitest';
import * as mac from '../../../src/wire/mac.ts';
import { bytesOf, hexOf, poisoned } from './bytes.ts';

describe('parseMac()', () => {
  it('reads colons and dashes in any case', () => {
    const expected = { high: 0x5254, low: 0xf03fe643 };
    for (const text of ['52:54:f0:3f:e6:43', '52-54-F0-3F-E6-43', '52:54:F0:3f:e6:43']) {
      expect(mac.parseMac(text)).toEqual(expected);
    }
  });

  it('refuses everything else', () => {
    const wrong = [
      '',
      '52:54:00:3f:e6',
      '52:54:00:3f:e6:43:00',
      '5:54:00:3f:e6:43',
      '52:54:00-3f:e6:43',
      '52:54:00:3f:e6:4g',
      ' 52:54:00:3f:e6:43',
      '5254.003f.e643',
    ];
    for (const text of wrong) expect(mac.parseMac(text)).toBeUndefined();
  });
});

it('formatMac() writes lower case with all zeros', () => {
  expect(mac.formatMac(0x0001, 0x0000_00ab)).toBe('00:01:00:00:00:ab');
  expect(mac.formatMac(0xffff, 0xffff_ffff)).toBe('ff:ff:ff:ff:ff:ff');
});

it('the readers and the writer agree on the six bytes', () => {
  const view = bytesOf('00 5254f03fe643 00');
  expect(mac.readMacHigh(view, 1)).toBe(0x5254);
  expect(mac.readMacLow(view, 1)).toBe(0xf03fe643);
  expect(mac.readMacLowSigned(view, 1)).toBe(0xf03fe643 | 0);
  const written = poisoned(8);
  mac.writeMac(written, 1, 0x5254, 0xf03fe643);
  expect(hexOf(written)).toBe('a55254f03fe643a5');
});

it('the kinds of MACs are told apart', () => {
  expect([0x0100, 0x3333, 0xffff, 0x0180].map(mac.isMulticastMac)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect([0x0000, 0x5254, 0xfe00].map(mac.isMulticastMac)).toEqual([false, false, false]);
  expect(mac.isZeroMac(0, 0)).toBe(true);
  expect(mac.isZeroMac(0, 1)).toBe(false);
  expect(mac.isBroadcastMac(0xffff, 0xffff_ffff)).toBe(true);
  expect(mac.isBroadcastMac(0xffff, 0xffff_fffe)).toBe(false);
});
