import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiFixture } from './api-fixture.ts';
import { MAC } from '../vtep/fdb-fixture.ts';

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

describe('a request', () => {
  it.each([
    [{ verb: 'add', entries: [], foo: 1 }, 'unknown field "foo"'],
    [
      { verb: 'add', entries: [{ mac: MAC, dev: 'vx42', dst: '10.0.0.1', dts: 1 }] },
      'unknown field "dts"',
    ],
    [
      { verb: 'add', entries: [{ mac: MAC, dev: 'vx42', dst: '10.0.0.1', srcVni: 42 }] },
      'unknown field "srcVni"',
    ],
    [
      { verb: 'add', entries: [{ mac: MAC, dev: 'vx42', dst: '10.0.0.1', src_vni: 43 }] },
      'Cannot use src_vni 43 on "vx42", whose VNI is 42',
    ],
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
});

describe('a query', () => {
  it.each([
    'foo=1',
    'dev=vx42&dev=vx43',
    'vni=x',
    'vni=0',
    'state=x',
    'statistics=yes',
    'dst=x',
    'mac=x',
  ])('refuses ?%s', async (query) => {
    const { status, json } = await call('GET', `/v1/fdb?${query}`);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: { code: 'ERR_USAGE' } });
  });
});
