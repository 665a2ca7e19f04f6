/** The daemon's log: JSON lines for a service manager, readable lines for a person at a terminal. */
import { pino, type DestinationStream, type Logger as Pino } from 'pino';
import type { Logger } from '../base/log.ts';
import { printable } from '../base/printable.ts';

/** Logs to stderr at `level`; `readable` is for a terminal. */
export function makeLogger(level: string, readable: boolean): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  const target: DestinationStream = readable
    ? { write: (line) => void destination.write(readableLine(line)) }
    : destination;
  const log = pino(
    {
      level,
      // Above all others, so that it is logged at every level.
      customLevels: { notice: 70 },
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    target,
  );
  return {
    debug: bound(log, 'debug'),
    info: bound(log, 'info'),
    warn: bound(log, 'warn'),
    error: bound(log, 'error'),
    notice: bound(log, 'notice'),
  };
}

function bound(log: Pino<'notice'>, level: 'debug' | 'info' | 'warn' | 'error' | 'notice') {
  return (event: string, fields: Record<string, unknown> = {}): void => log[level](fields, event);
}

/** `12:34:56 warn   event  field=value …` of a JSON line. */
export function readableLine(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  delete fields['pid'];
  const words = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`);
  const clock = String(time).slice(11, 19);
  return [clock, String(level).padEnd(5), String(msg), ...words].join(' ') + '\n';
}

function plain(value: unknown): string {
  return printable(typeof value === 'string' ? value : JSON.stringify(value));
}
