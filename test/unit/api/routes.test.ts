import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiFixture, DAEMON } from './api-fixture.ts';
import { MAC, ZERO } from '../vtep/fdb-fixture.ts';

let fixture: ApiFixture;
beforeEach(async () => {
  fixture = new ApiFixture();
  await fixture.server.listen();
});
afterEach(async () => {
  await fixture.close();
});

const call: ApiFixture['call'] = (...args) => fixture.call(...args);

const error = (code: string, message: unknown, more: object = {}) => ({
  error: expect.objectContaining({ code, message, ...more }) as object,
});

describe('POST /v1/fdb', () => {
  it('changes the FDB with a JSON document', async () => {
    const entries = [
      { mac: MAC, dev: 'vx42', dst: '10.0.0.1', port: 4790, src_vni: 42, state: 'static' },
    ];
    const { status, json } = await call(
      'POST',
      '/v1/fdb',
      JSON.stringify({ verb: 'add', entries }),
    );
    expect(status).toBe(200);
    expect(json).toEqual({ applied: 1 });
    expect(fixture.fdb.dump()).toEqual([`vx42 ${MAC} 10.0.0.1 port=4790 static`]);
  });

  it('changes the FDB line by line', async () => {
    const lines = [1, 2, 3].map((n) =>
      JSON.stringify({ mac: `02:00:00:00:00:0${n}`, dev: 'vx42', dst: '10.0.0.1' }),
    );
    const headers = { 'content-type': 'application/x-ndjson' };
    const body = `\n${lines.join('\n')}`;
    const { json } = await call('POST', '/v1/fdb?verb=add', body, headers);
    expect(json).toEqual({ applied: 3 });
    const again = await call('POST', '/v1/fdb?verb=add', `${lines[1]}\n`, headers);
    expect(again.status).toBe(409);
    expect(again.json).toEqual(
      error('ERR_EXISTS', expect.stringContaining('exists already'), { index: 0 }),
    );
    const broken = await call('POST', '/v1/fdb?verb=del', `${lines[0]}\n{"mac"`, headers);
    expect(broken.json).toEqual(
      error('ERR_USAGE', expect.stringContaining('as JSON'), { index: 1 }),
    );
    expect(fixture.fdb.dump()).toHaveLength(3);
  });

  it('applies all or none and names the entry that is wrong', async () => {
    const entries = [
      { mac: MAC, dev: 'vx42', dst: '10.0.0.1' },
      { mac: MAC, dev: 'nope', dst: '10.0.0.1' },
    ];
    const { status, json } = await call(
      'POST',
      '/v1/fdb',
      JSON.stringify({ verb: 'add', entries }),
    );
    expect(status).toBe(404);
    expect(json).toEqual(error('ERR_NOT_FOUND', 'Cannot find device "nope"', { index: 1 }));
    expect(fixture.fdb.dump()).toEqual([]);
  });
});

describe('GET /v1/fdb', () => {
  it('filters, and adds statistics', async () => {
    await fixture.fdb.verbs.change('add', [
      { mac: MAC, dev: 'vx42', dst: '10.0.0.1', state: 'dynamic' },
      { mac: MAC, dev: 'vx43', dst: '10.0.0.2', port: 5 },
    ]);
    const names = async (query: string) =>
      ((await call('GET', `/v1/fdb?${query}`)).json as { ifname: string }[]).map(
        (row) => row.ifname,
      );
    expect(await names('dev=vx42')).toEqual(['vx42']);
    expect(await names('dst=10.0.0.2')).toEqual(['vx43']);
    expect(await names('state=dynamic')).toEqual(['vx42']);
    expect(await names('port=5&vni=43')).toEqual(['vx43']);
    expect(await names(`mac=${MAC.toUpperCase()}&dev=vx43&state=static`)).toEqual([]);
    const { json } = await call('GET', '/v1/fdb?dev=vx42&statistics=1');
    expect(json).toEqual([expect.objectContaining({ used: 0, updated: 0, frames: 0 })]);
  });
});

describe('GET /v1/version', () => {
  it('names program, version and API', async () => {
    const { status, json } = await call('GET', '/v1/version');
    expect(status).toBe(200);
    expect(json).toEqual({ name: 'vtepd', version: '1.2.3', api: 'v1' });
  });
});

describe('GET /v1/tunnels', () => {
  it('answers with the daemon and its tunnels, or one of them', async () => {
    const all = (await call('GET', '/v1/tunnels')).json as { tunnels: { ifname: string }[] };
    expect(all).toMatchObject({ daemon: DAEMON });
    expect(all.tunnels.map(({ ifname }) => ifname)).toEqual(['vx42', 'vx43']);
    const one = (await call('GET', '/v1/tunnels?dev=vx43')).json as typeof all;
    expect(one.tunnels.map(({ ifname }) => ifname)).toEqual(['vx43']);
    expect((await call('GET', '/v1/tunnels?dev=nope')).status).toBe(404);
  });
});

describe('GET /v1/fdb/entry', () => {
  it('answers with the rows of one MAC, or 404', async () => {
    await fixture.fdb.verbs.change('add', [{ mac: MAC, dev: 'vx42', dst: '10.0.0.1' }]);
    const { json } = await call('GET', `/v1/fdb/entry?dev=vx42&mac=${MAC}&vni=42`);
    expect(json).toEqual([
      { mac: MAC, ifname: 'vx42', dst: '10.0.0.1', flags: ['self'], state: 'permanent' },
    ]);
    expect((await call('GET', `/v1/fdb/entry?dev=vx43&mac=${MAC}`)).json).toEqual(
      error('ERR_NOT_FOUND', `Cannot find "${MAC}" on "vx43"`),
    );
    expect((await call('GET', `/v1/fdb/entry?dev=vx42`)).status).toBe(400);
  });
});

describe('POST /v1/fdb/flush', () => {
  it('removes rows and says how many', async () => {
    await fixture.fdb.verbs.change('add', [
      { mac: MAC, dev: 'vx42', dst: '10.0.0.1', state: 'static' },
      { mac: ZERO, dev: 'vx42', dst: '10.0.0.1' },
    ]);
    const flush = (body: object) => call('POST', '/v1/fdb/flush', JSON.stringify(body));
    expect((await flush({ dev: 'vx42', states: ['dynamic'] })).json).toEqual({ removed: 0 });
    expect((await flush({ dev: 'vx42', states: ['static'] })).json).toEqual({ removed: 1 });
    expect((await flush({ dev: 'vx42', dst: '10.0.0.1' })).json).toEqual({ removed: 1 });
    expect((await flush({ dev: 'vx42', src_vni: 42 })).json).toEqual({ removed: 0 });
    expect((await flush({ dev: 'vx42', src_vni: 43 })).json).toEqual(
      error('ERR_USAGE', 'Cannot use src_vni 43 on "vx42", whose VNI is 42'),
    );
    expect((await flush({})).status).toBe(400);
    expect((await flush({ dev: 'vx42', all: true })).json).toEqual(
      error('ERR_USAGE', expect.stringContaining('unknown field "all"')),
    );
  });
});
