import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiFixture, LINK } from './api-fixture.ts';

let fixture: ApiFixture;
beforeEach(async () => {
  fixture = new ApiFixture();
  await fixture.server.listen();
});
afterEach(async () => {
  await fixture.close();
});

describe('/v1/links', () => {
  it('answers with all links, or with one', async () => {
    expect((await fixture.call('GET', '/v1/links')).json).toEqual([LINK]);
    expect((await fixture.call('GET', '/v1/links?dev=vx42')).json).toEqual([LINK]);
    expect((await fixture.call('GET', '/v1/links?dev=nope')).status).toBe(404);
    expect((await fixture.call('GET', '/v1/links?name=vx42')).status).toBe(400);
  });

  it('passes on what is well formed, and nothing else', async () => {
    const post = (body: unknown) => fixture.call('POST', '/v1/links', JSON.stringify(body));
    const request = { verb: 'add', links: [{ name: 'vx1', id: 1, up: true }] };
    expect(await post(request)).toMatchObject({ status: 200, json: { applied: 1 } });
    expect(fixture.links.requests).toEqual([request]);
    for (const wrong of [
      { verb: 'replace', links: [{ name: 'vx1' }] },
      { verb: 'add', links: [] },
      { verb: 'add', links: [{ id: 1 }] },
      { verb: 'add', links: [{ name: 'vx1', up: 'yes' }] },
      { verb: 'add', links: [{ name: 'vx1' }], force: true },
      { verb: 'add', links: Array.from({ length: 4097 }, () => ({ name: 'vx1' })) },
    ]) {
      expect((await post(wrong)).status).toBe(400);
    }
    expect(fixture.links.requests).toHaveLength(1);
  });

  it('says which link was wrong', async () => {
    const links = [{ name: 'vx1', id: 1 }, { name: 'taken' }];
    const body = JSON.stringify({ verb: 'add', links });
    expect(await fixture.call('POST', '/v1/links', body)).toMatchObject({
      status: 409,
      json: { error: { code: 'ERR_EXISTS', index: 1 } },
    });
  });
});
