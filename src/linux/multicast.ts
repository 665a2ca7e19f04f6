/** Membership of multicast groups, and how multicast leaves a socket. */
import { EADDRINUSE, EADDRNOTAVAIL, ENODEV, syscallError } from './errno.ts';
import { lastErrno, libc } from './libc.ts';
import { writeSockaddr } from './sockaddr.ts';
import { bytesOf, setOption } from './socket-option.ts';
import * as uapi from './uapi.ts';

/** linux/in.h: struct group_req, an interface index and a sockaddr_storage of 128 bytes. */
const GROUP_REQ_BYTES = 136;
const GROUP_REQ_ADDRESS = 8;

export interface GroupMembership {
  readonly family: 4 | 6;
  /** 16 bytes, IPv4 mapped. */
  readonly group: Uint8Array;
  readonly ifindex: number;
}

/**
 * Joins a group on an interface, which makes the kernel say so with IGMP or MLD. Joining again is fine.
 * Throws ERR_SYSCALL, for one when there is no such interface.
 */
export function joinGroup(fd: number, membership: GroupMembership): void {
  const errno = change(fd, uapi.MCAST_JOIN_GROUP, membership);
  if (errno !== 0 && errno !== EADDRINUSE) {
    throw syscallError('join', errno, `a multicast group on interface ${membership.ifindex}`);
  }
}

/** Leaves a group; one that is not joined, or whose interface has gone, is fine. */
export function leaveGroup(fd: number, membership: GroupMembership): void {
  const errno = change(fd, uapi.MCAST_LEAVE_GROUP, membership);
  if (errno !== 0 && errno !== EADDRNOTAVAIL && errno !== ENODEV) {
    throw syscallError('leave', errno, `a multicast group on interface ${membership.ifindex}`);
  }
}

/**
 * Makes multicast of a socket leave through an interface, with a TTL or hop limit, and not return to this
 * host. Throws ERR_SYSCALL.
 */
export function setMulticastEgress(
  fd: number,
  family: 4 | 6,
  egress: { readonly ifindex: number; readonly ttl: number },
): void {
  const { ifindex, ttl } = egress;
  if (family === 4) {
    setOption(fd, uapi.IPPROTO_IP, uapi.IP_MULTICAST_LOOP, 0);
    setOption(fd, uapi.IPPROTO_IP, uapi.IP_MULTICAST_TTL, ttl);
    // linux/in.h: struct ip_mreqn, two addresses that do not matter here and the interface.
    const request = bytesOf(new Int32Array([0, 0, ifindex]));
    const { IPPROTO_IP, IP_MULTICAST_IF } = uapi;
    if (libc.setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, request, request.length) < 0) {
      throw syscallError('set', lastErrno(), `the multicast interface to ${ifindex}`);
    }
    return;
  }
  setOption(fd, uapi.IPPROTO_IPV6, uapi.IPV6_MULTICAST_LOOP, 0);
  setOption(fd, uapi.IPPROTO_IPV6, uapi.IPV6_MULTICAST_HOPS, ttl);
  setOption(fd, uapi.IPPROTO_IPV6, uapi.IPV6_MULTICAST_IF, ifindex);
}

/** Returns the errno, 0 for success. */
function change(fd: number, option: number, { family, group, ifindex }: GroupMembership): number {
  const request = new Uint8Array(GROUP_REQ_BYTES);
  const view = new DataView(request.buffer);
  view.setUint32(0, ifindex, true);
  writeSockaddr(view, GROUP_REQ_ADDRESS, family, group, 0, 0, 0);
  const level = family === 4 ? uapi.IPPROTO_IP : uapi.IPPROTO_IPV6;
  return libc.setsockopt(fd, level, option, request, request.length) < 0 ? lastErrno() : 0;
}
