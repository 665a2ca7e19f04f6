import { expect, it } from 'vitest';
import * as vnet from '../../../src/wire/virtio-net.ts';

it('numbers are those of linux/virtio_net.h', () => {
  expect(vnet.VIRTIO_NET_HDR_F_NEEDS_CSUM).toBe(1);
  expect(vnet.VIRTIO_NET_HDR_F_DATA_VALID).toBe(2);
  expect(vnet.VIRTIO_NET_HDR_GSO_NONE).toBe(0);
  expect(vnet.VIRTIO_NET_HDR_GSO_TCPV4).toBe(1);
  expect(vnet.VIRTIO_NET_HDR_GSO_TCPV6).toBe(4);
  expect(vnet.VIRTIO_NET_HDR_GSO_UDP_L4).toBe(5);
  expect(vnet.VIRTIO_NET_HDR_GSO_ECN).toBe(0x80);
});
