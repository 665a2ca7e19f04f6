// Hot path: no allocation, no throw, no await.
import { SLOT_FRAME_OFFSET, SLOT_VNET_OFFSET } from '../packet/slot.ts';
import {
  ETHERNET_HEADER_LENGTH,
  ETHERNET_TYPE_OFFSET,
  ETHERTYPE_VLAN,
  isVlanEtherType,
  readEtherType,
} from '../wire/ethernet.ts';
import { readVlanId, VLAN_TAG_LENGTH, writeVlanTag } from '../wire/vlan.ts';
import {
  readVnetCsumOffset,
  readVnetCsumStart,
  readVnetFlags,
  readVnetGsoSize,
  readVnetGsoType,
  readVnetHdrLen,
  writeVnetCsumOffset,
  writeVnetCsumStart,
  writeVnetFlags,
  writeVnetGsoSize,
  writeVnetGsoType,
  writeVnetHdrLen,
} from '../wire/virtio-net.ts';
import { deliveryVid, VLAN_PASS, vlanPolicy } from './vlan-table.ts';

const NO_VLAN = -1;

/** True for a frame of at least ETHERNET_HEADER_LENGTH bytes with a whole VLAN tag of either kind. */
export function isTagged(view: DataView, frame: number, length: number): boolean {
  return (
    length >= ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH &&
    isVlanEtherType(readEtherType(view, frame))
  );
}

/** VLAN ID of a tagged frame, 0..4095; -1 for a service tag (802.1ad), which is no VLAN of a device. */
export function vlanOf(view: DataView, frame: number): number {
  if (readEtherType(view, frame) !== ETHERTYPE_VLAN) return NO_VLAN;
  return readVlanId(view, frame + ETHERNET_TYPE_OFFSET);
}

/**
 * Takes the outer tag off a tagged frame in a slot: MACs and virtio_net_hdr move up by the length of the
 * tag. The frame is that of the returned slot then, shorter by VLAN_TAG_LENGTH.
 */
export function removeTag(view: DataView, slot: number): number {
  const frame = slot + SLOT_FRAME_OFFSET;
  // From the end: source and destination overlap. The MACs first, the header moves to where they were.
  for (let at = frame + 8; at >= frame; at -= 4) {
    view.setInt32(at + VLAN_TAG_LENGTH, view.getInt32(at));
  }
  const from = slot + SLOT_VNET_OFFSET;
  const to = from + VLAN_TAG_LENGTH;
  const hdrLen = readVnetHdrLen(view, from);
  const csumStart = readVnetCsumStart(view, from);
  writeVnetCsumOffset(view, to, readVnetCsumOffset(view, from));
  // What the TAP does not use is 0 and stays so.
  writeVnetCsumStart(view, to, csumStart < VLAN_TAG_LENGTH ? 0 : csumStart - VLAN_TAG_LENGTH);
  writeVnetGsoSize(view, to, readVnetGsoSize(view, from));
  writeVnetHdrLen(view, to, hdrLen < VLAN_TAG_LENGTH ? 0 : hdrLen - VLAN_TAG_LENGTH);
  const flags = readVnetFlags(view, from);
  const gsoType = readVnetGsoType(view, from);
  writeVnetFlags(view, to, flags);
  writeVnetGsoType(view, to, gsoType);
  return slot + VLAN_TAG_LENGTH;
}

/**
 * True for a received frame with a tag that a tunnel with this mode does not want: whoever strips tags from
 * what is sent expects none in what is received (RFC 7348 section 6.1).
 */
export function refusesTag(view: DataView, frame: number, length: number, mode: number): boolean {
  return vlanPolicy(mode) !== VLAN_PASS && isTagged(view, frame, length);
}

/**
 * Gives a frame the tag that it has on the device of a tunnel with this mode; the VLAN_TAG_LENGTH bytes in
 * front of it must be free. Returns where the frame begins then, longer by what that is further in front.
 */
export function tagForDevice(view: DataView, frame: number, mode: number): number {
  const vid = deliveryVid(mode);
  return vid === 0 ? frame : insertTag(view, frame, vid);
}

/**
 * Puts a tag into a frame: its MACs move down by the length of the tag, in a received frame over the end of
 * the VXLAN header, which has been read. Returns where the frame begins then, longer by VLAN_TAG_LENGTH.
 */
function insertTag(view: DataView, frame: number, vid: number): number {
  const tagged = frame - VLAN_TAG_LENGTH;
  for (let at = tagged; at < tagged + 12; at += 4) {
    view.setInt32(at, view.getInt32(at + VLAN_TAG_LENGTH));
  }
  writeVlanTag(view, tagged + ETHERNET_TYPE_OFFSET, ETHERTYPE_VLAN, 0, vid);
  return tagged;
}
