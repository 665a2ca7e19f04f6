import { describe, expect, it } from 'vitest';
import { DEFAULT_OUTER } from '../../../src/config/outer.ts';
import { outerReport } from '../../../src/daemon/outer-report.ts';

describe('outerReport()', () => {
  it('says of every setting what it is, of the device only where there is one', () => {
    const report = {
      ttl: 'auto',
      tos: 0,
      df: 'set',
      fragment: false,
      label: 'auto',
      udp_csum: true,
      udp_zero_csum6_tx: false,
      udp_zero_csum6_rx: false,
      reserved_bits: 'ignore',
    };
    expect(outerReport(DEFAULT_OUTER)).toEqual(report);
    expect(outerReport({ ...DEFAULT_OUTER, link: 'eth0' })).toEqual({ ...report, link: 'eth0' });
  });
});
