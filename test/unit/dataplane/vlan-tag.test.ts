import { describe, expect, it, test } from 'vitest';

import { isTagged, vlanOf } from '../../../src/dataplane/vlan-tag.ts';
import { VLAN_DROP, VLAN_PASS, VLAN_STRIP } from '../../../src/dataplane/vlan-table.ts';
import { DataPath, VNI } from '../../support/data-path.ts';
import { arpFrame, bytesOf, tcpFrame, udpFrame, vxlanDatagram } from '../../support/packets.ts';

const SERVICE_TAG = 0x88a8;

function tagged(frame: Uint8Array, vid: number, tpid = 0x8100): Uint8Array {
  const tag = [tpid >> 8, tpid & 0xff, 0x60 | (vid >> 8), vid & 0xff];
  return Uint8Array.of(...frame.subarray(0, 12), ...tag, ...frame.subarray(12));
}

/** As our own tags are: without a priority. */
function delivered(frame: Uint8Array, vid: number): Uint8Array {
  const result = tagged(frame, vid);
  result[14]! &= 0x0f;
  return result;
}

/** A device with VNI 42 whose VLAN 10 is VNI 1010, tunnel 1; all flood to one remote each. */
function trunk(policy = VLAN_DROP): DataPath {
  const path = new DataPath();
  path.tunnel(1, 1010);
  path.flood([path.remote('192.0.2.1')]);
  path.flood([path.remote('192.0.2.1', { tunnel: 1, vni: 1010 })], 1010);
  path.tables.vlans.set(0, policy, 0);
  path.tables.vlans.set(1, policy, 10);
  path.tables.vlans.setTrunk(0, [10], [1]);
  return path;
}

describe('a frame from a device', () => {
  test('of a VLAN goes to the VNI of the VLAN without its tag, any other to its own', () => {
    const path = trunk();
    const frame = udpFrame();
    const frames = [tagged(frame, 10), frame, tagged(frame, 0)];
    path.transmit(frames.map((each) => ({ frame: each })));
    const wanted = [1010, VNI, VNI].map((vni) => vxlanDatagram(vni, frame));
    expect(path.sender.datagrams).toEqual(wanted);
    expect([path.counter(0, 0), path.counter(0, 1)]).toEqual([2, 1]);
  });

  test('with a tag that names no VNI is dropped, stripped or passed', () => {
    const frame = arpFrame();
    for (const other of [tagged(frame, 11), tagged(frame, 10, SERVICE_TAG)]) {
      const drop = trunk(VLAN_DROP);
      drop.transmit([{ frame: other }]);
      expect(drop.drops()).toEqual({ vlan_tag: 1 });
      const strip = trunk(VLAN_STRIP);
      strip.transmit([{ frame: other }]);
      expect(strip.sender.datagrams).toEqual([vxlanDatagram(VNI, frame)]);
      const pass = trunk(VLAN_PASS);
      pass.transmit([{ frame: other }]);
      expect(pass.sender.datagrams).toEqual([vxlanDatagram(VNI, other)]);
    }
  });

  test('with a second tag inside its VLAN is judged by the policy of the VLAN', () => {
    const inner = tagged(arpFrame(), 7);
    const drop = trunk(VLAN_DROP);
    drop.transmit([{ frame: tagged(inner, 10) }]);
    expect(drop.drops(1)).toEqual({ vlan_tag: 1 });
    const pass = trunk(VLAN_PASS);
    pass.transmit([{ frame: tagged(inner, 10) }]);
    expect(pass.sender.datagrams).toEqual([vxlanDatagram(1010, inner)]);
    const strip = trunk(VLAN_STRIP);
    strip.transmit([{ frame: tagged(inner, 10) }]);
    expect(strip.sender.datagrams).toEqual([vxlanDatagram(1010, arpFrame())]);
  });

  test('that is a tagged super-frame is segmented as the untagged one is', () => {
    const frame = tcpFrame({ payload: bytesOf(2500), checksum: 'partial' });
    const vnet = { flags: 1, gsoType: 1, gsoSize: 1000, csumOffset: 16 };
    const plain = trunk();
    plain.transmit([{ frame, vnet: { ...vnet, csumStart: 34, hdrLen: 54 } }]);
    const path = trunk();
    path.transmit([{ frame: tagged(frame, 10), vnet: { ...vnet, csumStart: 38, hdrLen: 58 } }]);
    expect(path.sender.datagrams).toHaveLength(3);
    const inner = (datagrams: Uint8Array[]) => datagrams.map((each) => each.slice(8));
    expect(inner(path.sender.datagrams)).toEqual(inner(plain.sender.datagrams));
    expect(path.sender.datagrams[0]!.slice(4, 7)).toEqual(Uint8Array.of(0, 0x03, 0xf2));
  });
});

describe('a frame from the underlay', () => {
  test('of the VNI of a VLAN gets the tag, one of the own VNI none', () => {
    const path = trunk();
    const frames = [udpFrame(), tcpFrame({ payload: bytesOf(100) })];
    for (const frame of frames) path.receive([{ bytes: vxlanDatagram(1010, frame) }]);
    path.receive([{ bytes: vxlanDatagram(VNI, frames[0]!) }]);
    expect(path.writer.deliveries.map(({ frame }) => frame)).toEqual([
      ...frames.map((frame) => delivered(frame, 10)),
      frames[0],
    ]);
  });

  test('that carries a tag itself is dropped unless tags pass', () => {
    const frame = tagged(arpFrame(), 7);
    for (const policy of [VLAN_STRIP, VLAN_DROP]) {
      const path = trunk(policy);
      path.receive([1010, VNI].map((vni) => ({ bytes: vxlanDatagram(vni, frame) })));
      expect([path.drops(0), path.drops(1)]).toEqual([{ vlan_tag: 1 }, { vlan_tag: 1 }]);
      expect(path.writer.deliveries).toEqual([]);
    }
    const path = trunk(VLAN_PASS);
    path.receive([1010, VNI].map((vni) => ({ bytes: vxlanDatagram(vni, frame) })));
    expect(path.writer.deliveries.map((each) => each.frame)).toEqual([delivered(frame, 10), frame]);
  });
});

it('takes a frame without room for a tag for an untagged one', () => {
  const view = new DataView(tagged(arpFrame(), 7).slice(0, 17).buffer);
  expect(isTagged(view, 0, 17)).toBe(false);
  expect(vlanOf(view, 0)).toBe(7);
});
