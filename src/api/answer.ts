import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { ERROR_CODES } from '../base/errors.ts';
import type { VtepError } from '../base/errors.ts';
import type { ErrorReport } from './protocol.ts';

const CHUNK_LENGTH = 64 * 1024;
/** A reader of rows may be a person with a pager: it may pause for longer than other clients. */
const READER_IDLE_TIMEOUT_MS = 15 * 60_000;

/** Answers with one JSON document. */
export function sendJson(response: ServerResponse, value: unknown): void {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** Answers with the error and the HTTP status of its code; an answer that has begun is cut off instead. */
export function sendError(response: ServerResponse, error: VtepError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const report: ErrorReport = {
    error: {
      code: error.code,
      message: error.message,
      ...(error.hint !== undefined && { hint: error.hint }),
      ...(error.index !== undefined && { index: error.index }),
    },
  };
  const body = `${JSON.stringify(report)}\n`;
  response.writeHead(ERROR_CODES[error.code].http, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    // What is left of the request's body is not worth reading.
    connection: 'close',
  });
  response.end(body);
}

/**
 * Answers with a JSON array, one row a line, in chunks: the next rows are taken only when the client has
 * read the ones before, and everybody else gets a turn in between. Memory use does not grow with the rows.
 *
 * A client that reads nothing for 15 minutes is cut off, however short the server's own limit is.
 */
export async function sendRows(
  response: ServerResponse,
  parts: Iterable<readonly object[]>,
): Promise<void> {
  // Until the last row is read: the connection's next request has the server's limit again.
  response.setTimeout(READER_IDLE_TIMEOUT_MS);
  response.writeHead(200, { 'content-type': 'application/json' });
  let separator = '[';
  let chunk = '';
  for (const part of parts) {
    for (const row of part) {
      chunk += separator + JSON.stringify(row);
      separator = ',\n';
    }
    if (chunk.length >= CHUNK_LENGTH) {
      const flowing = response.write(chunk);
      chunk = '';
      if (!flowing && !(await isDrained(response))) return;
    }
    await setImmediate();
    if (response.destroyed) return;
  }
  response.end(`${chunk}${separator === '[' ? '[' : ''}]\n`);
}

/** Waits until more can be written; false when the client has gone. */
async function isDrained(response: ServerResponse): Promise<boolean> {
  if (response.destroyed) return false;
  const abort = new AbortController();
  const { signal } = abort;
  try {
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
  } finally {
    abort.abort();
  }
  return !response.destroyed;
}
