import { describe, expect, test } from 'vitest';
import {
  iovecAddress,
  iovecLength,
  IOVEC_BYTES,
  readUint64,
  writeIovec,
  writeUint64,
} from '../../../src/packet/iovec.ts';

describe('writeUint64()', () => {
  test.each([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 0x7f12_3456_7890])(
    'writes %d as the machine has it',
    (value) => {
      const view = new DataView(new Uint8Array(16).fill(0xa5).buffer);
      writeUint64(view, 3, value);
      expect(view.getBigUint64(3, true)).toBe(BigInt(value));
      expect(readUint64(view, 3)).toBe(value);
      expect([view.getUint8(2), view.getUint8(11)]).toEqual([0xa5, 0xa5]);
    },
  );
});

describe('writeIovec()', () => {
  test('writes all 16 bytes, and they read back', () => {
    const view = new DataView(new Uint8Array(IOVEC_BYTES + 2).fill(0xa5).buffer);
    writeIovec(view, 1, 0x7f00_0000_1000, 65_664);
    expect(view.getBigUint64(1, true)).toBe(0x7f00_0000_1000n);
    expect(view.getBigUint64(9, true)).toBe(65_664n);
    expect([iovecAddress(view, 1), iovecLength(view, 1)]).toEqual([0x7f00_0000_1000, 65_664]);
    expect([view.getUint8(0), view.getUint8(17)]).toEqual([0xa5, 0xa5]);
  });
});
