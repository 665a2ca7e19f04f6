import { ApiClient } from '../api/client.ts';
import type { Query } from '../api/client.ts';
import type { Invocation } from './command.ts';
import { parseGet, parseShow } from './keywords.ts';
import { formatRow } from './output.ts';

const CHUNK_LENGTH = 64 * 1024;

/** `fdb show`. */
export async function showFdb(invocation: Invocation): Promise<void> {
  const query = parseShow(invocation.words);
  await printRows(invocation, '/v1/fdb', query, query['dev'] !== undefined);
}

/** `fdb get`: the rows of one MAC. */
export async function showEntry(invocation: Invocation): Promise<void> {
  await printRows(invocation, '/v1/fdb/entry', parseGet(invocation.words), false);
}

/** Prints rows as they come, so that a table of any size needs little memory. */
async function printRows(
  { options, output }: Invocation,
  path: string,
  filter: Query,
  isDeviceNamed: boolean,
): Promise<void> {
  const client = new ApiClient(options.socket);
  const query = { ...filter, statistics: options.statistics ? 1 : undefined };
  if (options.json && !options.pretty) {
    // The daemon's rows are what is to be printed.
    for await (const text of client.text(path, query)) {
      if (!output.write(text)) await output.drained();
    }
    return;
  }
  let chunk = '';
  let separator = '[\n';
  for await (const row of client.rows(path, query)) {
    if (options.json) {
      chunk += separator + JSON.stringify(row, undefined, 4).replace(/^/gm, '    ');
      separator = ',\n';
    } else {
      chunk += `${formatRow(row, isDeviceNamed)}\n`;
    }
    if (chunk.length < CHUNK_LENGTH) continue;
    if (!output.write(chunk)) await output.drained();
    chunk = '';
  }
  if (options.json) chunk += separator === ',\n' ? '\n]\n' : '[]\n';
  if (!output.write(chunk)) await output.drained();
}
