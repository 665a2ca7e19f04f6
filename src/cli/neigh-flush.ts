import { ApiClient } from '../api/client.ts';
import type { FlushReport } from '../api/protocol.ts';
import type { Invocation } from './command.ts';
import { parseNeighbourFlush } from './neigh-keywords.ts';
import { formatJson } from './output.ts';

/** `neigh flush`: silent like iproute2's, unless JSON or statistics are asked for. */
export async function flushNeighbours({ options, words, output }: Invocation): Promise<void> {
  const client = new ApiClient(options.socket);
  const request = parseNeighbourFlush(words);
  const report = await client.write<FlushReport>('/v1/neigh/flush', request);
  if (options.json) output.write(formatJson(report, options.pretty));
  else if (options.statistics) output.write(`${report.removed} entries removed\n`);
}
