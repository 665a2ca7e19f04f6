import { describe, expect, it } from 'vitest';
import { RateLimitedLog, SILENT, type Logger } from '../../../src/base/log.ts';

function recorder(): { log: Logger; lines: [string, Record<string, unknown>][] } {
  const lines: [string, Record<string, unknown>][] = [];
  const log = {
    ...SILENT,
    warn: (event: string, fields: Record<string, unknown> = {}) => void lines.push([event, fields]),
  };
  return { log, lines };
}

describe('RateLimitedLog', () => {
  it('passes the first warning and holds equal ones back for a minute', () => {
    const { log, lines } = recorder();
    const limited = new RateLimitedLog(log);
    limited.warn('key', 100, 'event', { a: 1 });
    limited.warn('key', 101, 'event', { a: 2 });
    limited.warn('key', 159, 'event', { a: 3 });
    expect(lines).toEqual([['event', { a: 1 }]]);
  });

  it('says how many it held back', () => {
    const { log, lines } = recorder();
    const limited = new RateLimitedLog(log);
    for (const second of [100, 101, 102, 160, 220])
      limited.warn('key', second, 'event', { second });
    expect(lines.map(([, fields]) => fields)).toEqual([
      { second: 100 },
      { second: 160, suppressed: 2 },
      { second: 220 },
    ]);
  });

  it('counts different keys apart', () => {
    const { log, lines } = recorder();
    const limited = new RateLimitedLog(log);
    limited.warn('one', 1, 'event');
    limited.warn('two', 1, 'event');
    expect(lines).toHaveLength(2);
  });
});
