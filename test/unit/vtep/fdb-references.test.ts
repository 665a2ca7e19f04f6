import { describe, expect, it } from 'vitest';
import { FdbReferences } from '../../../src/vtep/fdb-references.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { FdbFixture } from './fdb-fixture.ts';

const KEY = { tunnel: 0, address: parseIp('10.0.0.1')!, scope: 0, port: 4789, vni: 42 };

describe('FdbReferences drop()', () => {
  it('frees a row only when the workers have left the batch they were in', async () => {
    const { tables } = new FdbFixture();
    const references = new FdbReferences(tables);
    const index = references.acquire(KEY);
    tables.remotes.allow(index);
    tables.grace.enter(0);
    references.dropSender(index);
    for (let turn = 0; turn < 5; turn += 1) await collect(tables);
    expect(tables.remotes.references(index)).toBe(1);
    tables.grace.leave(0);
    for (let turn = 0; turn < 5; turn += 1) await collect(tables);
    expect(tables.remotes.references(index)).toBe(0);
    expect(references.pending).toBe(false);
  });

  it('gives a worker that found the row in a learned entry another batch to leave', async () => {
    const { tables } = new FdbFixture();
    const references = new FdbReferences(tables);
    const index = references.acquire(KEY);
    references.retainSender(index);
    tables.table.learn(42, 0x0200, 1, index, 1000);
    references.dropSender(index);
    references.drop(index);
    await new Promise((resolve) => setImmediate(resolve));
    tables.grace.enter(0);
    for (let turn = 0; turn < 5; turn += 1) await collect(tables);
    expect(tables.table.count).toBe(0);
    expect(tables.remotes.references(index)).toBe(1);
    tables.grace.leave(0);
    for (let turn = 0; turn < 5; turn += 1) await collect(tables);
    expect(tables.remotes.references(index)).toBe(0);
  });

  it('keeps a row that is acquired again in the meantime', async () => {
    const { tables } = new FdbFixture();
    const references = new FdbReferences(tables);
    const index = references.acquire(KEY);
    references.drop(index);
    expect(references.acquire(KEY)).toBe(index);
    for (let turn = 0; turn < 5; turn += 1) await collect(tables);
    expect(tables.remotes.references(index)).toBe(1);
  });
});

async function collect(tables: FdbFixture['tables']): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  tables.grace.collect();
}
