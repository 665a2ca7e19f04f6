import { beforeEach, describe, expect, it } from 'vitest';
import { NEIGHBOUR_LOCAL, NEIGHBOUR_ROUTER, SAYS_ALL } from '../../../src/fdb/neighbour-rows.ts';
import { NeighbourTable } from '../../../src/fdb/neighbours.ts';
import { NeighbourVerbs } from '../../../src/vtep/neighbour-verbs.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { FdbFixture, MAC } from './fdb-fixture.ts';

const OTHER = '02:00:00:00:00:0c';
let table: NeighbourTable;
let verbs: NeighbourVerbs;
let now: number;

beforeEach(() => {
  now = 1000;
  table = NeighbourTable.create(8, 8, 1);
  verbs = new NeighbourVerbs({
    table,
    tunnels: new FdbFixture().directory,
    nowSeconds: () => now,
  });
});

function learn(dst: string, flags = 0): void {
  const index = new FdbFixture().directory.byName('vx42')!.index;
  table.learn(index, parseIp(dst)!, 0, 0x0200, 0x0c, flags, SAYS_ALL, now);
}

function add(dst: string, lladdr = MAC): void {
  verbs.change('add', [{ dst, dev: 'vx42', lladdr }]);
}

/** All rows as short texts, sorted. */
function dump(): string[] {
  const rows = [...verbs.rows({})].flat();
  return rows.map(({ dev, dst, lladdr, state }) => `${dev} ${dst} ${lladdr} ${state[0]}`).sort();
}

const failing = (code: string, index: number): unknown => expect.objectContaining({ code, index });

describe('neigh', () => {
  it('adds, replaces and deletes', () => {
    add('10.0.0.2');
    expect(dump()).toEqual([`vx42 10.0.0.2 ${MAC} PERMANENT`]);
    const reachable = { dst: '10.0.0.2', dev: 'vx42', lladdr: OTHER, state: 'reachable' } as const;
    verbs.change('replace', [reachable]);
    expect(dump()).toEqual([`vx42 10.0.0.2 ${OTHER} REACHABLE`]);
    verbs.change('del', [{ dst: '10.0.0.2', dev: 'vx42' }]);
    expect(dump()).toEqual([]);
  });

  it('puts a permanent entry in the place of a learned one, and refuses a second', () => {
    learn('10.0.0.2');
    add('10.0.0.2');
    expect(dump()).toEqual([`vx42 10.0.0.2 ${MAC} PERMANENT`]);
    expect(() => add('10.0.0.2')).toThrow(failing('ERR_EXISTS', 0));
  });

  it('deletes only what is there, and with a MAC only what has it', () => {
    const entry = { dst: '10.0.0.2', dev: 'vx42' };
    expect(() => verbs.change('del', [entry])).toThrow(failing('ERR_NOT_FOUND', 0));
    add('10.0.0.2');
    const other = { ...entry, lladdr: OTHER };
    expect(() => verbs.change('del', [other])).toThrow(failing('ERR_NOT_FOUND', 0));
    verbs.change('del', [{ ...entry, lladdr: MAC }]);
    expect(table.count).toBe(0);
  });

  it('applies a batch all or none', () => {
    learn('10.0.0.2');
    add('10.0.0.9');
    const before = dump();
    const dev = 'vx42';
    const batch = ['10.0.0.2', '10.0.0.3', '10.0.0.9'].map((dst) => ({ dst, dev, lladdr: MAC }));
    expect(() => verbs.change('add', batch)).toThrow(failing('ERR_EXISTS', 2));
    expect(dump()).toEqual(before);
    const wrong = [...batch.slice(0, 2), { dst: '10.0.0.4', dev: 'nope', lladdr: MAC }];
    expect(() => verbs.change('add', wrong)).toThrow(failing('ERR_NOT_FOUND', 2));
    expect(dump()).toEqual(before);
    const deletions = [...batch.slice(0, 1), { dst: '10.0.0.77', dev }];
    deletions[0] = { dst: '10.0.0.2', dev };
    expect(() => verbs.change('del', deletions)).toThrow(failing('ERR_NOT_FOUND', 1));
    expect(dump()).toEqual(before);
  });

  it('says when the table is full, and takes back what it did', () => {
    const entries = Array.from({ length: 9 }, (_, host) => {
      return { dst: `10.0.1.${host}`, dev: 'vx42', lladdr: MAC };
    });
    expect(() => verbs.change('add', entries)).toThrow(failing('ERR_LIMIT', 8));
    expect(table.count).toBe(0);
  });

  it('shows what matches, with flags and with ages where they are wanted', () => {
    learn('fd00::1', NEIGHBOUR_ROUTER);
    learn('10.0.0.1', NEIGHBOUR_LOCAL);
    now += 5;
    const only = { address: parseIp('fd00::1')! };
    expect([...verbs.rows(only)].flat()).toEqual([
      { dst: 'fd00::1', dev: 'vx42', lladdr: OTHER, router: null, state: ['REACHABLE'] },
    ]);
    const [row] = [...verbs.rows({ address: parseIp('10.0.0.1')! }, true)].flat();
    expect(row).toMatchObject({ local: null, used: 5, confirmed: 5, updated: 5 });
  });

  it('flushes by state, address and MAC', () => {
    learn('10.0.0.1');
    add('10.0.0.2');
    add('10.0.0.3', OTHER);
    expect(verbs.flush({ states: new Set(['reachable']) })).toBe(1);
    expect(verbs.flush({ mac: { high: 0x0200, low: 0x0c } })).toBe(1);
    expect(verbs.flush({ address: parseIp('10.0.0.1')! })).toBe(0);
    expect(verbs.flush({})).toBe(1);
  });
});
