import { expect, it } from 'vitest';
import * as vnet from '../../../src/wire/virtio-net.ts';
import { bytesOf, hexOf, poisoned } from './bytes.ts';

/** NEEDS_CSUM, TCPv4 with ECN, 66 header bytes, segments of 1398, checksum at 34 + 16, little-endian. */
const HEADER = '01 81 4200 7605 2200 1000';

it('the readers read what stands in a header', () => {
  const view = bytesOf(HEADER);
  expect(vnet.readVnetFlags(view, 0)).toBe(vnet.VIRTIO_NET_HDR_F_NEEDS_CSUM);
  expect(vnet.readVnetGsoType(view, 0)).toBe(
    vnet.VIRTIO_NET_HDR_GSO_TCPV4 | vnet.VIRTIO_NET_HDR_GSO_ECN,
  );
  expect(vnet.readVnetHdrLen(view, 0)).toBe(66);
  expect(vnet.readVnetGsoSize(view, 0)).toBe(1398);
  expect(vnet.readVnetCsumStart(view, 0)).toBe(34);
  expect(vnet.readVnetCsumOffset(view, 0)).toBe(16);
});

it('the writers write the ten bytes and nothing beside them', () => {
  const view = poisoned(12);
  vnet.writeVnetFlags(view, 1, 1);
  vnet.writeVnetGsoType(view, 1, 0x81);
  vnet.writeVnetHdrLen(view, 1, 66);
  vnet.writeVnetGsoSize(view, 1, 1398);
  vnet.writeVnetCsumStart(view, 1, 34);
  vnet.writeVnetCsumOffset(view, 1, 16);
  expect(hexOf(view)).toBe(`a5${HEADER.replaceAll(' ', '')}a5`);
});

it('clearVnetHeader() zeroes the ten bytes', () => {
  const view = poisoned(12);
  vnet.clearVnetHeader(view, 1);
  expect(hexOf(view)).toBe(`a5${'00'.repeat(10)}a5`);
});
