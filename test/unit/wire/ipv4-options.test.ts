import { expect, it } from 'vitest';
import { ipv4ChecksumValid, isIpv4, writeIpv4Checksum } from '../../../src/wire/ipv4.ts';
import { bytesOf } from './bytes.ts';

/** 24 bytes, the last four of them a router alert option. */
const HEADER = '4600 0018 0000 0000 4001 0000 c0000201 c6336402 94040000';

it('the checksum covers the options', () => {
  const view = bytesOf(HEADER);
  writeIpv4Checksum(view, 0);
  expect(ipv4ChecksumValid(view, 0)).toBe(true);
  view.setUint8(23, 1);
  expect(ipv4ChecksumValid(view, 0)).toBe(false);
});

it('isIpv4() refuses a total length that ends inside the options', () => {
  const view = bytesOf(HEADER);
  expect(isIpv4(view, 0, 24)).toBe(true);
  for (let totalLength = 0; totalLength < 24; totalLength += 1) {
    view.setUint16(2, totalLength);
    expect(isIpv4(view, 0, 24)).toBe(false);
  }
});
