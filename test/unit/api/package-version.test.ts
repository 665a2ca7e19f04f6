import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { packageVersion } from '../../../src/api/package-version.ts';

it('packageVersion() is what package.json says', () => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  expect(packageVersion()).toBe((JSON.parse(text) as { version: string }).version);
});
