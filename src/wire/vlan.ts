// Hot path: no allocation, no throw, no await.

/**
 * VLAN tag, IEEE 802.1Q-2018 §9.3: four bytes between the source MAC and the EtherType.
 *
 *  0                   1                   2                   3
 * +-------------------------------+-----+-+-----------------------+
 * | TPID: 0x8100 (C) or 0x88a8 (S)| PCP |D|        VLAN ID        |
 * +-------------------------------+-----+-+-----------------------+
 *
 * D is the drop eligible indicator. `tagOffset` is where the TPID stands: 12 bytes into a frame for the
 * outer tag, 16 for an inner one.
 */
export const VLAN_TAG_LENGTH = 4;
export const VLAN_ID_MAX = 4094;

const TCI_OFFSET = 2;
const ID_MASK = 0x0fff;
const PRIORITY_SHIFT = 13;

/** VLAN ID, 0..4095; 0 is a priority tag and 4095 is reserved. */
export function readVlanId(view: DataView, tagOffset: number): number {
  return view.getUint16(tagOffset + TCI_OFFSET) & ID_MASK;
}

/** Priority code point, 0..7. */
export function readVlanPriority(view: DataView, tagOffset: number): number {
  return view.getUint16(tagOffset + TCI_OFFSET) >>> PRIORITY_SHIFT;
}

/** Writes all 4 bytes, not drop eligible: `tpid` an EtherType, `priority` 0..7, `vlanId` 0..VLAN_ID_MAX. */
export function writeVlanTag(
  view: DataView,
  tagOffset: number,
  tpid: number,
  priority: number,
  vlanId: number,
): void {
  view.setUint16(tagOffset, tpid);
  view.setUint16(tagOffset + TCI_OFFSET, (priority << PRIORITY_SHIFT) | (vlanId & ID_MASK));
}
