import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../../../src/api/client.ts';
import { VtepError } from '../../../src/base/errors.ts';
import { ApiFixture } from './api-fixture.ts';

let fixture: ApiFixture;
beforeEach(async () => {
  fixture = new ApiFixture();
  await fixture.server.listen();
});
afterEach(async () => {
  await fixture.close();
});

const unreachable = (message: unknown) =>
  expect.objectContaining({ code: 'ERR_UNREACHABLE', message }) as Error;

describe('ApiClient', () => {
  it('throws the error of the daemon with code, message, hint and index', async () => {
    const failure = fixture.client.change('add', [
      { mac: '02:00:00:00:00:01', dev: 'vx42', dst: '10.0.0.1' },
      { mac: '02:00:00:00:00:01', dev: 'vx42', dst: '10.0.0.1' },
    ]);
    await expect(failure).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_EXISTS',
        message: 'Cannot add "02:00:00:00:00:01" on "vx42": the entry exists already',
        hint: 'use replace to overwrite it',
        index: 1,
      }),
    );
  });

  it('reads rows one by one, also when there are none', async () => {
    const rows = async () => {
      const all = [];
      for await (const row of fixture.client.rows('/v1/fdb', { dev: 'vx42', mac: undefined }))
        all.push(row);
      return all;
    };
    expect(await rows()).toEqual([]);
    const { applied } = await fixture.client.change('append', [
      { mac: '00:00:00:00:00:00', dev: 'vx42', dst: '10.0.0.1' },
      { mac: '00:00:00:00:00:00', dev: 'vx42', dst: '10.0.0.2' },
    ]);
    expect(applied).toBe(2);
    expect((await rows()).map(({ dst }) => dst)).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it('passes on the error of whoever produces the entries, and nothing is applied', async () => {
    function* entries() {
      yield { mac: '02:00:00:00:00:01', dev: 'vx42', dst: '10.0.0.1' };
      throw new VtepError('ERR_USAGE', 'line 2 is wrong');
    }
    await expect(fixture.client.change('add', entries())).rejects.toThrow('line 2 is wrong');
    expect(fixture.fdb.dump()).toEqual([]);
  });

  it('says that there is no daemon', async () => {
    const path = join(fixture.directory, 'none.sock');
    await expect(new ApiClient(path).read('/v1/version')).rejects.toThrow(
      unreachable(`Cannot reach vtepd on "${path}": there is no such socket`),
    );
  });

  it('gives up on a daemon that does not answer', async () => {
    const path = join(fixture.directory, 'mute.sock');
    const mute = createServer(() => undefined).listen(path);
    await once(mute, 'listening');
    await expect(new ApiClient(path, 50).read('/v1/version')).rejects.toThrow(
      unreachable(expect.stringContaining('no answer within 0.05 s')),
    );
    mute.close();
  });

  it('waits for the rest of an answer that has begun', async () => {
    const path = join(fixture.directory, 'pausing.sock');
    const mute = join(fixture.directory, 'mute.sock');
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
    let finish = (): void => undefined;
    const pausing = createServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunk('[{},\n')}`);
      finish = () => void socket.end(`${chunk('{}]\n')}${chunk('')}`);
    }).listen(path);
    const silent = createServer(() => undefined).listen(mute);
    await Promise.all([once(pausing, 'listening'), once(silent, 'listening')]);
    const rows = new ApiClient(path, 50).rows('/v1/fdb');
    expect(await rows.next()).toEqual({ done: false, value: {} });
    // A request without an answer tells when the time is up.
    for (let times = 0; times < 2; times += 1) {
      await expect(new ApiClient(mute, 50).read('/v1/version')).rejects.toThrow('no answer within');
    }
    finish();
    expect(await rows.next()).toEqual({ done: false, value: {} });
    expect((await rows.next()).done).toBe(true);
    pausing.close();
    silent.close();
  });

  it('says when the answer breaks off, or is of somebody else', async () => {
    const path = join(fixture.directory, 'odd.sock');
    let answer = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[{}';
    const odd = createServer((socket) => socket.end(answer)).listen(path);
    await once(odd, 'listening');
    const rows = new ApiClient(path).rows('/v1/fdb');
    await expect(rows.next()).rejects.toThrow(unreachable(expect.stringContaining('broke off')));
    answer = 'HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nhello';
    await expect(new ApiClient(path).read('/v1/fdb')).rejects.toThrow(
      unreachable('Cannot understand the answer of status 404'),
    );
    odd.close();
  });
});
