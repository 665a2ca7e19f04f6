import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Two projects, one after the other: what is pure runs in parallel, what touches the kernel runs file
 * by file, so that measurements and port numbers do not meet.
 */
export default defineConfig({
  root,
  test: {
    projects: [
      {
        root,
        test: {
          name: 'pure',
          include: ['test/unit/**/*.test.ts', 'test/rules/**/*.test.ts', 'test/fuzz/**/*.test.ts'],
          testTimeout: 20_000,
          setupFiles: ['test/support/fuzz-setup.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        root,
        test: {
          name: 'kernel',
          include: ['test/platform/**/*.test.ts', 'test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          globalSetup: ['test/support/kernel-setup.ts'],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
