import { describe, expect, it } from 'vitest';
import { NEIGHBOUR_REQUEST, NEIGHBOUR_SHOW_QUERY } from '../../../src/api/neighbour-schemas.ts';

describe('the schemas of neighbours', () => {
  it('refuse fields that are unknown and texts that are too long', () => {
    const good = { dst: '10.0.0.2', dev: 'vx42' };
    expect(NEIGHBOUR_REQUEST.safeParse(good).success).toBe(true);
    expect(NEIGHBOUR_REQUEST.safeParse({ ...good, mac: 'x' }).success).toBe(false);
    expect(NEIGHBOUR_REQUEST.safeParse({ ...good, dst: 'x'.repeat(65) }).success).toBe(false);
    expect(NEIGHBOUR_REQUEST.safeParse({ ...good, router: 'yes' }).success).toBe(false);
  });

  it('read the switch for statistics from a query', () => {
    expect(NEIGHBOUR_SHOW_QUERY.parse({ statistics: '1' })).toEqual({ statistics: true });
    expect(NEIGHBOUR_SHOW_QUERY.parse({ statistics: '0' })).toEqual({ statistics: false });
    expect(NEIGHBOUR_SHOW_QUERY.safeParse({ statistics: 'yes' }).success).toBe(false);
  });
});
