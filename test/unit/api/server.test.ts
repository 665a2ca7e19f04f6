import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../../../src/api/client.ts';
import { ApiServer } from '../../../src/api/server.ts';
import { ApiFixture, DAEMON } from './api-fixture.ts';

const MAC = '52:54:00:3f:e6:43';
const ZERO = '00:00:00:00:00:00';

let fixture: ApiFixture;
beforeEach(async () => {
  fixture = new ApiFixture();
  await fixture.server.listen();
});
afterEach(async () => {
  await fixture.close();
});

/** What curl would do. */
async function call(
  method: string,
  path: string,
  body?: string,
  options: RequestOptions = {},
): Promise<{ status: number; text: string; json: unknown }> {
  const request = httpRequest({ socketPath: fixture.socketPath, method, path, agent: false, ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part as string;
  return { status: response.statusCode!, text, json: JSON.parse(text) };
}

const error = (code: string, message: unknown, more: object = {}) => ({
  error: expect.objectContaining({ code, message, ...more }) as object,
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

describe('POST /v1/fdb', () => {
  it('changes the FDB with a JSON document', async () => {
    const entries = [{ mac: MAC, dev: 'vx42', dst: '10.0.0.1', port: 4790, state: 'static' }];
    const { status, json } = await call('POST', '/v1/fdb', JSON.stringify({ verb: 'add', entries }));
    expect(status).toBe(200);
    expect(json).toEqual({ applied: 1 });
    expect(fixture.fdb.dump()).toEqual([`vx42 ${MAC} 10.0.0.1 port=4790 static`]);
  });

  it('changes the FDB line by line', async () => {
    const lines = [1, 2, 3].map((n) => JSON.stringify({ mac: `02:00:00:00:00:0${n}`, dev: 'vx42', dst: '10.0.0.1' }));
    const headers = { 'content-type': 'application/x-ndjson' };
    const body = `\n${lines.join('\n')}`;
    const { json } = await call('POST', '/v1/fdb?verb=add', body, { headers });
    expect(json).toEqual({ applied: 3 });
    const again = await call('POST', '/v1/fdb?verb=add', `${lines[1]}\n`, { headers });
    expect(again.status).toBe(409);
    expect(again.json).toEqual(error('ERR_EXISTS', expect.stringContaining('exists already'), { index: 0 }));
    const broken = await call('POST', '/v1/fdb?verb=del', `${lines[0]}\n{"mac"`, { headers });
    expect(broken.json).toEqual(error('ERR_USAGE', expect.stringContaining('as JSON'), { index: 1 }));
    expect(fixture.fdb.dump()).toHaveLength(3);
  });

  it('applies all or none and names the entry that is wrong', async () => {
    const entries = [
      { mac: MAC, dev: 'vx42', dst: '10.0.0.1' },
      { mac: MAC, dev: 'nope', dst: '10.0.0.1' },
    ];
    const { status, json } = await call('POST', '/v1/fdb', JSON.stringify({ verb: 'add', entries }));
    expect(status).toBe(404);
    expect(json).toEqual(error('ERR_NOT_FOUND', 'Cannot find device "nope"', { index: 1 }));
    expect(fixture.fdb.dump()).toEqual([]);
  });

  it.each([
    [{ verb: 'add', entries: [], foo: 1 }, 'unknown field "foo"'],
    [{ verb: 'add', entries: [{ mac: MAC, dev: 'vx42', dst: '10.0.0.1', dts: 1 }] }, 'unknown field "dts"'],
    [{ verb: 'remove', entries: [{}] }, '"verb"'],
    [{ verb: 'add', entries: [{ mac: 1, dev: 'vx42' }] }, '"mac"'],
    [{ verb: 'add', entries: [{ mac: MAC, dev: 'vx42', dst: '10.0.0.1', port: 70000 }] }, '"port"'],
    [{ verb: 'add', entries: [{ mac: MAC, dev: 'vx42', dst: '10.0.0.1', vni: '42' }] }, '"vni"'],
    [[], 'expected object'],
    [null, 'expected object'],
  ])('refuses %j', async (body, message) => {
    const { status, json } = await call('POST', '/v1/fdb', JSON.stringify(body));
    expect(status).toBe(400);
    expect(json).toEqual(error('ERR_USAGE', expect.stringContaining(message)));
    expect(fixture.fdb.dump()).toEqual([]);
  });

  it('refuses a body that is not JSON, and one that says it is too long', async () => {
    expect((await call('POST', '/v1/fdb', '{')).json).toEqual(
      error('ERR_USAGE', expect.stringContaining('Cannot parse the request body as JSON')),
    );
    const request = httpRequest({
      socketPath: fixture.socketPath,
      method: 'POST',
      path: '/v1/fdb',
      headers: { 'content-length': 1e12 },
    });
    request.on('error', () => undefined);
    request.write('{');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(400);
    request.destroy();
  });

  it('refuses a flush request that grows too long', async () => {
    const { status, json } = await call('POST', '/v1/fdb/flush', JSON.stringify({ dev: 'x'.repeat(1e5) }));
    expect(status).toBe(400);
    expect(json).toEqual(error('ERR_USAGE', 'The request body is longer than 65536 bytes'));
  });
});

describe('GET /v1/fdb', () => {
  it('answers with an empty array, and with one row a line', async () => {
    expect((await call('GET', '/v1/fdb')).text).toBe('[]\n');
    await fixture.fdb.verbs.change('append', [
      { mac: ZERO, dev: 'vx42', dst: '10.0.0.1' },
      { mac: ZERO, dev: 'vx42', dst: '10.0.0.2', port: 4790, vni: 9 },
    ]);
    expect((await call('GET', '/v1/fdb')).text).toBe(
      `[{"mac":"${ZERO}","ifname":"vx42","dst":"10.0.0.1","flags":["self"],"state":"permanent"},\n` +
        `{"mac":"${ZERO}","ifname":"vx42","dst":"10.0.0.2","port":4790,"vni":9,"flags":["self"],"state":"permanent"}]\n`,
    );
  });

  it('filters, and adds statistics', async () => {
    await fixture.fdb.verbs.change('add', [
      { mac: MAC, dev: 'vx42', dst: '10.0.0.1', state: 'dynamic' },
      { mac: MAC, dev: 'vx43', dst: '10.0.0.2', port: 5 },
    ]);
    const names = async (query: string) =>
      ((await call('GET', `/v1/fdb?${query}`)).json as { ifname: string }[]).map((row) => row.ifname);
    expect(await names('dev=vx42')).toEqual(['vx42']);
    expect(await names('dst=10.0.0.2')).toEqual(['vx43']);
    expect(await names('state=dynamic')).toEqual(['vx42']);
    expect(await names('port=5&vni=43')).toEqual(['vx43']);
    expect(await names(`mac=${MAC.toUpperCase()}&dev=vx43&state=static`)).toEqual([]);
    const { json } = await call('GET', '/v1/fdb?dev=vx42&statistics=1');
    expect(json).toEqual([expect.objectContaining({ used: 0, updated: 0, frames: 0 })]);
  });

  it.each(['foo=1', 'dev=vx42&dev=vx43', 'vni=x', 'vni=0', 'state=x', 'statistics=yes', 'dst=x', 'mac=x'])(
    'refuses ?%s',
    async (query) => {
      const { status, json } = await call('GET', `/v1/fdb?${query}`);
      expect(status).toBe(400);
      expect(json).toMatchObject({ error: { code: 'ERR_USAGE' } });
    },
  );

  it('waits for a client that reads slowly, and forgets one that goes', async () => {
    await fixture.close();
    fixture = new ApiFixture(1 << 15);
    await fixture.server.listen();
    const requests = Array.from({ length: 20_000 }, (_, i) => ({
      mac: `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
      dev: 'vx42',
      dst: '10.0.0.1',
    }));
    await fixture.fdb.verbs.change('add', requests);
    const slow = connect(fixture.socketPath);
    slow.write('GET /v1/fdb HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(slow, 'readable');
    // The slow client has taken nothing yet, and others are served all the same.
    let count = 0;
    for await (const _row of fixture.client.rows('/v1/fdb')) count += 1;
    expect(count).toBe(20_000);
    slow.destroy();
    expect((await call('GET', '/v1/version')).status).toBe(200);
  });
});

describe('GET /v1/fdb/entry', () => {
  it('answers with the rows of one MAC, or 404', async () => {
    await fixture.fdb.verbs.change('add', [{ mac: MAC, dev: 'vx42', dst: '10.0.0.1' }]);
    const { json } = await call('GET', `/v1/fdb/entry?dev=vx42&mac=${MAC}&vni=42`);
    expect(json).toEqual([{ mac: MAC, ifname: 'vx42', dst: '10.0.0.1', flags: ['self'], state: 'permanent' }]);
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
    expect((await flush({})).status).toBe(400);
    expect((await flush({ dev: 'vx42', all: true })).json).toEqual(
      error('ERR_USAGE', expect.stringContaining('unknown field "all"')),
    );
  });
});

describe('ApiServer routing', () => {
  it('refuses unknown paths and methods with what is known', async () => {
    expect((await call('GET', '/v2/fdb')).json).toEqual(
      error('ERR_NOT_FOUND', 'Cannot find "/v2/fdb"', { hint: expect.stringContaining('/v1/fdb') }),
    );
    expect((await call('GET', '/__proto__')).status).toBe(404);
    expect((await call('PUT', '/v1/fdb')).json).toEqual(
      error('ERR_USAGE', 'Cannot PUT "/v1/fdb"', { hint: 'methods: GET, POST' }),
    );
  });

  it('answers what is not HTTP with a status line and closes', async () => {
    const socket = connect(fixture.socketPath);
    socket.end('hello\r\n\r\n');
    let text = '';
    for await (const part of socket.setEncoding('utf8')) text += part as string;
    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(text).toContain('"code":"ERR_USAGE"');
    expect(fixture.logged).toEqual([]);
  });
});

describe('ApiServer listen()', () => {
  it('makes the socket 0660 and a missing directory 0750, and removes the socket on close', async () => {
    expect(statSync(fixture.socketPath).mode & 0o777).toBe(0o660);
    expect(statSync(dirname(fixture.socketPath)).mode & 0o777).toBe(0o750);
    await fixture.server.close();
    expect(readdirSync(dirname(fixture.socketPath))).toEqual([]);
  });

  it('leaves an existing directory as it is', async () => {
    const directory = join(fixture.directory, 'own');
    mkdirSync(directory);
    chmodSync(directory, 0o711);
    const other = another(join(directory, 'a.sock'));
    await other.listen();
    expect(statSync(directory).mode & 0o777).toBe(0o711);
    await other.close();
  });

  it('does not replace a live socket', async () => {
    await expect(another(fixture.socketPath).listen()).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_SYSCALL',
        message: `Cannot listen on "${fixture.socketPath}": another vtepd answers there`,
      }),
    );
    expect((await call('GET', '/v1/version')).status).toBe(200);
  });

  it('replaces a stale socket', async () => {
    const path = join(fixture.directory, 'stale.sock');
    await makeStale(path);
    expect(existsSync(path)).toBe(true);
    const other = another(path);
    await other.listen();
    await expect(new ApiClient(path).read('/v1/version')).resolves.toMatchObject({ name: 'vtepd' });
    await other.close();
  });

  it('never removes what is not a socket', async () => {
    const path = join(fixture.directory, 'file');
    writeFileSync(path, 'precious');
    await expect(another(path).listen()).rejects.toThrow('a file of this name is no socket');
    expect(existsSync(path)).toBe(true);
  });

  it('refuses a path that is too long for a socket', async () => {
    await expect(another(`/tmp/${'x'.repeat(120)}`).listen()).rejects.toThrow('the path is too long');
  });
});

function another(socketPath: string): ApiServer {
  return new ApiServer({
    socketPath,
    verbs: fixture.fdb.verbs,
    tunnels: fixture.fdb.directory,
    inspector: { tunnels: () => [], daemon: () => DAEMON },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
}

/** A socket file whose server has gone without removing it, as after kill -9. */
async function makeStale(path: string): Promise<void> {
  const { linkSync } = await import('node:fs');
  const server = createServer();
  server.listen(`${path}.alive`);
  await once(server, 'listening');
  linkSync(`${path}.alive`, path);
  server.close();
  await once(server, 'close');
}
