import { describe, expect, it } from 'vitest';
import { VtepError } from '../../../src/base/errors.ts';
import { STATE_DYNAMIC, STATE_PERMANENT } from '../../../src/fdb/table.ts';
import { FdbBatch, NO_DESTINATION, ownsList, withIndex } from '../../../src/vtep/fdb-batch.ts';
import { FdbFixture } from './fdb-fixture.ts';

describe('FdbBatch', () => {
  it('keeps entries as numbers, and equal tunnels and destinations once', () => {
    const { directory, interfaces } = new FdbFixture();
    const batch = new FdbBatch('add', directory, interfaces);
    for (let i = 0; i < 100; i += 1) {
      batch.push({
        mac: `fe:ff:ff:ff:ff:${i.toString(16).padStart(2, '0')}`,
        dev: i < 50 ? 'vx42' : 'vx43',
        dst: '10.0.0.1',
        state: i % 2 === 0 ? 'dynamic' : undefined,
      });
    }
    expect(batch.length).toBe(100);
    expect(batch.tunnels.map(({ name }) => name)).toEqual(['vx42', 'vx43']);
    expect(batch.destinations).toHaveLength(2);
    expect(batch.macHighAt(99)).toBe(0xfeff);
    expect(batch.macLowAt(99)).toBe(0xffff_ff63);
    expect(batch.stateAt(98)).toBe(STATE_DYNAMIC);
    expect(batch.stateAt(99)).toBe(STATE_PERMANENT);
    expect(batch.tunnelAt(99).name).toBe('vx43');
    expect(batch.destinations[batch.destinationAt(99)]).toMatchObject({
      tunnel: 1,
      port: 4789,
      vni: 43,
    });
  });

  it('takes entries without destination for del, unless only a part of one is named', () => {
    const { directory, interfaces } = new FdbFixture();
    const batch = new FdbBatch('del', directory, interfaces);
    batch.push({ mac: '02:00:00:00:00:01', dev: 'vx42' });
    expect(batch.destinationAt(0)).toBe(NO_DESTINATION);
    expect(() => batch.push({ mac: '02:00:00:00:00:01', dev: 'vx42', port: 1 })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', index: 1 }),
    );
    expect(batch.length).toBe(1);
  });
});

describe('ownsList()', () => {
  it('is true for the zero MAC and for multicast MACs', () => {
    expect(ownsList(0, 0)).toBe(true);
    expect(ownsList(0x0100, 1)).toBe(true);
    expect(ownsList(0xffff, 0xffff_ffff)).toBe(true);
    expect(ownsList(0x0200, 0)).toBe(false);
    expect(ownsList(0, 1)).toBe(false);
  });
});

describe('withIndex()', () => {
  it('adds an index once and leaves other errors alone', () => {
    const error = new VtepError('ERR_LIMIT', 'x', { hint: 'y' });
    const indexed = withIndex(error, 3);
    expect(indexed).toMatchObject({ code: 'ERR_LIMIT', message: 'x', hint: 'y', index: 3 });
    expect(withIndex(indexed, 4)).toBe(indexed);
    expect(withIndex('x', 4)).toBe('x');
  });
});
