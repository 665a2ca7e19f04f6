import { expect, test } from 'vitest';
import {
  isIcmpError,
  isIcmpv6Error,
  readIcmpType,
  writeIcmpTooBig,
} from '../../../src/wire/icmp.ts';

test('errors of ICMP are five types, those of ICMPv6 the lower half', () => {
  const types = Array.from({ length: 256 }, (_, type) => type);
  expect(types.filter(isIcmpError)).toEqual([3, 4, 5, 11, 12]);
  expect(types.filter(isIcmpv6Error)).toEqual(types.slice(0, 128));
});

test('writeIcmpTooBig() writes all eight bytes', () => {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint32(2, 0xffff_ffff);
  view.setUint32(6, 0xffff_ffff);
  writeIcmpTooBig(view, 2, 3, 4, 1450);
  expect([...new Uint8Array(view.buffer)]).toEqual([0, 0, 3, 4, 0, 0, 0, 0, 5, 0xaa, 0, 0]);
  expect(readIcmpType(view, 2)).toBe(3);
});
