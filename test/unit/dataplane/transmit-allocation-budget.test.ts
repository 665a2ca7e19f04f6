import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AllocationReport } from '../../support/allocation-run.ts';
import { distFolder } from '../../support/paths.ts';

const PROGRAM = join(distFolder(), 'test/support/allocation-run.js');
/** Compiled code and feedback that the engine still makes; a single byte per frame would be more. */
const GROWTH_BYTES_MAX = 768 * 1024;

function run(scenario: string, frames: number): AllocationReport {
  // A young generation of 1 MiB: one box (16 bytes) per frame would make some sixteen collections.
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const result = spawnSync(process.execPath, [...flags, PROGRAM, scenario, String(frames)], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(result.stderr).toBe('');
  return JSON.parse(result.stdout) as AllocationReport;
}

describe('a million frames', () => {
  test.each([
    'transmit-unicast',
    'transmit-flood',
    'transmit-super-frames',
    'receive',
    'receive-merged',
    'neighbours',
  ])(
    'through %s cause no garbage collection and leave the heap as it is',
    (scenario) => {
      const { frames, collections, heapGrowthBytes } = run(scenario, 1_000_000);
      expect(frames).toBeGreaterThanOrEqual(1_000_000);
      expect(collections).toBe(0);
      expect(heapGrowthBytes).toBeLessThan(GROWTH_BYTES_MAX);
    },
    60_000,
  );

  test('would be caught allocating', () => {
    const { collections } = run('leak', 1_000_000);
    expect(collections).toBeGreaterThan(0);
  });
});
