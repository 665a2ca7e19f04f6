import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAC } from '../vtep/fdb-fixture.ts';
import { ApiFixture } from './api-fixture.ts';

let fixture: ApiFixture;
beforeEach(async () => {
  fixture = new ApiFixture();
  await fixture.server.listen();
});
afterEach(async () => {
  await fixture.close();
});

const call: ApiFixture['call'] = (...args) => fixture.call(...args);
const ENTRY = { dst: '10.0.0.2', dev: 'vx42', lladdr: MAC };
const ROW = { ...ENTRY, state: ['PERMANENT'] };
const NDJSON = { 'content-type': 'application/x-ndjson' };

async function post(path: string, body: unknown): Promise<{ status: number; json: unknown }> {
  return call('POST', path, JSON.stringify(body));
}

describe('/v1/neigh', () => {
  it('changes and shows neighbours', async () => {
    const added = await post('/v1/neigh', { verb: 'add', entries: [ENTRY] });
    expect(added).toMatchObject({ status: 200, json: { applied: 1 } });
    expect((await call('GET', '/v1/neigh')).json).toEqual([ROW]);
    expect((await call('GET', '/v1/neigh?dev=vx42&dst=10.0.0.2&state=permanent')).json).toEqual([
      ROW,
    ]);
    for (const query of ['dev=vx43', 'dst=10.0.0.3', 'state=reachable', 'lladdr=02:00:00:00:00:01'])
      expect((await call('GET', `/v1/neigh?${query}`)).json, query).toEqual([]);
    const [row] = (await call('GET', '/v1/neigh?statistics=1')).json as object[];
    expect(row).toEqual({ ...ROW, used: 0, confirmed: 0, updated: 0 });
  });

  it('takes entries line by line and names the one that is wrong', async () => {
    const lines = [2, 3].map((host) => JSON.stringify({ ...ENTRY, dst: `10.0.0.${host}` }));
    const sent = await call('POST', '/v1/neigh?verb=add', lines.join('\n'), NDJSON);
    expect(sent.json).toEqual({ applied: 2 });
    const again = await call('POST', '/v1/neigh?verb=add', lines[1], NDJSON);
    expect(again.status).toBe(409);
    expect(again.json).toMatchObject({ error: { code: 'ERR_EXISTS', index: 0 } });
    const broken = await call('POST', '/v1/neigh?verb=del', `${lines[0]}\n{"dst"`, NDJSON);
    expect(broken.json).toMatchObject({ error: { code: 'ERR_USAGE', index: 1 } });
    expect(fixture.neighbours.count).toBe(2);
  });

  it('flushes', async () => {
    await post('/v1/neigh', { verb: 'add', entries: [ENTRY] });
    const none = await post('/v1/neigh/flush', { dev: 'vx42', states: ['reachable'] });
    expect(none.json).toEqual({ removed: 0 });
    expect((await post('/v1/neigh/flush', { dev: 'vx42' })).json).toEqual({ removed: 1 });
  });

  it.each([
    ['POST', '/v1/neigh', { verb: 'append', entries: [ENTRY] }, 400],
    ['POST', '/v1/neigh', { verb: 'add', entries: [{ ...ENTRY, mac: MAC }] }, 400],
    ['POST', '/v1/neigh', { verb: 'add', entries: [{ ...ENTRY, dev: 'nope' }] }, 404],
    ['POST', '/v1/neigh', { verb: 'del', entries: [{ ...ENTRY, state: 'stale' }] }, 400],
    ['POST', '/v1/neigh/flush', { states: ['reachable'] }, 400],
    ['GET', '/v1/neigh?dst=host', undefined, 400],
    ['GET', '/v1/neigh?bogus=1', undefined, 400],
  ])('refuses %s %s of %j', async (method, path, body, status) => {
    const answer = await call(method, path, body === undefined ? undefined : JSON.stringify(body));
    expect(answer.status).toBe(status);
    expect(fixture.neighbours.count).toBe(0);
  });
});
