import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FdbVerb } from '../../../src/vtep/fdb-request.ts';
import { VtepError } from '../../../src/base/errors.ts';
import { configured, FdbFixture, TUNNELS } from './fdb-fixture.ts';

const MACS = ['00:00:00:00:00:00', '01:00:5e:00:00:09', '02:00:00:00:00:01', '02:00:00:00:00:02'];
const DSTS = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const DEVS = ['vx42', 'vx43'];
const TUNNEL = TUNNELS[0]!;

interface Row {
  dsts: string[];
  state: 'dynamic' | 'static' | 'permanent';
}

/** iproute2's semantics written down naively: a Map from device and MAC to destinations. */
class Model {
  rows = new Map<string, Row>();

  /** True when all entries were applied. */
  change(verb: FdbVerb, entries: readonly Entry[]): boolean {
    const before = structuredClone(this.rows);
    const seen = new Set<string>();
    const fits = entries.every((entry) => this.#apply(verb, entry, seen));
    if (!fits) this.rows = before;
    return fits;
  }

  dump(): string[] {
    return [...this.rows]
      .flatMap(([key, { dsts, state }]) =>
        dsts.map((dst) => `${key} ${dst} ${state === 'dynamic' ? '' : state}`.trim()),
      )
      .sort();
  }

  #apply(verb: FdbVerb, { mac, dev, dst, state }: Entry, seen: Set<string>): boolean {
    const key = `${dev} ${mac}`;
    const row = this.rows.get(key);
    const list = MACS.indexOf(mac) < 2;
    if (verb === 'del') {
      if (row === undefined || !row.dsts.includes(dst)) return false;
      row.dsts = row.dsts.filter((other) => other !== dst);
      if (row.dsts.length === 0) this.rows.delete(key);
      return true;
    }
    if ((list && state === 'dynamic') || (!list && verb === 'append')) return false;
    if (verb === 'replace' || row === undefined) {
      this.rows.set(key, { dsts: [dst], state });
      seen.add(key);
      return true;
    }
    if (verb === 'append') {
      if (row.dsts.includes(dst)) return false;
      row.dsts.push(dst);
      row.state = state;
      return true;
    }
    if (list || seen.has(key) || row.state !== 'dynamic' || state === 'dynamic') return false;
    this.rows.set(key, { dsts: [dst], state });
    return true;
  }
}

const entry = fc.record({
  mac: fc.constantFrom(...MACS),
  dev: fc.constantFrom(...DEVS),
  dst: fc.constantFrom(...DSTS),
  state: fc.constantFrom('dynamic' as const, 'static' as const, 'permanent' as const),
});
type Entry = typeof entry extends fc.Arbitrary<infer T> ? T : never;
const batch = fc.record({
  verb: fc.constantFrom<FdbVerb>('add', 'append', 'replace', 'del'),
  entries: fc.array(entry, { minLength: 1, maxLength: 4 }),
  settles: fc.boolean(),
});

it('any sequence of batches leaves what a naive model leaves, and no remote too many', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 12 }), async (batches) => {
      const fixture = new FdbFixture(64, 16);
      const model = new Model();
      for (const { verb, entries, settles } of batches) {
        const applied = await fixture.verbs.change(verb, entries).then(
          () => true,
          (error: unknown) => {
            expect(error).toBeInstanceOf(VtepError);
            return false;
          },
        );
        expect(applied).toBe(model.change(verb, entries));
        expect(fixture.dump()).toEqual(model.dump());
        if (settles) await fixture.settle();
      }
      // Senders are exactly the remotes of entries that do not age.
      for (const dst of DSTS) {
        const named = [...model.rows].some(
          ([key, row]) =>
            key.startsWith('vx42') && row.state !== 'dynamic' && row.dsts.includes(dst),
        );
        expect([dst, fixture.sender(0, dst) >= 0]).toEqual([dst, named]);
      }
      await fixture.verbs.setConfiguredRemotes(TUNNEL, [configured(DSTS[0]!)]);
      await fixture.verbs.removeTunnels(TUNNELS);
      expect(fixture.dump()).toEqual([]);
      expect(await fixture.liveRemotes()).toBe(0);
      expect(fixture.tables.remotes.count).toBe(0);
    }),
    { numRuns: 300 },
  );
});
