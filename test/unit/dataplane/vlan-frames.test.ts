import { describe, expect, it } from 'vitest';
import { VlanFrames } from '../../../src/dataplane/vlan-frames.ts';
import { VLAN_DROP, VLAN_STRIP, VlanTable } from '../../../src/dataplane/vlan-table.ts';
import { SLOT_FRAME_OFFSET } from '../../../src/packet/slot.ts';
import { udpFrame } from '../../support/packets.ts';

const SLOT = 64;

interface Taken {
  readonly isWanted: boolean;
  readonly tunnel: number;
  readonly frame: Uint8Array;
}

function tagged(frame: Uint8Array, ...vids: number[]): Uint8Array {
  const tags = vids.flatMap((vid) => [0x81, 0x00, vid >> 8, vid & 0xff]);
  return Uint8Array.of(...frame.subarray(0, 12), ...tags, ...frame.subarray(12));
}

/** What becomes of a frame from the device of tunnel 2, whose VLAN 10 is tunnel 3. */
function take(frame: Uint8Array, policy: number): Taken {
  const vlans = new VlanTable(4);
  vlans.set(2, policy, 0);
  vlans.setTrunk(2, [10], [3]);
  const bytes = new Uint8Array(2048);
  bytes.set(frame, SLOT + SLOT_FRAME_OFFSET);
  const frames = new VlanFrames(vlans);
  const view = new DataView(bytes.buffer);
  const isWanted = frames.take(view, SLOT, frame.length, 2, vlans.mode(2));
  const { tunnel, slot, length } = frames;
  const at = slot + SLOT_FRAME_OFFSET;
  return { isWanted, tunnel, frame: bytes.slice(at, at + length) };
}

describe('VlanFrames', () => {
  const frame = udpFrame();

  it('gives a VLAN of its own to its tunnel, without the tag', () => {
    expect(take(tagged(frame, 10), VLAN_DROP)).toEqual({ isWanted: true, tunnel: 3, frame });
  });

  it('leaves an untagged frame, and one of VLAN 0, to the device', () => {
    expect(take(frame, VLAN_DROP)).toEqual({ isWanted: true, tunnel: 2, frame });
    expect(take(tagged(frame, 0), VLAN_DROP)).toEqual({ isWanted: true, tunnel: 2, frame });
  });

  it('drops or strips any other tag, also behind one that was taken', () => {
    expect(take(tagged(frame, 11), VLAN_DROP).isWanted).toBe(false);
    expect(take(tagged(frame, 10, 11), VLAN_DROP)).toMatchObject({ isWanted: false, tunnel: 3 });
    expect(take(tagged(frame, 11), VLAN_STRIP)).toEqual({ isWanted: true, tunnel: 2, frame });
    expect(take(tagged(frame, 11, 12), VLAN_STRIP).frame).toEqual(frame);
  });
});
