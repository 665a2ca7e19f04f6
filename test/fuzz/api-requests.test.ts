import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiFixture } from '../unit/api/api-fixture.ts';

let fixture: ApiFixture;
beforeAll(async () => {
  fixture = new ApiFixture();
  await fixture.server.listen();
});
afterAll(async () => {
  await fixture.close();
});

const KEYS = [
  'verb',
  'entries',
  'mac',
  'dev',
  'dst',
  'port',
  'vni',
  'src_vni',
  'via',
  'state',
  'states',
  '__proto__',
];
const value = fc.oneof(
  fc.constantFrom(
    'add',
    'del',
    'append',
    'replace',
    'vx42',
    'vx6',
    '52:54:00:3f:e6:43',
    '00:00:00:00:00:00',
  ),
  fc.constantFrom('10.0.0.1', 'fe80::1', 'eth0', 'static', 'dynamic', '1', 42, 4789, -1, 1e99),
  fc.jsonValue({ maxDepth: 2 }),
);
const object = fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), value, {
  maxKeys: 6,
});
const change = fc.record({
  verb: fc.constantFrom('add', 'append', 'replace', 'del'),
  entries: fc.array(object),
});
const body = fc.oneof(object, change, fc.jsonValue()).map((json) => JSON.stringify(json));
const path = fc.constantFrom(
  '/v1/fdb',
  '/v1/fdb/flush',
  '/v1/fdb/entry',
  '/v1/tunnels',
  '/v1/version',
  '/',
);
const query = fc.dictionary(
  fc.oneof(fc.constantFrom(...KEYS, 'statistics'), fc.string()),
  fc.string(),
  { maxKeys: 4 },
);

describe('the API', () => {
  it('answers every request, and never with a bug', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PUT'),
        path,
        query,
        body,
        fc.boolean(),
        async (method, at, q, text, lines) => {
          const search = new URLSearchParams(q).toString();
          const request = httpRequest({
            socketPath: fixture.socketPath,
            method,
            path: search === '' ? at : `${at}?${search}`,
            headers: lines ? { 'content-type': 'application/x-ndjson' } : {},
            agent: false,
          });
          request.end(method === 'GET' ? undefined : text);
          const [response] = (await once(request, 'response')) as [IncomingMessage];
          let answer = '';
          for await (const part of response.setEncoding('utf8')) answer += part as string;
          JSON.parse(answer);
          expect([response.statusCode, answer]).not.toContain(500);
        },
      ),
      { numRuns: 400 },
    );
    expect(fixture.logged).toEqual([]);
  });

  it('survives bytes that are no HTTP', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const socket = connect(fixture.socketPath);
        socket.on('error', () => undefined);
        socket.end(bytes);
        socket.resume();
        await once(socket, 'close');
      }),
      { numRuns: 100 },
    );
    await expect(fixture.client.read('/v1/version')).resolves.toMatchObject({ name: 'vtepd' });
    expect(fixture.logged).toEqual([]);
  });
});
