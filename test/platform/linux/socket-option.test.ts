import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EAGAIN } from '../../../src/linux/errno.ts';
import { lastErrno, libc } from '../../../src/linux/libc.ts';
import {
  attachDropAll,
  forceBuffer,
  readOption,
  setOption,
  trySetOption,
} from '../../../src/linux/socket-option.ts';
import {
  AF_UNIX,
  IPPROTO_IP,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
} from '../../../src/linux/uapi.ts';

const NO_SUCH_OPTION = 9999;

let fd: number;

beforeEach(() => {
  fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
});

afterEach(() => {
  libc.close(fd);
});

describe('socket options', () => {
  test('are read as they were set; the kernel doubles buffers', () => {
    setOption(fd, SOL_SOCKET, SO_RCVBUF, 20_000);
    expect(readOption(fd, SOL_SOCKET, SO_RCVBUF)).toBe(40_000);
  });

  test('that do not exist are false to try, and name themselves in the error', () => {
    expect(trySetOption(fd, SOL_SOCKET, NO_SUCH_OPTION, 1)).toBe(false);
    expect(() => setOption(fd, SOL_SOCKET, NO_SUCH_OPTION, 1)).toThrow(
      'Cannot set socket option 1/9999 to 1: ENOPROTOOPT',
    );
    expect(() => readOption(fd, IPPROTO_IP, NO_SUCH_OPTION)).toThrow('Cannot getsockopt 0/9999');
  });

  test('forceBuffer() falls back to what everybody may ask for', () => {
    forceBuffer(fd, NO_SUCH_OPTION, SO_RCVBUF, 20_000);
    expect(readOption(fd, SOL_SOCKET, SO_RCVBUF)).toBe(40_000);
    // Whoever may exceed the limit does not need the fallback.
    if (!trySetOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, 20_000)) return;
    forceBuffer(fd, SO_RCVBUFFORCE, NO_SUCH_OPTION, 30_000);
    expect(readOption(fd, SOL_SOCKET, SO_RCVBUF)).toBe(60_000);
  });
});

describe('attachDropAll()', () => {
  test('lets nothing through', () => {
    const name = Buffer.from(`\u0001\0\0vtepd-drop-${process.pid}`);
    expect(libc.bind(fd, name, name.length)).toBe(0);
    const bytes = Buffer.from('x');
    const send = () => libc.sendto(fd, bytes, 1, 0, name, name.length);
    send();
    expect(libc.recv(fd, bytes, 1, 0)).toBe(1);
    attachDropAll(fd);
    send();
    expect(libc.recv(fd, bytes, 1, 0)).toBe(-1);
    expect(lastErrno()).toBe(EAGAIN);
  });
});
