import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EBADF } from '../../../src/linux/errno.ts';
import { lastErrno, libc } from '../../../src/linux/libc.ts';
import { mapArena, unmapArena } from '../../../src/linux/memory.ts';
import { AF_UNIX, O_CLOEXEC, O_RDWR, SOCK_DGRAM } from '../../../src/linux/uapi.ts';
import type { Arena } from '../../../src/packet/arena.ts';

let arena: Arena;

beforeEach(() => {
  arena = mapArena(4096);
});

afterEach(() => {
  unmapArena(arena);
});

describe('libc with addresses', () => {
  test('the kernel reads and writes the arena through iovecs', () => {
    arena.bytes.set(Buffer.from('overlay'), 100);
    arena.bytes.set(Buffer.from('underlay'), 200);
    writeIovec(0, 100, 7);
    writeIovec(16, 200, 8);
    const fd = libc.socket(AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0);
    const name = Buffer.from(`\u0001\0\0vtepd-test-${process.pid}`);
    try {
      expect(libc.bind(fd, name, name.length)).toBe(0);
      expect(libc.connect(fd, name, name.length)).toBe(0);
      expect(libc.writev(fd, arena.base, 2)).toBe(15);
      writeIovec(0, 1000, 3);
      writeIovec(16, 2000, 100);
      expect(libc.readv(fd, arena.base, 2)).toBe(15);
      expect(Buffer.from(arena.bytes.subarray(1000, 1003)).toString()).toBe('ove');
      expect(Buffer.from(arena.bytes.subarray(2000, 2012)).toString()).toBe('rlayunderlay');
      expect(libc.write(fd, arena.base + 200, 5)).toBe(5);
      expect(libc.read(fd, arena.base + 300, 100)).toBe(5);
      expect(Buffer.from(arena.bytes.subarray(300, 305)).toString()).toBe('under');
    } finally {
      libc.close(fd);
    }
  });

  test('a failed call returns -1 and lastErrno() says why', () => {
    expect(libc.read(-1, arena.base, 10)).toBe(-1);
    expect(lastErrno()).toBe(EBADF);
    expect(libc.if_nametoindex('no-such-device')).toBe(0);
    expect(libc.if_nametoindex('lo')).toBeGreaterThan(0);
  });

  test('passing addresses of an arena allocates nothing', () => {
    const fd = libc.open('/dev/zero', O_RDWR | O_CLOEXEC, 0);
    try {
      const grown: number[] = [];
      for (let round = 0; round < 5; round++) {
        const before = process.memoryUsage().heapUsed;
        for (let i = 0; i < 100_000; i++) libc.read(fd, arena.base + (i & 1023), 64);
        grown.push(process.memoryUsage().heapUsed - before);
      }
      // The median, because compiling falls into one round and a collection into another. A heap
      // number for each address would be 1.6 MB.
      expect(grown.sort((a, b) => a - b)[2]).toBeLessThan(400_000);
    } finally {
      libc.close(fd);
    }
  });
});

function writeIovec(at: number, offset: number, length: number): void {
  arena.view.setBigUint64(at, BigInt(arena.base + offset), true);
  arena.view.setBigUint64(at + 8, BigInt(length), true);
}
