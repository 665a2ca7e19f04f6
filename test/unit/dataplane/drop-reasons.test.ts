import { describe, expect, test } from 'vitest';
import * as reasons from '../../../src/dataplane/drop-reasons.ts';

const { DROP_REASON_COUNT, DROP_REASONS } = reasons;

describe('the drop reasons', () => {
  test('have a name each, and no name twice', () => {
    expect(DROP_REASONS).toHaveLength(DROP_REASON_COUNT);
    expect(new Set(DROP_REASONS).size).toBe(DROP_REASON_COUNT);
    for (const name of DROP_REASONS) {
      expect(name).toMatch(/^[a-z_]+$/);
    }
  });

  test('have numbers that are named as the names say', () => {
    const constants = Object.entries<unknown>(reasons).flatMap(([name, value]) =>
      name.startsWith('DROP_') && typeof value === 'number' ? [[name, value] as const] : [],
    );
    const byNumber = constants.filter(([name]) => name !== 'DROP_REASON_COUNT');
    expect(byNumber).toHaveLength(DROP_REASON_COUNT);
    for (const [constant, number] of byNumber)
      expect(`DROP_${DROP_REASONS[number]!.toUpperCase()}`).toBe(constant);
  });
});
