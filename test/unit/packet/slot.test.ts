import { describe, expect, test } from 'vitest';
import {
  DATAGRAM_BYTES_MAX,
  FRAME_BYTES_MAX,
  SLOT_BYTES,
  SLOT_FRAME_OFFSET,
  SLOT_VNET_OFFSET,
  SLOT_VXLAN_OFFSET,
} from '../../../src/packet/slot.ts';
import { VIRTIO_NET_HDR_LENGTH } from '../../../src/wire/virtio-net.ts';
import { VXLAN_HEADER_LENGTH } from '../../../src/wire/vxlan.ts';

describe('the slot', () => {
  test('has the frame right behind both headers', () => {
    expect(SLOT_VNET_OFFSET + VIRTIO_NET_HDR_LENGTH).toBe(SLOT_FRAME_OFFSET);
    expect(SLOT_VXLAN_OFFSET + VXLAN_HEADER_LENGTH).toBe(SLOT_FRAME_OFFSET);
  });

  test('holds what a TAP and a socket hand over at most', () => {
    expect(SLOT_FRAME_OFFSET + FRAME_BYTES_MAX).toBeLessThanOrEqual(SLOT_BYTES);
    expect(DATAGRAM_BYTES_MAX).toBeLessThanOrEqual(SLOT_BYTES);
    expect(FRAME_BYTES_MAX).toBeGreaterThanOrEqual(65_545);
    expect(DATAGRAM_BYTES_MAX).toBeGreaterThanOrEqual(65_535);
  });
});
