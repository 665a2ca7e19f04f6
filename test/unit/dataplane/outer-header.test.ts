import { describe, expect, it } from 'vitest';
import { InnerPacket } from '../../../src/dataplane/inner-packet.ts';
import { OuterHeader } from '../../../src/dataplane/outer-header.ts';
import {
  INHERIT_DF,
  INHERIT_FLOW_LABEL,
  INHERIT_TOS,
  INHERIT_TTL,
  type OuterRow,
} from '../../../src/dataplane/outer-table.ts';
import { DataPath } from '../../support/data-path.ts';
import { arpRequest, ethernet, ETHERTYPE, udp } from '../../support/frames.ts';

const MACS = { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' };
const PORTS = { sourcePort: 1, destinationPort: 2 };
const ECT0 = 2;
const ZEROS: OuterRow = {
  ...{ inherit: 0, ttl: 0, tos: 0, flowLabel: 0, reservedFirst: 0, reservedSecond: 0 },
};

function four(fields: object): Buffer {
  const addresses = { source: '10.0.0.1', destination: '10.0.0.2' };
  const packet = udp({ ...addresses, ...fields }, PORTS, Buffer.alloc(4));
  return ethernet({ ...MACS, type: ETHERTYPE.ipv4 }, packet);
}

/** What the plan and the header say for each frame, of a tunnel with such settings. */
function outers(row: Partial<OuterRow>, frames: readonly Buffer[]): object[] {
  const { tables, plan } = new DataPath();
  tables.tunnels.outer.write(1, { ...ZEROS, ...row });
  const outer = new OuterHeader(tables.tunnels.outer, plan);
  outer.begin(1);
  return frames.map((frame) => {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    const inner = new InnerPacket();
    inner.parse(view, 0, frame.length);
    outer.take(view, inner);
    const { outerTtl: ttl, outerFlowLabel: label } = plan;
    return { tos: outer.tos, ttl, label, withoutDf: outer.withoutDf };
  });
}

describe('OuterHeader', () => {
  const plain = { tos: 0, ttl: 0, label: 0, withoutDf: false };

  it('leaves all to the socket by default, but for ECN', () => {
    const frame = four({ ttl: 9, tos: 0xb8 | ECT0 });
    expect(outers({}, [frame])).toEqual([{ ...plain, tos: ECT0 }]);
  });

  it("puts the tunnel's settings into every frame", () => {
    const row = { ttl: 5, tos: 0x40, flowLabel: 77 };
    const wanted = { tos: 0x40, ttl: 5, label: 77, withoutDf: false };
    expect(
      outers(row, [four({ ttl: 9, tos: 0x20 }), arpRequest(MACS.source, '10.0.0.1', '10.0.0.2')]),
    ).toEqual([wanted, wanted]);
  });

  it('inherits from each frame anew', () => {
    const inherit = INHERIT_TTL | INHERIT_TOS | INHERIT_DF | INHERIT_FLOW_LABEL;
    const frames = [
      four({ ttl: 9, tos: 0xb8 | ECT0, fragment: 0x4000 }),
      four({ ttl: 3, fragment: 0 }),
      arpRequest(MACS.source, '10.0.0.1', '10.0.0.2'),
    ];
    expect(outers({ inherit }, frames)).toEqual([
      { tos: 0xb8 | ECT0, ttl: 9, label: 0, withoutDf: false },
      { tos: 0, ttl: 3, label: 0, withoutDf: true },
      { tos: 0, ttl: 0, label: 0, withoutDf: true },
    ]);
  });
});
