import { describe, expect, it } from 'vitest';
import { InheritedHeader } from '../../../src/dataplane/inherited-header.ts';
import { InnerPacket } from '../../../src/dataplane/inner-packet.ts';
import { INHERIT_TOS } from '../../../src/dataplane/outer-table.ts';
import { arpRequest, ethernet, ETHERTYPE, udp } from '../../support/frames.ts';

const MACS = { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' };
const PORTS = { sourcePort: 1, destinationPort: 2 };
const FOUR = { source: '10.0.0.1', destination: '10.0.0.2' };
const SIX = { source: 'fd00::1', destination: 'fd00::2' };

function read(frame: Buffer, inherit = INHERIT_TOS): InheritedHeader {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const inner = new InnerPacket();
  inner.parse(view, 0, frame.length);
  const inherited = new InheritedHeader();
  // What the frame before had must not shine through.
  Object.assign(inherited, { ttl: 77, dscp: 77, flowLabel: 77, dontFragment: true });
  inherited.read(view, inner, inherit);
  return inherited;
}

function four(fields: object, vlans: number[] = []): Buffer {
  const packet = udp({ ...FOUR, ...fields }, PORTS, Buffer.alloc(4));
  return ethernet({ ...MACS, type: ETHERTYPE.ipv4, vlans }, packet);
}

describe('read()', () => {
  it('takes TTL, DSCP and DF from IPv4', () => {
    const fields = { ttl: 9, tos: 0xbb, fragment: 0x4000 };
    expect(read(four(fields))).toEqual({ ttl: 9, dscp: 0xb8, flowLabel: 0, dontFragment: true });
    expect(read(four({ ...fields, fragment: 0 })).dontFragment).toBe(false);
  });

  it('finds the packet behind VLAN tags', () => {
    expect(read(four({ ttl: 9 }, [5, 6])).ttl).toBe(9);
  });

  it('takes hop limit, DSCP and flow label from IPv6, which nobody may fragment', () => {
    const fields = { ...SIX, ttl: 3, tos: 0x49, flowLabel: 0xabcde };
    const frame = ethernet({ ...MACS, type: ETHERTYPE.ipv6 }, udp(fields, PORTS, Buffer.alloc(4)));
    expect(read(frame)).toEqual({ ttl: 3, dscp: 0x48, flowLabel: 0xabcde, dontFragment: true });
  });

  it('has nothing to take from other frames', () => {
    const nothing = { ttl: 0, dscp: 0, flowLabel: 0, dontFragment: false };
    expect(read(arpRequest(MACS.source, '10.0.0.1', '10.0.0.2'))).toEqual(nothing);
    expect(read(Buffer.alloc(14))).toEqual(nothing);
  });

  it('leaves the DSCP alone that is not to be inherited', () => {
    expect(read(four({ tos: 0xb8 }), 0).dscp).toBe(0);
  });
});
