import { describe, expect, it } from 'vitest';
import { combineEcn, ECN_DROP, encapsulateEcn } from '../../../src/wire/ecn.ts';

const NOT_ECT = 0;
const ECT1 = 1;
const ECT0 = 2;
const CE = 3;

/** RFC 6040 figure 4: rows are the inner codepoint, columns the outer Not-ECT, ECT(0), ECT(1), CE. */
const FIGURE_4: [number, [number, number, number, number]][] = [
  [NOT_ECT, [NOT_ECT, NOT_ECT, NOT_ECT, ECN_DROP]],
  [ECT0, [ECT0, ECT0, ECT1, CE]],
  [ECT1, [ECT1, ECT1, ECT1, CE]],
  [CE, [CE, CE, CE, CE]],
];

describe('combineEcn()', () => {
  it('is figure 4 of RFC 6040, all 16 cells', () => {
    for (const [inner, row] of FIGURE_4) {
      expect([NOT_ECT, ECT0, ECT1, CE].map((outer) => combineEcn(inner, outer))).toEqual(row);
    }
  });

  it('looks at the two ECN bits of a TOS byte only', () => {
    expect(combineEcn(0xb8 | ECT0, 0x20 | CE)).toBe(CE);
  });
});

it('encapsulateEcn() copies the inner codepoint and nothing of the DSCP', () => {
  expect([0xb8, 0xb9, 0xba, 0xbb].map(encapsulateEcn)).toEqual([NOT_ECT, ECT1, ECT0, CE]);
});
