import { describe, expect, it } from 'vitest';
import { STATE_DYNAMIC, STATE_PERMANENT, STATE_STATIC } from '../../../src/fdb/table.ts';
import { FdbReferences } from '../../../src/vtep/fdb-references.ts';
import { FdbTransaction } from '../../../src/vtep/fdb-transaction.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { FdbFixture } from './fdb-fixture.ts';

const row = (macLow: number) => ({ vni: 42, macHigh: 0x0200, macLow });
const LIST = { vni: 42, macHigh: 0, macLow: 0 };

describe('FdbTransaction rollback()', () => {
  it('puts overwritten, removed and added rows back as they were, with what they referred to', async () => {
    const { fixture, references, remotes, before } = await filled();
    const transaction = new FdbTransaction(fixture.tables, references, 1000);
    const [a, b] = remotes as [number, number];
    transaction.setUnicast(row(1), b, STATE_STATIC);
    transaction.setUnicast(row(1), a, STATE_DYNAMIC);
    transaction.setUnicast(row(2), b, STATE_PERMANENT);
    transaction.setUnicast(row(9), b, STATE_DYNAMIC);
    transaction.setList(LIST, [b], STATE_STATIC);
    transaction.remove(row(1));
    transaction.rollback();
    expect(fixture.dump()).toEqual(before);

    // Everything can be given back now, and nothing is left.
    const clear = new FdbTransaction(fixture.tables, references, 1000);
    for (const key of [row(1), row(2), LIST]) clear.remove(key);
    await clear.commit();
    for (const index of remotes) references.drop(index);
    for (let turn = 0; turn < 100 && references.pending; turn += 1) await tick(fixture);
    expect(fixture.tables.remotes.count).toBe(0);
  });
});

describe('FdbTransaction commit()', () => {
  it('gives back what overwritten rows referred to', async () => {
    const { fixture, references, remotes } = await filled();
    const transaction = new FdbTransaction(fixture.tables, references, 1000);
    for (const key of [row(1), row(2)]) transaction.setUnicast(key, remotes[1]!, STATE_STATIC);
    transaction.setList(LIST, [remotes[1]!], STATE_STATIC);
    await transaction.commit();
    expect(fixture.tables.remotes.references(remotes[0]!)).toBe(1);
    expect(fixture.tables.remotes.references(remotes[1]!)).toBe(4);
    expect(fixture.sender(0, '10.0.0.1')).toBe(-1);
  });
});

/** Rows 1 (static) and 2 (dynamic) and the flood list, all to the first of two remotes that we hold. */
async function filled() {
  const fixture = new FdbFixture();
  const references = new FdbReferences(fixture.tables);
  const remotes = ['10.0.0.1', '10.0.0.2'].map((dst) =>
    references.acquire({ tunnel: 0, address: parseIp(dst)!, scope: 0, port: 4789, vni: 42 }),
  );
  const transaction = new FdbTransaction(fixture.tables, references, 1000);
  transaction.setUnicast(row(1), remotes[0]!, STATE_STATIC);
  transaction.setUnicast(row(2), remotes[0]!, STATE_DYNAMIC);
  transaction.setList(LIST, [remotes[0]!], STATE_PERMANENT);
  await transaction.commit();
  const before = fixture.dump();
  expect(before).toHaveLength(3);
  return { fixture, references, remotes, before };
}

async function tick(fixture: FdbFixture): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  fixture.tables.grace.collect();
}
