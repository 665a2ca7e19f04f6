import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { describePortOwner } from '../../../src/linux/port-owner.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { describeIf } from '../../support/requires.ts';
import { deleteLink, ip, uniqueName } from './names.ts';

describe('describePortOwner()', () => {
  test('names the process, for its address and for all', async () => {
    const socket = dgram.createSocket('udp6').bind(0, '::1');
    await once(socket, 'listening');
    const { port } = socket.address();
    try {
      expect(describePortOwner(port)).toMatch(
        new RegExp(`^process .+ \\(pid ${process.pid}\\)$`, 'u'),
      );
      expect(describePortOwner(port, parseIp('::1'))).toContain(`(pid ${process.pid})`);
      expect(describePortOwner(port, parseIp('::'))).toContain(`(pid ${process.pid})`);
      expect(describePortOwner(port, parseIp('127.0.0.1'))).toBeUndefined();
    } finally {
      socket.close();
    }
  });

  test('names a process without what a terminal could act on', async () => {
    const program = `const socket = require('node:dgram').createSocket('udp4');
      socket.bind(0, '127.0.0.1', () => console.log(socket.address().port));`;
    const child = spawn(process.execPath, ['-e', program], {
      argv0: 'evil\u001b[31m\u009b',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [port] = (await once(child.stdout, 'data')) as [Buffer];
      expect(describePortOwner(Number(port))).toBe(
        `process evil\\u001b[31m\\u009b (pid ${child.pid})`,
      );
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('is undefined for a port without an owner', () => {
    expect(describePortOwner(1)).toBeUndefined();
  });
});

describeIf({ root: true, kernelVxlan: true, commands: ['ip'] }, 'a kernel vxlan device', () => {
  const name = uniqueName();
  const port = 47_000 + (process.pid % 1000);

  afterEach(() => deleteLink(name));

  test('is named as the owner of its port while it is up', () => {
    const options = ['id', String(process.pid), 'dstport', String(port)];
    ip('link', 'add', name, 'type', 'vxlan', ...options);
    // Nothing is to leave it, not even the announcements of IPv6.
    ip('link', 'set', name, 'addrgenmode', 'none');
    expect(describePortOwner(port)).toBeUndefined();
    ip('link', 'set', name, 'up');
    expect(describePortOwner(port)).toBe(`the kernel vxlan device ${name}`);
  });
});
