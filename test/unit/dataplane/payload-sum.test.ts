import { expect, it } from 'vitest';
import { payloadSum } from '../../../src/dataplane/payload-sum.ts';
import { foldSum } from '../../../src/wire/checksum.ts';

it('payloadSum() is the same with WebAssembly memory and without', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const view = new DataView(memory.buffer);
  for (let at = 0; at < 3000; at += 1) view.setUint8(at, at * 7);
  const [fast, plain] = [payloadSum({ view, memory }), payloadSum({ view })];
  for (const [offset, length] of [
    [0, 0],
    [1, 1399],
    [16, 2001],
  ] as const)
    expect(foldSum(fast(offset, length))).toBe(foldSum(plain(offset, length)));
});
