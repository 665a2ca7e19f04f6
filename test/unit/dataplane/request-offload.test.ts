import { expect, test } from 'vitest';
import { requestOffload } from '../../../src/dataplane/request-offload.ts';
import { vnetBytes } from '../../support/data-path.ts';

test('requestOffload() fills in all ten bytes and no other', () => {
  const bytes = new Uint8Array(14).fill(0xa5);
  requestOffload(new DataView(bytes.buffer), 2, 4, 86, 1400, 54, 16);
  const header = { flags: 1, gsoType: 4, hdrLen: 86, gsoSize: 1400, csumStart: 54, csumOffset: 16 };
  expect(bytes.slice(2, 12)).toEqual(vnetBytes(header));
  expect([bytes[0], bytes[1], bytes[12], bytes[13]]).toEqual([0xa5, 0xa5, 0xa5, 0xa5]);
});
