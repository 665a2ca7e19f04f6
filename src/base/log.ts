/**
 * What the rest of the code needs of a logger: an event name and its fields.
 * The daemon binds it to pino; tests bind it to an array.
 */
export interface Logger {
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
  /** Logged at every level. */
  notice(event: string, fields?: Record<string, unknown>): void;
}

/** Swallows everything. */
export const SILENT: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  notice() {},
};

const QUIET_SECONDS = 60;

/**
 * Passes the first of equal warnings and then at most one a minute, with the count of those held back.
 * `key` names what is equal; time is passed in as seconds.
 */
export class RateLimitedLog {
  readonly #log: Logger;
  readonly #seen = new Map<string, { lastSeconds: number; held: number }>();

  constructor(log: Logger) {
    this.#log = log;
  }

  warn(key: string, nowSeconds: number, event: string, fields: Record<string, unknown> = {}): void {
    const seen = this.#seen.get(key);
    if (seen !== undefined && nowSeconds - seen.lastSeconds < QUIET_SECONDS) {
      seen.held += 1;
      return;
    }
    const held = seen?.held ?? 0;
    this.#seen.set(key, { lastSeconds: nowSeconds, held: 0 });
    this.#log.warn(event, held === 0 ? fields : { ...fields, suppressed: held });
  }
}
