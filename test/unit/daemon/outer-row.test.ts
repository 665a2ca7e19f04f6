import { describe, expect, it } from 'vitest';
import { DEFAULT_OUTER, RESERVED_STRICT } from '../../../src/config/outer.ts';
import { outerRow } from '../../../src/daemon/outer-row.ts';
import {
  DEFAULT_OUTER_ROW,
  INHERIT_DF,
  INHERIT_FLOW_LABEL,
  INHERIT_TOS,
  INHERIT_TTL,
} from '../../../src/dataplane/outer-table.ts';

describe('outerRow()', () => {
  it('is all zeros for the defaults, so that they cost nothing', () => {
    expect(outerRow(DEFAULT_OUTER)).toEqual(DEFAULT_OUTER_ROW);
  });

  it('has numbers where they are fixed', () => {
    const reservedBits = RESERVED_STRICT;
    expect(outerRow({ ...DEFAULT_OUTER, ttl: 9, tos: 4, flowLabel: 5, reservedBits })).toEqual({
      ...{ inherit: 0, ttl: 9, tos: 4, flowLabel: 5 },
      ...{ reservedFirst: RESERVED_STRICT.first, reservedSecond: RESERVED_STRICT.second },
    });
  });

  it('has a flag for each that is inherited', () => {
    const { inherit } = outerRow({ ...DEFAULT_OUTER, ttl: 'inherit', dontFragment: 'inherit' });
    expect(inherit).toBe(INHERIT_TTL | INHERIT_DF);
    const other = outerRow({ ...DEFAULT_OUTER, tos: 'inherit', flowLabel: 'inherit' });
    expect(other.inherit).toBe(INHERIT_TOS | INHERIT_FLOW_LABEL);
  });
});
