import { describe, expect, test } from 'vitest';
import { parseLink } from '../../../src/linux/netlink-link.ts';
import { RequestBuilder, parseMessages } from '../../../src/linux/netlink-message.ts';
import * as uapi from '../../../src/linux/uapi.ts';

const empty = Buffer.alloc(0);

/** A message as the kernel sends it, for an interface of index 7 that is up. */
function message(info?: RequestBuilder, mac = '020000000001') {
  const fixed = Buffer.alloc(16);
  fixed.writeInt32LE(7, 4);
  fixed.writeUInt32LE(uapi.IFF_UP | 0x1002, 8);
  const request = new RequestBuilder(fixed)
    .text(uapi.IFLA_IFNAME, 'dev7')
    .uint32(uapi.IFLA_MTU, 9000)
    .bytes(uapi.IFLA_ADDRESS, Buffer.from(mac, 'hex'));
  if (info !== undefined) request.nested(uapi.IFLA_LINKINFO, info);
  return parseMessages(request.build(uapi.RTM_NEWLINK, 0, 1))[0]!;
}

function info(kind: string, data?: RequestBuilder): RequestBuilder {
  const builder = new RequestBuilder(empty).text(uapi.IFLA_INFO_KIND, kind);
  return data === undefined ? builder : builder.nested(uapi.IFLA_INFO_DATA, data);
}

function uint8(...pairs: readonly (readonly [number, number])[]): RequestBuilder {
  const builder = new RequestBuilder(empty);
  for (const [type, value] of pairs) builder.bytes(type, Buffer.from([value]));
  return builder;
}

describe('parseLink()', () => {
  test('reads hardware, which has no kind', () => {
    expect(parseLink(message())).toEqual({
      index: 7,
      name: 'dev7',
      mtu: 9000,
      mac: { high: 0x0200, low: 1 },
      up: true,
      kind: undefined,
      master: undefined,
      tun: undefined,
      vxlan: undefined,
    });
  });

  test('has no MAC for an address of another length', () => {
    expect(parseLink(message(undefined, '7f000001')).mac).toBeUndefined();
    expect(parseLink(message(undefined, '')).mac).toBeUndefined();
  });

  test('reads the port of a vxlan device in network order', () => {
    const data = new RequestBuilder(empty)
      .uint32(uapi.IFLA_VXLAN_ID, 42)
      .bytes(uapi.IFLA_VXLAN_PORT, Buffer.from('12b5', 'hex'));
    expect(parseLink(message(info('vxlan', data))).vxlan).toEqual({ vni: 42, port: 4789 });
  });

  test('counts the attached and the detached queues of a TAP', () => {
    const data = uint8(
      [uapi.IFLA_TUN_TYPE, uapi.IFF_TAP],
      [uapi.IFLA_TUN_PERSIST, 1],
      [uapi.IFLA_TUN_MULTI_QUEUE, 1],
    )
      .uint32(uapi.IFLA_TUN_NUM_QUEUES, 2)
      .uint32(uapi.IFLA_TUN_NUM_DISABLED_QUEUES, 1);
    expect(parseLink(message(info('tun', data))).tun).toEqual({
      type: 'tap',
      persistent: true,
      multiQueue: true,
      queues: 3,
    });
  });

  test('tells a tun from a TAP, and a kernel that does not tell', () => {
    const data = uint8([uapi.IFLA_TUN_TYPE, uapi.IFF_TUN]);
    expect(parseLink(message(info('tun', data))).tun?.type).toBe('tun');
    expect(parseLink(message(info('tun')))).toMatchObject({ kind: 'tun', tun: undefined });
  });
});
