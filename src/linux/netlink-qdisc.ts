/** The queueing discipline of an interface. */
import { netlinkFailure, netlinkRequest } from './netlink.ts';
import { RequestBuilder } from './netlink-message.ts';
import * as uapi from './uapi.ts';

/** linux/rtnetlink.h, struct tcmsg: family, pad, index, handle, parent, info. */
const TCMSG_LENGTH = 20;
const INDEX_OFFSET = 4;
const PARENT_OFFSET = 12;

/**
 * Gives the interface `noqueue`, as the kernel gives it to its own tunnel devices.
 *
 * A TAP never pushes back, so a queue in front of it holds nothing; but one with several queues is
 * made for 256, and the default discipline takes 6 MB and 10 ms of each device that is set up. Throws
 * ERR_PERMISSION, ERR_SYSCALL.
 */
export function removeQdisc(index: number): void {
  const fixed = Buffer.alloc(TCMSG_LENGTH);
  fixed.writeInt32LE(index, INDEX_OFFSET);
  fixed.writeUInt32LE(uapi.TC_H_ROOT, PARENT_OFFSET);
  const request = new RequestBuilder(fixed).text(uapi.TCA_KIND, 'noqueue');
  try {
    netlinkRequest(uapi.RTM_NEWQDISC, uapi.NLM_F_CREATE | uapi.NLM_F_REPLACE, request);
  } catch (error) {
    throw netlinkFailure(`set the queueing discipline of interface ${index}`, error);
  }
}
