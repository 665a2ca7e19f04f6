import { ApiClient } from '../api/client.ts';
import type { NeighbourRow } from '../api/protocol.ts';
import type { Invocation } from './command.ts';
import { parseNeighbourShow } from './neigh-keywords.ts';
import { formatJson } from './output.ts';

/** `neigh show`: rows in the form of `ip neigh show`. */
export async function showNeighbours({ options, words, output }: Invocation): Promise<void> {
  const query = parseNeighbourShow(words);
  const client = new ApiClient(options.socket);
  const statistics = options.statistics ? 1 : undefined;
  const rows: NeighbourRow[] = [];
  for await (const row of client.rows<NeighbourRow>('/v1/neigh', { ...query, statistics })) {
    rows.push(row);
  }
  if (options.json) {
    output.write(formatJson(rows, options.pretty));
    return;
  }
  const lines = rows.map((row) => `${formatNeighbour(row, query['dev'] !== undefined)}\n`);
  if (!output.write(lines.join(''))) await output.drained();
}

/** One row in `ip neigh show`'s form; the device is left out when the user has named it. */
export function formatNeighbour(row: NeighbourRow, isDeviceNamed: boolean): string {
  let line = row.dst;
  if (!isDeviceNamed) line += ` dev ${row.dev}`;
  line += ` lladdr ${row.lladdr}`;
  if (row.used !== undefined) line += ` used ${row.used}/${row.confirmed}/${row.updated}`;
  if (row.router !== undefined) line += ' router';
  if (row.local !== undefined) line += ' local';
  // The blank at the end is ip's.
  return `${line} ${row.state.join(',')} `;
}
