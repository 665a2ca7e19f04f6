import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import {
  DEFAULT_OUTER,
  familiesOf,
  type OuterConfig,
  RESERVED_STRICT,
  reservedBitsText,
} from '../../../src/config/outer.ts';

function outer(settings: string): OuterConfig {
  return loadConfig(`tunnels: { a: { id: 1, ${settings} } }`, 'f').tunnels[0]!.outer;
}

describe('resolveOuter()', () => {
  it('fills in the defaults', () => {
    expect(outer('mtu: auto')).toEqual(DEFAULT_OUTER);
  });

  it('reads every setting', () => {
    const settings = [
      'ttl: 9, tos: inherit, do-not-fragment: inherit, fragment: true, flow-label: 0xfffff',
      'checksums: [zero-udp6-rx], link: eth0, reserved-bits: strict',
    ];
    expect(outer(settings.join(', '))).toEqual({
      ttl: 9,
      tos: 'inherit',
      dontFragment: 'inherit',
      fragment: true,
      flowLabel: 0xf_ffff,
      udpChecksum: false,
      zeroChecksum6Tx: false,
      zeroChecksum6Rx: true,
      link: 'eth0',
      reservedBits: RESERVED_STRICT,
    });
  });

  it('takes a list of checksums for all there is to say', () => {
    expect(outer('checksums: []')).toMatchObject({ udpChecksum: false });
    expect(outer('checksums: [udp, zero-udp6-tx]')).toMatchObject({
      udpChecksum: true,
      zeroChecksum6Tx: true,
      zeroChecksum6Rx: false,
    });
  });
});

describe('reservedBitsText()', () => {
  it('gives the words back, and masks with all digits', () => {
    for (const text of ['ignore', 'strict', '0x0000000100000080', '0x8000000000000000']) {
      expect(reservedBitsText(outer(`reserved-bits: "${text}"`).reservedBits)).toBe(text);
    }
  });
});

describe('familiesOf()', () => {
  it('names IPv4 first, whatever comes first, and is IPv4 without addresses', () => {
    const { tunnels } = loadConfig('tunnels: { a: { id: 1, remotes: [fd00::1, 10.0.0.1] } }', 'f');
    const [six, four] = tunnels[0]!.remotes;
    expect(tunnels[0]!.families).toEqual([4, 6]);
    expect(familiesOf([six!], [four!])).toEqual([4, 6]);
    expect(familiesOf([six!], [])).toEqual([6]);
    expect(familiesOf([], [])).toEqual([4]);
  });
});
