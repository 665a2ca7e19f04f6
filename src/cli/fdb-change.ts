import { ApiClient } from '../api/client.ts';
import type { ChangeReport, ChangeRequest, FdbVerb } from '../api/protocol.ts';
import type { Invocation } from './command.ts';
import { parseChange } from './keywords.ts';
import { usageError } from './usage.ts';

/** `fdb add`, `append`, `replace` and `del`: they share all but the word. */
export async function changeFdb(verb: FdbVerb, invocation: Invocation): Promise<void> {
  const { options, words } = invocation;
  const client = new ApiClient(options.socket);
  if (options.batch === undefined) {
    const request: ChangeRequest = { verb, entries: [parseChange(verb, words)] };
    await client.write<ChangeReport>('/v1/fdb', request);
    return;
  }
  if (words.length > 0) {
    throw usageError(
      `Cannot take both --batch and "${words.join(' ')}"`,
      'put all entries into the file',
    );
  }
  const { BatchFile } = await import('./batch.ts');
  const file = new BatchFile(options.batch, (tokens) => parseChange(verb, tokens));
  try {
    await client.change(verb, file.entries());
  } catch (error) {
    throw file.located(error);
  }
}
