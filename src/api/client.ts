import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { ERROR_CODES, VtepError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import { NDJSON } from './protocol.ts';
import type { ChangeReport, ErrorReport, FdbRow } from './protocol.ts';

const TIMEOUT_MS = 60_000;
const ERROR_BODY_LENGTH_MAX = 64 * 1024;

/** Query parameters; what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * Talks to a daemon on its unix socket. Every failure is a VtepError: the daemon's own one, or
 * ERR_UNREACHABLE or ERR_PERMISSION when there was no answer.
 */
export class ApiClient {
  readonly #socketPath: string;
  readonly #timeoutMs: number;

  constructor(socketPath: string, timeoutMs = TIMEOUT_MS) {
    this.#socketPath = socketPath;
    this.#timeoutMs = timeoutMs;
  }

  /** The answer of a GET as one value. */
  async read<T>(path: string, query: Query = {}): Promise<T> {
    return (await readAll(await this.open(path, query))) as T;
  }

  /** The answer of a POST with a JSON body as one value. */
  async write<T>(path: string, body: unknown): Promise<T> {
    const sent = [JSON.stringify(body)];
    return (await readAll(await this.#send('POST', path, sent, 'application/json'))) as T;
  }

  /** Applies entries of the table `path` all or none; they are sent line by line as they come. */
  async change(
    verb: string,
    entries: Iterable<object> | AsyncIterable<object>,
    path = '/v1/fdb',
  ): Promise<ChangeReport> {
    const response = await this.#send('POST', `${path}?verb=${verb}`, toLines(entries), NDJSON);
    return (await readAll(response)) as ChangeReport;
  }

  /** The answer of a GET as it comes, if its status is good. The caller reads or destroys it. */
  async open(path: string, query: Query = {}): Promise<IncomingMessage> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) search.set(name, String(value));
    }
    return this.#send('GET', search.size === 0 ? path : `${path}?${search.toString()}`);
  }

  /** The answer of a GET as text, piece by piece as it comes. */
  async *text(path: string, query: Query = {}): AsyncGenerator<string, void, undefined> {
    const response = await this.open(path, query);
    response.setEncoding('utf8');
    try {
      for await (const chunk of response) yield chunk as string;
    } catch (error) {
      throw this.#lost(error);
    }
    if (!response.complete) throw this.#lost(undefined);
  }

  /** The rows of a GET one by one, in flat memory. */
  async *rows<Row = FdbRow>(path: string, query: Query = {}): AsyncGenerator<Row, void, undefined> {
    let rest = '';
    for await (const chunk of this.text(path, query)) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const row = parseRow(line);
        if (row !== undefined) yield row as Row;
      }
    }
  }

  async #send(
    method: 'GET' | 'POST',
    path: string,
    body?: Iterable<string> | AsyncIterable<string>,
    contentType?: string,
  ): Promise<IncomingMessage> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest({
        socketPath: this.#socketPath,
        method,
        path,
        agent: false,
        headers: contentType === undefined ? {} : { 'content-type': contentType },
      });
      let answered = false;
      request.setTimeout(this.#timeoutMs, () => {
        request.destroy(new Error(`no answer within ${this.#timeoutMs / 1000} s`));
      });
      request.once('response', (message) => {
        answered = true;
        // From here on it is the reader who may be slow, and the daemon who ends that.
        request.setTimeout(0);
        resolve(message);
      });
      // A daemon that refuses a body closes before it has read all of it: its answer counts, not EPIPE.
      request.on('error', (error) => {
        if (!answered) setImmediate(() => reject(this.#unreachable(error)));
      });
      if (body === undefined) request.end();
      else sendBody(body, request, reject);
    });
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw await readError(response);
  }

  #unreachable(error: NodeJS.ErrnoException): VtepError {
    const what = `Cannot reach vtepd on "${this.#socketPath}"`;
    if (error.code === 'EACCES' || error.code === 'EPERM') {
      return new VtepError('ERR_PERMISSION', `${what}: permission denied`, {
        cause: error,
        hint: 'run as root, or as a member of the group that owns the socket',
      });
    }
    const why = REASONS[error.code ?? ''] ?? error.message;
    return new VtepError('ERR_UNREACHABLE', `${what}: ${why}`, {
      cause: error,
      hint: 'start it (systemctl start vtepd), or name its socket with --socket PATH or VTEP_SOCKET',
    });
  }

  #lost(cause: unknown): VtepError {
    if (cause instanceof VtepError) return cause;
    return new VtepError(
      'ERR_UNREACHABLE',
      `Cannot read on from vtepd on "${this.#socketPath}": the answer broke off`,
      { cause, hint: 'the daemon was stopped or has failed; see its log' },
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nobody listens there',
  ENOTSOCK: 'that is no socket',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
};

/** A producer's error, a line that cannot be parsed, is the caller's and wins over the socket's. */
function sendBody(
  body: Iterable<string> | AsyncIterable<string>,
  request: NodeJS.WritableStream & { destroy(): unknown },
  reject: (error: unknown) => void,
): void {
  const source = Readable.from(body, { objectMode: true, highWaterMark: 4 });
  source.once('error', (error) => {
    reject(error);
    request.destroy();
  });
  request.once('close', () => source.destroy());
  source.pipe(request);
}

/** Lines in pieces of some kilobytes, so that a million entries are not a million writes. */
async function* toLines(
  entries: Iterable<object> | AsyncIterable<object>,
): AsyncGenerator<string, void, undefined> {
  let piece = '';
  for await (const entry of entries) {
    piece += `${JSON.stringify(entry)}\n`;
    if (piece.length < 32 * 1024) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

/** The server writes `[ROW`, `ROW,` and `ROW]`, one a line, or `[]`. */
function parseRow(line: string): unknown {
  const start = line.startsWith('[') ? 1 : 0;
  const end = line.endsWith(',') || line.endsWith(']') ? line.length - 1 : line.length;
  return end <= start ? undefined : (JSON.parse(line.slice(start, end)) as unknown);
}

async function readAll(response: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown;
}

async function readError(response: IncomingMessage): Promise<VtepError> {
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) {
    text += part as string;
    if (text.length > ERROR_BODY_LENGTH_MAX) break;
  }
  const report = asErrorReport(text);
  if (report === undefined) {
    return new VtepError(
      'ERR_UNREACHABLE',
      `Cannot understand the answer of status ${response.statusCode}`,
      {
        hint: 'does something else than vtepd listen on this socket?',
      },
    );
  }
  const { code, message, hint, index } = report.error;
  return new VtepError(code, message, {
    ...(hint !== undefined && { hint }),
    ...(index !== undefined && { index }),
  });
}

function asErrorReport(text: string): ErrorReport | undefined {
  try {
    const report = JSON.parse(text) as Partial<ErrorReport> | null;
    const code: string | undefined = report?.error?.code;
    if (code === undefined || !Object.hasOwn(ERROR_CODES, code)) return undefined;
    return { error: { ...report!.error!, code: code as ErrorCode } };
  } catch {
    return undefined;
  }
}
