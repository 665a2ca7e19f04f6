import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendRows } from '../../../src/api/answer.ts';
import type { FdbRow } from '../../../src/api/protocol.ts';
import { ApiFixture } from './api-fixture.ts';
import { ZERO } from '../vtep/fdb-fixture.ts';

let fixture: ApiFixture;
beforeEach(async () => {
  fixture = new ApiFixture();
  await fixture.server.listen();
});
afterEach(async () => {
  await fixture.close();
});

const call: ApiFixture['call'] = (...args) => fixture.call(...args);

describe('sendRows()', () => {
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
    for await (const { dst } of fixture.client.rows('/v1/fdb')) count += dst === '10.0.0.1' ? 1 : 0;
    expect(count).toBe(20_000);
    slow.destroy();
    expect((await call('GET', '/v1/version')).status).toBe(200);
  });

  it('has patience with a reader that pauses for longer than the idle limit of the server', async () => {
    const row: FdbRow = {
      mac: ZERO,
      ifname: 'vx42',
      dst: '10.0.0.1',
      flags: ['self'],
      state: 'permanent',
    };
    const parts = Array.from({ length: 200 }, () => new Array<FdbRow>(200).fill(row));
    const path = join(fixture.directory, 'brief.sock');
    const brief = createServer((_, response) => void sendRows(response, parts));
    brief.timeout = 50;
    await once(brief.listen(path), 'listening');
    const slow = connect(path);
    slow.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    await once(slow, 'readable');
    // Whoever says nothing is cut off meanwhile: several, as Node grants a pending write two periods.
    for (let times = 0; times < 4; times += 1) await once(connect(path).resume(), 'close');
    let text = '';
    for await (const part of slow.setEncoding('utf8')) text += part as string;
    expect(text.split('"mac"')).toHaveLength(40_001);
    expect(text).toMatch(/\]\n\r\n0\r\n\r\n$/);
    brief.close();
  });
});
