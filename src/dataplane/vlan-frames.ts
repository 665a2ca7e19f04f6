// Hot path: no allocation, no throw, no await.
import { SLOT_FRAME_OFFSET } from '../packet/slot.ts';
import { VLAN_TAG_LENGTH } from '../wire/vlan.ts';
import { isTrunk, VLAN_DROP, VLAN_PASS, vlanPolicy, type VlanTable } from './vlan-table.ts';
import { isTagged, removeTag, vlanOf } from './vlan-tag.ts';

/**
 * Frames from a device that does not pass every tag: the VLAN of each names its tunnel, or the tunnel's
 * policy says what becomes of the tag (RFC 7348 section 6.1).
 */
export class VlanFrames {
  /** Of the frame that was taken last: its tunnel, its slot, and its length without the tag. */
  tunnel = 0;
  slot = 0;
  length = 0;

  readonly #vlans: VlanTable;

  constructor(vlans: VlanTable) {
    this.#vlans = vlans;
  }

  /** Takes a frame from the device of tunnel `device`, with mode `mode`; false when it must be dropped. */
  take(view: DataView, slot: number, length: number, device: number, mode: number): boolean {
    this.tunnel = device;
    this.slot = slot;
    this.length = length;
    if (isTrunk(mode) && isTagged(view, slot + SLOT_FRAME_OFFSET, length)) {
      const vid = vlanOf(view, slot + SLOT_FRAME_OFFSET);
      const tunnel = vid < 0 ? -1 : this.#vlans.tunnelOf(mode, vid);
      if (tunnel >= 0) this.tunnel = tunnel;
      // VLAN 0 is no VLAN but a priority (IEEE 802.1Q table 9-2): the frame is an untagged one.
      if (tunnel >= 0 || vid === 0) this.#removeTag(view);
    }
    const policy = vlanPolicy(mode);
    while (policy !== VLAN_PASS && isTagged(view, this.slot + SLOT_FRAME_OFFSET, this.length)) {
      if (policy === VLAN_DROP) return false;
      this.#removeTag(view);
    }
    return true;
  }

  #removeTag(view: DataView): void {
    this.slot = removeTag(view, this.slot);
    this.length -= VLAN_TAG_LENGTH;
  }
}
