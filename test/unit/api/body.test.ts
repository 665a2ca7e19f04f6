import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
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

describe('a request body', () => {
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
    const { status, json } = await call(
      'POST',
      '/v1/fdb/flush',
      JSON.stringify({ dev: 'x'.repeat(1e5) }),
    );
    expect(status).toBe(400);
    expect(json).toEqual(error('ERR_USAGE', 'The request body is longer than 65536 bytes'));
  });
});
