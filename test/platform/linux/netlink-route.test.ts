import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveInterface, setLink } from '../../../src/linux/netlink-link.ts';
import {
  RequestBuilder,
  parseMessages,
  type NetlinkMessage,
} from '../../../src/linux/netlink-message.ts';
import { parseRoute, routeTo } from '../../../src/linux/netlink-route.ts';
import {
  RTA_CACHEINFO,
  RTA_METRICS,
  RTA_OIF,
  RTAX_MTU,
  RTM_F_CLONED,
  RTM_NEWROUTE,
  RTN_UNICAST,
} from '../../../src/linux/uapi.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { describeIf } from '../../support/requires.ts';
import { deleteLink, ip, uniqueName } from './names.ts';

const REQUIREMENT = { root: true, tun: true, commands: ['ip'] };

let name: string;
let index: number;

function makeTap(): void {
  name = uniqueName();
  ip('tuntap', 'add', name, 'mode', 'tap');
  index = resolveInterface(name);
}

function removeTap(): void {
  deleteLink(name);
}

describeIf(REQUIREMENT, 'routeTo()', () => {
  beforeEach(makeTap);
  afterEach(removeTap);

  test('names interface, source address and the MTU of the route', () => {
    for (const [own, other] of [
      ['198.51.100.5/24', '198.51.100.9'],
      ['2001:db8:5::1/64', '2001:db8:5::9'],
    ] as const) {
      ip('address', 'add', own, 'dev', name, ...(own.includes(':') ? ['nodad'] : []));
      setLink(index, { up: true });
      const route = routeTo(parseIp(other)!);
      const source = own.slice(0, own.indexOf('/'));
      expect(route).toEqual({ oif: index, preferredSource: parseIp(source) });
      ip('route', 'add', other, 'dev', name, 'mtu', '1400');
      expect(routeTo(parseIp(other)!)?.mtu).toBe(1400);
      expect(routeTo(parseIp(other)!, { from: parseIp(source)!, oif: index })?.oif).toBe(index);
    }
  });

  test('leaves by the interface asked for', () => {
    setLink(index, { up: true });
    ip('address', 'add', 'fe80::5/64', 'dev', name, 'nodad');
    expect(routeTo(parseIp('fe80::1')!, { oif: index })?.oif).toBe(index);
    expect(routeTo(parseIp('127.0.0.1')!)?.oif).toBe(resolveInterface('lo'));
  });

  test('is undefined where there is no route', () => {
    setLink(index, { up: true });
    ip('address', 'add', '198.51.100.5/24', 'dev', name);
    for (const [type, prefix] of [
      ['unreachable', '203.0.113.1'],
      ['blackhole', '203.0.113.2'],
      ['prohibit', '203.0.113.3'],
      ['unreachable', '2001:db8:6::1'],
      ['blackhole', '2001:db8:6::2'],
      ['prohibit', '2001:db8:6::3'],
    ] as const) {
      ip('route', 'add', type, prefix);
      try {
        expect(routeTo(parseIp(prefix)!), `${type} ${prefix}`).toBeUndefined();
      } finally {
        ip('route', 'del', type, prefix);
      }
    }
    const from = parseIp('192.0.2.77')!;
    expect(routeTo(parseIp('198.51.100.9')!, { from })).toBeUndefined();
  });
});

test('parseRoute() tells what was learned of a path from what was configured', () => {
  const message = (flags: number, expires: number): NetlinkMessage => {
    const fixed = Buffer.alloc(12);
    fixed.writeUInt8(RTN_UNICAST, 7);
    fixed.writeUInt32LE(flags, 8);
    const cache = Buffer.alloc(32);
    cache.writeInt32LE(expires, 8);
    const metrics = new RequestBuilder(Buffer.alloc(0)).uint32(RTAX_MTU, 1400);
    const body = new RequestBuilder(fixed).uint32(RTA_OIF, 3).nested(RTA_METRICS, metrics);
    return parseMessages(body.bytes(RTA_CACHEINFO, cache).build(RTM_NEWROUTE, 0, 1))[0]!;
  };
  expect(parseRoute(message(RTM_F_CLONED, 500))).toEqual({ oif: 3, mtu: 1400, learned: true });
  expect(parseRoute(message(RTM_F_CLONED, 0))).toEqual({ oif: 3, mtu: 1400 });
  expect(parseRoute(message(0, 500))).toEqual({ oif: 3, mtu: 1400 });
});
