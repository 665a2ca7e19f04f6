import { describe, expect, test } from 'vitest';
import { InnerPacket } from '../../../src/dataplane/inner-packet.ts';
import {
  arpFrame,
  bytesOf,
  concat,
  ethernetFrame,
  icmpFrame,
  ipFrame,
  tcpFrame,
  udpFrame,
} from '../../support/packets.ts';

const AT = 5;

/** Offsets relative to the frame, which stands at an odd place in front of other bytes. */
function parse(frame: Uint8Array, length = frame.length): Record<string, number> {
  const bytes = concat(new Uint8Array(AT), frame, new Uint8Array(64).fill(0x45));
  const inner = new InnerPacket();
  inner.parse(new DataView(bytes.buffer), AT, length);
  const { family, l3, l4, protocol, tos, end } = inner;
  const relative = (offset: number): number => (offset < 0 ? -1 : offset - AT);
  return { family, l3: relative(l3), l4: relative(l4), protocol, tos, end: end - AT };
}

const NO_IP = { family: 0, l4: -1, protocol: -1, tos: 0 };

describe('parse() of an IPv4 frame', () => {
  test('finds both headers, protocol, TOS and end', () => {
    const frame = tcpFrame({ tos: 0x2e });
    const found = { family: 4, l3: 14, l4: 34, protocol: 6, tos: 0x2e, end: frame.length };
    expect(parse(frame)).toEqual(found);
  });

  test('looks behind one and two VLAN tags, not behind a third', () => {
    const tags = [{ tpid: 0x88a8, id: 5 }, { id: 6 }, { id: 7 }];
    expect(parse(udpFrame({ vlans: tags.slice(1, 2) }))).toMatchObject({ l3: 18, l4: 38 });
    expect(parse(udpFrame({ vlans: tags.slice(0, 2) }))).toMatchObject({ l3: 22, l4: 42 });
    expect(parse(udpFrame({ vlans: tags }))).toMatchObject(NO_IP);
  });

  test('steps over options', () => {
    expect(parse(udpFrame({ ipOptions: new Uint8Array(8).fill(1) }))).toMatchObject({ l4: 42 });
  });

  test('tells padding from the packet', () => {
    const frame = udpFrame({ payload: new Uint8Array(2), padding: new Uint8Array(16) });
    expect(parse(frame)).toMatchObject({ end: frame.length - 16 });
  });

  test.each([{ moreFragments: true }, { fragmentOffset: 8 }])(
    'finds no transport header in a fragment %o, but its protocol',
    (fragment) => {
      expect(parse(udpFrame(fragment))).toMatchObject({ family: 4, l4: -1, protocol: 17 });
    },
  );

  test('knows no family when the packet is longer than the frame', () => {
    const frame = icmpFrame();
    expect(parse(frame, frame.length - 1)).toEqual({ ...NO_IP, l3: 14, end: frame.length - 1 });
  });
});

describe('parse() of an IPv6 frame', () => {
  test('finds both headers, protocol, traffic class and end', () => {
    const frame = udpFrame({ family: 6, tos: 0xb9, padding: new Uint8Array(4) });
    const found = { family: 6, l3: 14, l4: 54, protocol: 17, tos: 0xb9, end: frame.length - 4 };
    expect(parse(frame)).toEqual(found);
  });

  test('steps over extension headers', () => {
    const extensions = [
      [0, new Uint8Array(8)],
      [60, Uint8Array.of(0, 1, ...new Uint8Array(14))],
    ] as const;
    expect(parse(tcpFrame({ family: 6, extensions }))).toMatchObject({ l4: 78, protocol: 6 });
  });

  test('finds no transport header in any fragment, the first one included', () => {
    const fragment = (field: number): Record<string, number> =>
      parse(
        udpFrame({
          family: 6,
          extensions: [[44, Uint8Array.of(0, 0, field >> 8, field & 255, 0, 0, 0, 1)]],
        }),
      );
    // The first, then a later one: they look the same.
    expect(fragment(1)).toMatchObject({ family: 6, l4: -1, protocol: -1 });
    expect(fragment(0x0100)).toMatchObject({ family: 6, l4: -1, protocol: -1 });
    // An atomic fragment is a whole packet.
    expect(fragment(0)).toMatchObject({ l4: 62, protocol: 17 });
  });
});

describe('parse() of anything else', () => {
  test('says that ARP is no IP', () => {
    expect(parse(arpFrame())).toEqual({ ...NO_IP, l3: 14, end: arpFrame().length });
  });

  test('says that a frame without a whole Ethernet header has no network header', () => {
    expect(parse(arpFrame(), 13)).toEqual({ ...NO_IP, l3: -1, end: 13 });
  });

  test.each([
    ['version 5', 0x0800, Uint8Array.of(0x55, ...bytesOf(30))],
    ['a header length of 16', 0x0800, Uint8Array.of(0x44, ...bytesOf(30))],
    ['IPv6 cut short', 0x86dd, Uint8Array.of(0x60, ...new Uint8Array(38))],
  ])('finds no packet in %s', (_, etherType, payload) => {
    expect(parse(ethernetFrame({}, etherType, payload))).toMatchObject(NO_IP);
  });

  test('leaves nothing of the frame before', () => {
    const inner = new InnerPacket();
    const frame = ipFrame({ tos: 3 }, 6, bytesOf(40));
    inner.parse(new DataView(frame.buffer), 0, frame.length);
    const arp = arpFrame();
    inner.parse(new DataView(arp.buffer), 0, arp.length);
    expect(inner).toMatchObject(NO_IP);
  });
});
