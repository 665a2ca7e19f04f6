import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { useHugePages } from '../../../src/linux/huge-pages.ts';

const MEBIBYTE = 1 << 20;

function hugeBytes(): number {
  const total = readFileSync('/proc/self/smaps_rollup', 'utf8');
  return Number(/AnonHugePages:\s+(\d+) kB/.exec(total)![1]) * 1024;
}

test('useHugePages() keeps the content, and the kernel uses huge pages where it may', () => {
  const memory = new SharedArrayBuffer(32 * MEBIBYTE);
  const words = new Int32Array(memory);
  for (let at = 0; at < words.length; at += 1024) words[at] = at;
  const before = hugeBytes();
  const taken = useHugePages(memory);
  for (let at = 0; at < words.length; at += 1024) expect(words[at]).toBe(at);
  const path = '/sys/kernel/mm/transparent_hugepage/enabled';
  const isOff = readFileSync(path, 'utf8').includes('[never]');
  if (taken && !isOff) expect(hugeBytes() - before).toBeGreaterThan(16 * MEBIBYTE);
});

test('useHugePages() leaves memory alone that has no whole page', () => {
  expect(useHugePages(new SharedArrayBuffer(16))).toBe(false);
});
