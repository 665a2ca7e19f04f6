import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

const error = (code: string, message: unknown, more: object = {}) => ({
  error: expect.objectContaining({ code, message, ...more }) as object,
});

describe('ApiServer', () => {
  it('refuses unknown paths and methods with what is known', async () => {
    expect((await call('GET', '/v2/fdb')).json).toEqual(
      error('ERR_NOT_FOUND', 'Cannot find "/v2/fdb"', {
        hint: expect.stringContaining('/v1/fdb') as string,
      }),
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
