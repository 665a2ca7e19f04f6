import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { VtepError } from '../base/errors.ts';

/** A body of one JSON document is parsed in one go and so kept smaller than one that is read by lines. */
export const JSON_BODY_BYTES_MAX = 64 * 1024 * 1024;
/** Room for 1 M entries of more than 200 bytes. */
export const LINES_BODY_BYTES_MAX = 256 * 1024 * 1024;
/** Bodies that are not lists of entries. */
export const SMALL_BODY_BYTES_MAX = 64 * 1024;

const LINE_LENGTH_MAX = 4096;

/** The body as one JSON value. Throws ERR_USAGE when it is longer than `bytesMax` or not JSON. */
export async function readJson(request: IncomingMessage, bytesMax: number): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of boundedParts(request, bytesMax)) parts.push(part);
  return parseJson(Buffer.concat(parts).toString('utf8'), 'the request body');
}

/** The body's lines that are not empty. Throws ERR_USAGE when the body or a line is too long. */
export async function* readLines(
  request: IncomingMessage,
  bytesMax: number,
): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const part of boundedParts(request, bytesMax)) {
    const lines = (rest + decoder.write(part)).split('\n');
    rest = lines.pop()!;
    if (rest.length > LINE_LENGTH_MAX) throw tooLong('A line of the request body', LINE_LENGTH_MAX);
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  rest += decoder.end();
  if (rest.trim() !== '') yield rest;
}

/** `text` as JSON, or ERR_USAGE that says why not; `what` names it in the message. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new VtepError('ERR_USAGE', `Cannot parse ${what} as JSON: ${why}`, { cause: error });
  }
}

async function* boundedParts(
  request: IncomingMessage,
  bytesMax: number,
): AsyncGenerator<Buffer, void, undefined> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax)
    throw tooLong('The request body', bytesMax);
  let bytes = 0;
  // The stream is left alone on an early exit, so that the answer can still be sent over its socket.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    bytes += (part as Buffer).length;
    if (bytes > bytesMax) throw tooLong('The request body', bytesMax);
    yield part as Buffer;
  }
}

function tooLong(what: string, bytesMax: number): VtepError {
  return new VtepError('ERR_USAGE', `${what} is longer than ${bytesMax} bytes`, {
    hint: 'send entries line by line as application/x-ndjson, or in several requests',
  });
}
