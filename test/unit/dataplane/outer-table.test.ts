import { describe, expect, it } from 'vitest';
import { DEFAULT_OUTER_ROW, INHERIT_TTL } from '../../../src/dataplane/outer-table.ts';
import { TunnelTable } from '../../../src/dataplane/tunnel-table.ts';

const ROW = {
  inherit: INHERIT_TTL,
  ttl: 255,
  tos: 0xb8,
  flowLabel: 0xf_ffff,
  reservedFirst: 0xf7ff_ffff | 0,
  reservedSecond: 0xff,
};

function header(first: number, second: number): DataView {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(8, first);
  view.setUint32(12, second);
  return view;
}

describe('the table of outer headers', () => {
  it('keeps what each tunnel has, in the memory of the table of tunnels', () => {
    const tunnels = new TunnelTable(3);
    tunnels.outer.write(2, ROW);
    tunnels.write(2, { flags: -1, vni: -1, macHigh: -1, macLow: -1, mtu: -1 });
    const { outer } = new TunnelTable(3, tunnels.memory);
    const read = (tunnel: number): number[] => [
      outer.inherit(tunnel),
      outer.ttl(tunnel),
      outer.tos(tunnel),
      outer.flowLabel(tunnel),
    ];
    expect(read(2)).toEqual([INHERIT_TTL, 255, 0xb8, 0xf_ffff]);
    expect(read(1)).toEqual([0, 0, 0, 0]);
    tunnels.outer.write(2, DEFAULT_OUTER_ROW);
    expect(read(2)).toEqual([0, 0, 0, 0]);
  });

  it('refuses headers that have a bit of the mask', () => {
    const { outer } = new TunnelTable(2);
    outer.write(1, ROW);
    const clean = header(0x0800_0000, 0xffff_ff00);
    expect([outer.refuses(0, clean, 8), outer.refuses(1, clean, 8)]).toEqual([false, false]);
    for (const view of [header(0x8800_0000, 0), header(0x0800_0001, 0), header(0x0800_0000, 1)]) {
      expect([outer.refuses(0, view, 8), outer.refuses(1, view, 8)]).toEqual([false, true]);
    }
  });
});
