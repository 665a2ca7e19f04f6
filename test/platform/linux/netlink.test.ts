import { describe, expect, test } from 'vitest';
import { VtepError } from '../../../src/base/errors.ts';
import { EINVAL, ENODEV } from '../../../src/linux/errno.ts';
import { NetlinkError, netlinkFailure, netlinkRequest } from '../../../src/linux/netlink.ts';
import { RequestBuilder } from '../../../src/linux/netlink-message.ts';
import { NLM_F_DUMP, RTM_GETLINK, RTM_GETROUTE } from '../../../src/linux/uapi.ts';

/** struct ifinfomsg of an interface. */
function link(index: number): RequestBuilder {
  const fixed = Buffer.alloc(16);
  fixed.writeInt32LE(index, 4);
  return new RequestBuilder(fixed);
}

function refusal(action: () => unknown): NetlinkError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(NetlinkError);
    return error as NetlinkError;
  }
  throw new Error('it was not refused');
}

describe('netlinkRequest()', () => {
  test('answers a question about one thing with one message', () => {
    const messages = netlinkRequest(RTM_GETLINK, 0, link(1));
    expect(messages).toHaveLength(1);
    expect(messages[0]!.body.readInt32LE(4)).toBe(1);
  });

  test('answers a dump with all of its messages, however many pieces they come in', () => {
    const one = netlinkRequest(RTM_GETLINK, NLM_F_DUMP, link(0));
    expect(one.map(({ body }) => body.readInt32LE(4))).toContain(1);
    for (let i = 0; i < 50; i++) netlinkRequest(RTM_GETLINK, NLM_F_DUMP, link(0));
  });

  test('throws the number of a refusal', () => {
    expect(refusal(() => netlinkRequest(RTM_GETLINK, 0, link(2 ** 31 - 1))).errno).toBe(ENODEV);
  });

  test("carries the kernel's own words", () => {
    const short = new RequestBuilder(Buffer.from('02000000', 'hex'));
    const { errno, message } = refusal(() => netlinkRequest(RTM_GETROUTE, 0, short));
    expect(errno).toBe(EINVAL);
    expect(message).toMatch(/^EINVAL \(.+\)$/u);
  });
});

describe('netlinkFailure()', () => {
  test('turns a refusal into an error for the user and passes other values through', () => {
    const refused = new NetlinkError(1, 'not you');
    const error = netlinkFailure('set the MTU', refused, 'ask somebody');
    expect(error).toBeInstanceOf(VtepError);
    expect(error).toMatchObject({
      code: 'ERR_PERMISSION',
      message: 'Cannot set the MTU: EPERM (not you)',
      hint: 'ask somebody',
      cause: refused,
    });
    const other = new Error('other');
    expect(netlinkFailure('set the MTU', other)).toBe(other);
  });
});
