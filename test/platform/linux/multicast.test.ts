import { afterEach, expect, it } from 'vitest';

import { linkByName } from '../../../src/linux/netlink-link.ts';
import { joinGroup, leaveGroup, setMulticastEgress } from '../../../src/linux/multicast.ts';
import { readOption } from '../../../src/linux/socket-option.ts';
import {
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
} from '../../../src/linux/uapi.ts';
import { closeSocket, openReceiveSocket } from '../../../src/linux/udp-socket.ts';
import { parseIp } from '../../../src/wire/ip.ts';

const fds: number[] = [];
const ifindex = linkByName('lo')!.index;

afterEach(() => fds.splice(0).forEach(closeSocket));

function open(family: 4 | 6): number {
  const address = parseIp(family === 4 ? '0.0.0.0' : '::')!;
  const { fd } = openReceiveSocket({ family, address, port: 0, gro: false, reusePort: false });
  fds.push(fd);
  return fd;
}

it.each([
  [4, '239.77.77.77'],
  [6, 'ff05::7777'],
] as const)('joins and leaves groups of IPv%i, twice without complaint', (family, text) => {
  const fd = open(family);
  const membership = { family, group: parseIp(text)!, ifindex };
  joinGroup(fd, membership);
  joinGroup(fd, membership);
  leaveGroup(fd, membership);
  leaveGroup(fd, membership);
});

it('says when there is no such interface', () => {
  const membership = { family: 4, group: parseIp('239.1.1.1')!, ifindex: 1 << 30 } as const;
  expect(() => joinGroup(open(4), membership)).toThrow(/Cannot join.*interface 1073741824/s);
});

it('sets interface, hops and no loop for what leaves', () => {
  const four = open(4);
  setMulticastEgress(four, 4, { ifindex, ttl: 7 });
  expect(readOption(four, IPPROTO_IP, IP_MULTICAST_TTL)).toBe(7);
  expect(readOption(four, IPPROTO_IP, IP_MULTICAST_LOOP)).toBe(0);
  const six = open(6);
  setMulticastEgress(six, 6, { ifindex, ttl: 255 });
  expect(readOption(six, IPPROTO_IPV6, IPV6_MULTICAST_HOPS)).toBe(255);
  expect(readOption(six, IPPROTO_IPV6, IPV6_MULTICAST_LOOP)).toBe(0);
  expect(readOption(six, IPPROTO_IPV6, IPV6_MULTICAST_IF)).toBe(ifindex);
});
