import { ApiClient } from '../api/client.ts';
import type { FlushReport } from '../api/protocol.ts';
import type { Invocation } from './command.ts';
import { parseFlush } from './keywords.ts';
import { formatJson } from './output.ts';

/** `fdb flush`: silent like iproute2's, unless JSON or statistics are asked for. */
export async function flushFdb({ options, words, output }: Invocation): Promise<void> {
  const client = new ApiClient(options.socket);
  const report = await client.write<FlushReport>('/v1/fdb/flush', parseFlush(words));
  if (options.json) output.write(formatJson(report, options.pretty));
  else if (options.statistics) output.write(`${report.removed} entries removed\n`);
}
