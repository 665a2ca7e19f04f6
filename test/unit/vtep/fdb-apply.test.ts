import { describe, expect, it } from 'vitest';
import { A, B, entry, failing, FdbFixture, MAC, macOf, OTHER, ZERO } from './fdb-fixture.ts';

describe('applyBatch()', () => {
  it('applies all entries of a batch or none, and names the first that is wrong', async () => {
    const fixture = new FdbFixture();
    await fixture.verbs.change('add', [entry(OTHER, A)]);
    const batch = [entry(MAC, B), entry(ZERO, B), entry(OTHER, B), entry('02:00:00:00:00:01', B)];
    await expect(fixture.verbs.change('add', batch)).rejects.toThrow(failing('ERR_EXISTS', 2));
    await expect(fixture.verbs.change('add', [entry(MAC, B), entry(MAC, A)])).rejects.toThrow(
      failing('ERR_EXISTS', 1),
    );
    expect(fixture.dump()).toEqual([`vx42 ${OTHER} ${A} permanent`]);
    expect(await fixture.liveRemotes()).toBe(1);
  });

  it('refuses a batch that the table or the remotes have no room for, and changes nothing', async () => {
    const fixture = new FdbFixture(64, 8);
    const { capacity } = fixture.tables.table;
    const macs = Array.from({ length: capacity + 1 }, (_, i) => entry(macOf(i), A));
    await expect(fixture.verbs.change('add', macs)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_LIMIT' }),
    );
    const remotes = Array.from({ length: 300 }, (_, i) =>
      entry(macOf(i % 9), `10.0.${i >> 8}.${i & 255}`),
    );
    await expect(fixture.verbs.change('replace', remotes)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_LIMIT' }),
    );
    expect(fixture.dump()).toEqual([]);
    expect(await fixture.liveRemotes()).toBe(0);
    await fixture.verbs.change('add', macs.slice(1));
    expect(fixture.dump()).toHaveLength(capacity);
  });
});
