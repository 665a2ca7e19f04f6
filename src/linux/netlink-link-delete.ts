/** Deletes interfaces, many at the price of a few. */
import { randomBytes } from 'node:crypto';
import { ENODEV } from './errno.ts';
import { NetlinkError, netlinkFailure, netlinkRequest } from './netlink.ts';
import { RequestBuilder } from './netlink-message.ts';
import * as uapi from './uapi.ts';

/** linux/rtnetlink.h, struct ifinfomsg. */
const IFINFOMSG_LENGTH = 16;
const INDEX_OFFSET = 4;
/** The kernel holds its lock for about a third of a millisecond for each. */
const GROUP_SIZE = 256;

/**
 * Deletes the interfaces with these indices; one that is gone already is fine.
 *
 * The kernel waits some 20 ms for its readers after each deletion, so several are given a group of their
 * own (IFLA_GROUP, a random number that nobody else has) and are deleted by it, with one wait for all.
 * Throws ERR_PERMISSION, ERR_SYSCALL; some may be deleted then.
 */
export function deleteLinks(indices: readonly number[]): void {
  for (let first = 0; first < indices.length; first += GROUP_SIZE) {
    deleteGroup(indices.slice(first, first + GROUP_SIZE));
  }
}

function deleteGroup(indices: readonly number[]): void {
  // 0 is the default group; the upper half of the numbers is not used by hand.
  const group = (randomBytes(4).readUInt32LE() | 0x80000000) >>> 0;
  let moved = 0;
  for (const index of indices) {
    moved += Number(attempt(uapi.RTM_NEWLINK, linkRequest(index).uint32(uapi.IFLA_GROUP, group)));
  }
  if (moved > 0) attempt(uapi.RTM_DELLINK, linkRequest(0).uint32(uapi.IFLA_GROUP, group));
}

/** False when there is no such interface. */
function attempt(type: number, request: RequestBuilder): boolean {
  try {
    netlinkRequest(type, 0, request);
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === ENODEV) return false;
    throw netlinkFailure('delete interfaces', error, 'deleting interfaces needs CAP_NET_ADMIN');
  }
}

function linkRequest(index: number): RequestBuilder {
  const fixed = Buffer.alloc(IFINFOMSG_LENGTH);
  fixed.writeUInt32LE(index, INDEX_OFFSET);
  return new RequestBuilder(fixed);
}
