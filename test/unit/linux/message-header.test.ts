import { describe, expect, test } from 'vitest';
import {
  cmsgLength,
  CMSG_SPACE,
  isCmsg,
  writeCmsgInt,
  writeCmsgShort,
} from '../../../src/linux/message-header.ts';

function poisoned(): DataView {
  return new DataView(new Uint8Array(CMSG_SPACE + 16).fill(0xa5).buffer);
}

function hex(view: DataView, offset: number, length: number): string {
  return Buffer.from(view.buffer, offset, length).toString('hex');
}

describe('control messages', () => {
  test('with 32 bits have the layout of struct cmsghdr', () => {
    const view = poisoned();
    writeCmsgInt(view, 8, 41, 67, 0x0123_4567);
    expect(hex(view, 8, 20)).toBe('1400000000000000' + '29000000' + '43000000' + '67452301');
    expect([hex(view, 0, 8), hex(view, 28, 12)]).toEqual(['a5'.repeat(8), 'a5'.repeat(12)]);
  });

  test('with 16 bits say so', () => {
    const view = poisoned();
    writeCmsgShort(view, 8, 17, 103, 1510);
    expect(hex(view, 8, 18)).toBe('1200000000000000' + '11000000' + '67000000' + 'e605');
    expect(hex(view, 8 + CMSG_SPACE, 8)).toBe('a5'.repeat(8));
  });

  test('are told apart by level and type', () => {
    const view = poisoned();
    writeCmsgShort(view, 8, 17, 103, 1510);
    expect(cmsgLength(view, 8)).toBe(18);
    expect(isCmsg(view, 8, 17, 103)).toBe(true);
    expect(isCmsg(view, 8, 17, 104)).toBe(false);
    expect(isCmsg(view, 8, 0, 103)).toBe(false);
  });
});
