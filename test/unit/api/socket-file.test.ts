import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../../../src/api/client.ts';
import { ApiServer } from '../../../src/api/server.ts';
import { listenOnSocket } from '../../../src/api/socket-file.ts';
import { ApiFixture, DAEMON } from './api-fixture.ts';

let fixture: ApiFixture;
beforeEach(async () => {
  fixture = new ApiFixture();
  await fixture.server.listen();
});
afterEach(async () => {
  await fixture.close();
});

const call: ApiFixture['call'] = (...args) => fixture.call(...args);

describe('listenOnSocket()', () => {
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

  it.each([
    ['EACCES', 'run as root, or choose a path you may write with --socket'],
    ['EPERM', 'run as root, or choose a path you may write with --socket'],
    ['EROFS', 'choose a path you may write with --socket'],
  ])('says what to do about %s', async (code, hint) => {
    const server = createServer();
    server.listen = () => {
      throw Object.assign(new Error(code), { code, syscall: 'listen' });
    };
    const path = join(fixture.directory, 'refused.sock');
    await expect(listenOnSocket(server, path)).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_PERMISSION',
        message: `Cannot listen on "${path}": listen: ${code}`,
        hint,
      }),
    );
  });

  it('refuses a path that is too long for a socket', async () => {
    await expect(another(`/tmp/${'x'.repeat(120)}`).listen()).rejects.toThrow(
      'the path is too long',
    );
  });
});

function another(socketPath: string): ApiServer {
  return new ApiServer({
    socketPath,
    verbs: fixture.fdb.verbs,
    neighbours: fixture.neighbourVerbs,
    tunnels: fixture.fdb.directory,
    inspector: { tunnels: () => [], daemon: () => DAEMON },
    links: fixture.links,
    log: { debug() {}, info() {}, warn() {}, error() {}, notice() {} },
  });
}

/** A socket file whose server has gone without removing it, as after kill -9. */
async function makeStale(path: string): Promise<void> {
  const server = createServer();
  server.listen(`${path}.alive`);
  await once(server, 'listening');
  linkSync(`${path}.alive`, path);
  server.close();
  await once(server, 'close');
}
