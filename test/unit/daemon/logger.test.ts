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

it('readableLine() leaves nothing in its values that a terminal could act on', () => {
  const fields = { owner: 'x\u001b[31m\ny', names: ['\u009b2J', '\u202e'] };
  const line = JSON.stringify({ level: 'warn', time: '', msg: 'port taken', ...fields });
  expect(readableLine(line)).toBe(
    ' warn  port taken owner=x\\u001b[31m\\u000ay names=["\\u009b2J","\\u202e"]\n',
  );
});
