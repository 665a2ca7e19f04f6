import { printable } from './printable.ts';

/**
 * The one error class, and the closed list of its codes.
 *
 * A message names the action that failed and quotes the offending value; a hint says what to do.
 * The codes, exit statuses and HTTP statuses are part of the interface: the README lists them.
 */
export const ERROR_CODES = {
  ERR_USAGE: {
    exit: 2,
    http: 400,
    meaning: 'the command line or the request is not of the expected form',
  },
  ERR_UNREACHABLE: { exit: 3, http: 503, meaning: 'the daemon does not answer on its socket' },
  ERR_NOT_FOUND: {
    exit: 4,
    http: 404,
    meaning: 'the device, entry or remote named does not exist',
  },
  ERR_EXISTS: { exit: 5, http: 409, meaning: 'the entry to be added exists already' },
  ERR_CONFIG: {
    exit: 65,
    http: 422,
    meaning: 'the configuration is invalid; nothing was started or changed',
  },
  ERR_PORT_IN_USE: {
    exit: 1,
    http: 500,
    meaning: 'the UDP port is taken by another program or kernel device',
  },
  ERR_TUN_DEVICE: {
    exit: 1,
    http: 500,
    meaning: '/dev/net/tun is missing or cannot be opened, or the TAP refused',
  },
  ERR_PERMISSION: { exit: 1, http: 500, meaning: 'the process may not do this' },
  ERR_LIMIT: { exit: 1, http: 507, meaning: 'a table is full' },
  ERR_SYSCALL: { exit: 1, http: 500, meaning: 'the kernel refused a call; the message names it' },
  ERR_INTERNAL: { exit: 1, http: 500, meaning: 'a bug in this program' },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface VtepErrorOptions {
  hint?: string;
  cause?: unknown;
  /** Index of the offending element in a list that was applied all or none, from 0. */
  index?: number;
}

/** What every failure a user may see is thrown as. */
export class VtepError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly index: number | undefined;

  constructor(code: ErrorCode, message: string, options: VtepErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'VtepError';
    this.code = code;
    this.hint = options.hint;
    this.index = options.index;
  }

  get exitStatus(): number {
    return ERROR_CODES[this.code].exit;
  }
}

/** Any thrown value as a VtepError; what is not one becomes ERR_INTERNAL with the value as its cause. */
export function asVtepError(value: unknown): VtepError {
  if (value instanceof VtepError) return value;
  const message = value instanceof Error ? value.message : String(value);
  return new VtepError('ERR_INTERNAL', message, { cause: value });
}

/** The two lines a person reads on stderr, or more: several problems have a line each. */
export function formatError(error: VtepError): string {
  const line = `error: ${error.message}`;
  const text = error.hint === undefined ? line : `${line}\nhint: ${error.hint}`;
  return text.split('\n').map(printable).join('\n');
}
