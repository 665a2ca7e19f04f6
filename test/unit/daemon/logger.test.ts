import { expect, it } from 'vitest';
import { readableLine } from '../../../src/daemon/logger.ts';

it('readableLine() puts time, level and event first, then the fields', () => {
  const line = JSON.stringify({
    level: 'warn',
    time: '2026-01-02T03:04:05.678Z',
    pid: 1,
    dev: 'vx42',
    remotes: ['192.0.2.1'],
    msg: 'device lost',
  });
  expect(readableLine(line)).toBe('03:04:05 warn  device lost dev=vx42 remotes=["192.0.2.1"]\n');
});
