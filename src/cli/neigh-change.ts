import { ApiClient } from '../api/client.ts';
import type { ChangeReport, NeighbourChangeRequest, NeighbourVerb } from '../api/protocol.ts';
import type { Invocation } from './command.ts';
import { parseNeighbour } from './neigh-keywords.ts';
import { usageError } from './usage.ts';

const PATH = '/v1/neigh';

/** `neigh add`, `replace` and `del`: they share all but the word. */
export async function changeNeighbours(
  verb: NeighbourVerb,
  { options, words }: Invocation,
): Promise<void> {
  const client = new ApiClient(options.socket);
  if (options.batch === undefined) {
    const request: NeighbourChangeRequest = { verb, entries: [parseNeighbour(verb, words)] };
    await client.write<ChangeReport>(PATH, request);
    return;
  }
  if (words.length > 0) {
    throw usageError(
      `Cannot take both --batch and "${words.join(' ')}"`,
      'put all entries into the file',
    );
  }
  const { BatchFile } = await import('./batch.ts');
  const file = new BatchFile(options.batch, (tokens) => parseNeighbour(verb, tokens));
  try {
    await client.change(verb, file.entries(), PATH);
  } catch (error) {
    throw file.located(error);
  }
}
