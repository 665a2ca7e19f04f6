import { expect, it } from 'vitest';
import { Slices } from '../../../src/vtep/fdb-slices.ts';

it('a long loop lets timers run about every 8 ms', async () => {
  const slices = new Slices();
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  const end = performance.now() + 60;
  for (let i = 0; performance.now() < end; i += 1) if (slices.due(i)) await slices.pause();
  clearInterval(timer);
  expect(turns).toBeGreaterThanOrEqual(2);
});
