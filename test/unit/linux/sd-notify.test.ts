import { describe, expect, test } from 'vitest';
import { notify, watchdogIntervalMs } from '../../../src/linux/sd-notify.ts';

describe('watchdogIntervalMs()', () => {
  const pid = String(process.pid);

  test('is the interval in milliseconds when this process is watched', () => {
    expect(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: pid })).toBe(30_000);
    expect(watchdogIntervalMs({ WATCHDOG_USEC: '1500' })).toBe(1.5);
  });

  test('is undefined when another process is watched, or none', () => {
    expect(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' })).toBeUndefined();
    expect(watchdogIntervalMs({ WATCHDOG_PID: pid })).toBeUndefined();
    for (const text of ['', '0', '-5', 'soon', '1.5']) {
      expect(watchdogIntervalMs({ WATCHDOG_USEC: text })).toBeUndefined();
    }
  });
});

describe('notify()', () => {
  test('is false without a service manager or with an address that is none', () => {
    const tooLong = `/${'x'.repeat(108)}`;
    for (const name of [undefined, '', '@', '/', 'relative', 'vsock:2:1', tooLong]) {
      expect(notify('READY=1', { NOTIFY_SOCKET: name })).toBe(false);
    }
  });

  test('is false when nobody listens', () => {
    expect(notify('READY=1', { NOTIFY_SOCKET: '/nonexistent/notify' })).toBe(false);
  });
});
