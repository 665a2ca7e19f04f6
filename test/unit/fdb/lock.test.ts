import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';

import { VtepError } from '../../../src/base/errors.ts';
import { lock, tryLock, unlock } from '../../../src/fdb/lock.ts';

function words(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(8));
}

describe('tryLock()', () => {
  it('takes a free lock once, until it is given back', () => {
    const memory = words();
    expect(tryLock(memory, 1)).toBe(true);
    expect(tryLock(memory, 1)).toBe(false);
    unlock(memory, 1);
    expect(tryLock(memory, 1)).toBe(true);
  });
});

describe('lock()', () => {
  it('takes a free lock', () => {
    const memory = words();
    lock(memory, 1);
    expect(tryLock(memory, 1)).toBe(false);
  });

  it('waits for another thread to give it back', async () => {
    const memory = words();
    lock(memory, 1);
    const worker = new Worker(
      `const words = require('node:worker_threads').workerData;
       Atomics.store(words, 0, 1);
       Atomics.wait(words, 0, 1, 30);
       Atomics.store(words, 1, 0);`,
      { eval: true, workerData: memory },
    );
    while (Atomics.load(memory, 0) === 0) await new Promise(setImmediate);
    lock(memory, 1);
    expect(tryLock(memory, 1)).toBe(false);
    await worker.terminate();
  });

  it('gives up with an error when nobody ever gives it back', () => {
    const memory = words();
    lock(memory, 1);
    expect(() => lock(memory, 1, 20)).toThrow(VtepError);
  });
});
