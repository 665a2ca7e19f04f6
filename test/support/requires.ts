/**
 * The only gate for tests that need something of the machine: root, a kernel feature, a program.
 *
 * A skipped suite carries its reason in its name, from where the summary of `npm test` takes it.
 */
import { describe } from 'vitest';

import { missing, type Requirement } from './probe.ts';

export type { Requirement } from './probe.ts';

/** Why a test with this requirement cannot run here, in words; undefined when it can. */
export function requires(requirement: Requirement): string | undefined {
  return missing(requirement);
}

/** `describe`, skipped with its reason when the machine lacks something of `requirement`. */
export function describeIf(requirement: Requirement, name: string, suite: () => void): void {
  const reason = missing(requirement);
  if (reason === undefined) describe(name, suite);
  else describe.skip(`${name} ${skipMark(reason)}`, suite);
}

/** How a reason is written into a suite's or a test's name. */
export function skipMark(reason: string): string {
  return `[skipped: ${reason}]`;
}
