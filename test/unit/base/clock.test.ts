import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { monotonicSeconds } from '../../../src/base/clock.ts';

it('monotonicSeconds() is a whole number that is never 0', () => {
  expect(Number.isInteger(monotonicSeconds())).toBe(true);
  expect(monotonicSeconds()).toBeGreaterThan(0);
});

it('monotonicSeconds() counts by a clock that all threads share', async () => {
  const code = "require('node:worker_threads').parentPort.postMessage(process.hrtime()[0] + 1)";
  const worker = new Worker(code, { eval: true });
  const seconds = await new Promise<number>((resolve) => worker.once('message', resolve));
  await worker.terminate();
  expect(Math.abs(seconds - monotonicSeconds())).toBeLessThanOrEqual(1);
});
