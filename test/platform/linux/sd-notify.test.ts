import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { libc } from '../../../src/linux/libc.ts';
import { notify } from '../../../src/linux/sd-notify.ts';
import { AF_UNIX, SOCK_DGRAM, SOCK_NONBLOCK } from '../../../src/linux/uapi.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtepd-notify-'));
const fds: number[] = [];

/** A service manager: a socket of datagrams at a path, or at a name that begins with a zero byte. */
function listen(path: string): number {
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  fds.push(fd);
  const address = Buffer.from(`\u0001\0${path}`);
  expect(libc.bind(fd, address, address.length)).toBe(0);
  return fd;
}

function read(fd: number): string {
  const buffer = Buffer.alloc(200);
  return buffer.toString('utf8', 0, libc.recv(fd, buffer, buffer.length, 0));
}

afterEach(() => {
  for (const fd of fds.splice(0)) libc.close(fd);
  rmSync(folder, { recursive: true, force: true });
});

describe('notify()', () => {
  test.each([
    ['a path', join(folder, 'notify'), join(folder, 'notify')],
    ['an abstract name', `\0vtepd-${process.pid}`, `@vtepd-${process.pid}`],
  ])('sends one datagram to %s', (_, bound, name) => {
    const fd = listen(bound);
    expect(notify('READY=1\nSTATUS=2 tunnels', { NOTIFY_SOCKET: name })).toBe(true);
    expect(read(fd)).toBe('READY=1\nSTATUS=2 tunnels');
  });

  test('does not block when the service manager does not read', () => {
    listen(`\0vtepd-${process.pid}`);
    const environment = { NOTIFY_SOCKET: `@vtepd-${process.pid}` };
    let sent = 0;
    while (sent < 100_000 && notify('WATCHDOG=1', environment)) sent++;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(100_000);
  });
});
