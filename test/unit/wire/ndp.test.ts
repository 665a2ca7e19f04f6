import { describe, expect, it } from 'vitest';
import {
  isHostIpv6,
  isSourceUnspecified,
  NA_OVERRIDE,
  NA_PACKET_LENGTH,
  NA_ROUTER,
  NA_SOLICITED,
  naFlags,
  ndLinkLayerOption,
  ndTargetOffset,
  NEIGHBOUR_ADVERTISEMENT,
  NEIGHBOUR_SOLICITATION,
  neighbourMessage,
  OPTION_SOURCE_LINK_LAYER,
  OPTION_TARGET_LINK_LAYER,
  writeNeighbourAdvertisement,
} from '../../../src/wire/ndp.ts';
import {
  advertisement,
  linkLayer,
  MAC_A,
  MAC_B,
  type NdSpec,
  solicitation,
} from '../../support/neighbour-frames.ts';
import { concat, ipBytes, macBytes } from '../../support/packets.ts';

const L3 = 14;

function viewOf(frame: Uint8Array): DataView {
  return new DataView(frame.buffer, frame.byteOffset, frame.length);
}

function judge(frame: Uint8Array): number {
  return neighbourMessage(viewOf(frame), L3, frame.length - L3);
}

const PROBE: NdSpec = { sourceIp: '::', options: new Uint8Array() };

describe('neighbourMessage()', () => {
  it('knows solicitations and advertisements, with padding and with any options', () => {
    const others = [Uint8Array.of(14, 2, ...new Uint8Array(14)), linkLayer(1, MAC_A)];
    for (const spec of [{}, { options: new Uint8Array() }, { options: concat(...others) }]) {
      const padding = new Uint8Array(3);
      expect(judge(solicitation(spec))).toBe(NEIGHBOUR_SOLICITATION);
      expect(judge(advertisement({ ...spec, padding }))).toBe(NEIGHBOUR_ADVERTISEMENT);
    }
    expect(judge(solicitation(PROBE))).toBe(NEIGHBOUR_SOLICITATION);
  });

  it.each<[string, NdSpec]>([
    ['a hop limit that a router has touched', { hopLimit: 254 }],
    ['a code', { code: 1 }],
    ['a wrong checksum', { wrongChecksum: true }],
    ['a multicast target', { target: 'ff02::1' }],
    ['a multicast source', { sourceIp: 'ff02::1' }],
    ['an option of length 0', { options: new Uint8Array(8) }],
    [
      'an option that is longer than the packet',
      { options: Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 0) },
    ],
    ['half an option', { options: Uint8Array.of(1, 1, 0, 0) }],
    [
      'a sound option and one of length 0',
      { options: concat(linkLayer(1, MAC_A), new Uint8Array(8)) },
    ],
    ['another type', { type: 134 }],
    ['a header between', { extensions: [[0, Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0)]] }],
  ])('refuses %s', (_, spec) => {
    expect(judge(solicitation(spec))).toBe(-1);
    if (spec.sourceIp === undefined) expect(judge(advertisement(spec))).toBe(-1);
  });

  it('refuses a probe with a source option or to another address than a solicited-node one', () => {
    expect(judge(solicitation({ sourceIp: '::' }))).toBe(-1);
    expect(judge(solicitation({ ...PROBE, destinationIp: 'fd00::2' }))).toBe(-1);
    expect(judge(solicitation({ ...PROBE, destinationIp: 'ff02::1' }))).toBe(-1);
  });

  it('refuses a multicast advertisement that claims to be solicited', () => {
    const toAll = { destinationIp: 'ff02::1' };
    expect(judge(advertisement({ ...toAll, flags: NA_OVERRIDE }))).toBe(NEIGHBOUR_ADVERTISEMENT);
    expect(judge(advertisement({ ...toAll, flags: NA_SOLICITED }))).toBe(-1);
  });

  it('refuses whatever is cut short', () => {
    for (const whole of [solicitation(), advertisement()]) {
      for (let length = L3; length < whole.length; length += 1) {
        expect(judge(whole.slice(0, length)), `${length}`).toBe(-1);
      }
    }
  });

  it('refuses a payload length that leaves no room for the message', () => {
    const frame = solicitation();
    viewOf(frame).setUint16(L3 + 4, 23);
    expect(judge(frame)).toBe(-1);
  });
});

describe('the parts of a message', () => {
  it('are its target, flags and link-layer option', () => {
    const frame = advertisement({ flags: NA_ROUTER | NA_OVERRIDE, destinationIp: 'ff02::1' });
    const view = viewOf(frame);
    const target = ndTargetOffset(L3);
    expect(frame.slice(target, target + 16)).toEqual(ipBytes('fd00::2'));
    expect(naFlags(view, L3)).toBe(NA_ROUTER | NA_OVERRIDE);
    const mac = ndLinkLayerOption(view, L3, OPTION_TARGET_LINK_LAYER);
    expect(frame.slice(mac, mac + 6)).toEqual(macBytes(MAC_B));
    expect(ndLinkLayerOption(view, L3, OPTION_SOURCE_LINK_LAYER)).toBe(-1);
  });

  it('include no option of another length than that of a MAC', () => {
    const options = Uint8Array.of(2, 2, ...new Uint8Array(14));
    const view = viewOf(advertisement({ options }));
    expect(ndLinkLayerOption(view, L3, OPTION_TARGET_LINK_LAYER)).toBe(-1);
  });

  it('tell a probe from a question', () => {
    expect(isSourceUnspecified(viewOf(solicitation(PROBE)), L3)).toBe(true);
    expect(isSourceUnspecified(viewOf(solicitation()), L3)).toBe(false);
    expect(isSourceUnspecified(viewOf(solicitation({ sourceIp: '::1' })), L3)).toBe(false);
  });
});

describe('isHostIpv6()', () => {
  const judged = (text: string): boolean => isHostIpv6(viewOf(ipBytes(text)), 0);

  it('takes global and link-local addresses', () => {
    for (const text of ['fd00::2', 'fe80::1', '2001:db8::', '64:ff9b::1']) {
      expect(judged(text), text).toBe(true);
    }
  });

  it('refuses multicast, unspecified, loopback and IPv4-mapped ones', () => {
    for (const text of ['ff02::1', '::', '::1', '::ffff:a00:2', '::a00:2']) {
      expect(judged(text), text).toBe(false);
    }
  });
});

describe('writeNeighbourAdvertisement()', () => {
  it('writes what the neighbour itself would answer', () => {
    const request = solicitation();
    const bytes = new Uint8Array(256).fill(0xaa);
    bytes.set(request.subarray(L3));
    const flags = NA_ROUTER | NA_SOLICITED | NA_OVERRIDE;
    writeNeighbourAdvertisement(viewOf(bytes), 128, 0, flags, 0x0200, 0x0000_000b);
    const wanted = new Uint8Array(advertisement({ flags }).subarray(L3));
    expect(bytes.slice(128, 128 + NA_PACKET_LENGTH)).toEqual(wanted);
    expect(bytes[128 + NA_PACKET_LENGTH]).toBe(0xaa);
    expect(neighbourMessage(viewOf(bytes), 128, NA_PACKET_LENGTH)).toBe(NEIGHBOUR_ADVERTISEMENT);
  });
});
