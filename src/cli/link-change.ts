import { ApiClient } from '../api/client.ts';
import type { LinkChangeReport, LinkRequest, LinkVerb } from '../api/link-protocol.ts';
import { VtepError } from '../base/errors.ts';
import type { Invocation } from './command.ts';
import { BatchLines } from './batch.ts';
import { parseLinkAdd, parseLinkName, parseLinkSet, type LinkWords } from './link-words.ts';
import { usageError } from './usage.ts';

/** `link add`, `set` and `del`: silent like iproute2's. */
export async function changeLinks(verb: LinkVerb, invocation: Invocation): Promise<void> {
  const { options, words } = invocation;
  const client = new ApiClient(options.socket);
  const send = async (links: LinkRequest['links']): Promise<void> => {
    await client.write<LinkChangeReport>('/v1/links', { verb, links } satisfies LinkRequest);
  };
  if (options.batch === undefined) return send([parse(verb, words)]);
  if (words.length > 0) {
    throw usageError(
      `Cannot take both --batch and "${words.join(' ')}"`,
      'put all links into the file',
    );
  }
  const lines = new BatchLines(options.batch);
  const links: LinkWords[] = [];
  for await (const tokens of lines.tokens()) links.push(lines.parsed(() => parse(verb, tokens)));
  if (links.length === 0) return;
  try {
    await send(links);
  } catch (error) {
    throw error instanceof VtepError ? lines.located(error) : error;
  }
}

function parse(verb: LinkVerb, words: readonly string[]): LinkWords {
  if (verb === 'add') return parseLinkAdd(words);
  if (verb === 'set') return parseLinkSet(words);
  const name = parseLinkName(verb, words);
  if (name !== undefined) return { name };
  throw usageError('Cannot del a link without the name of the device', 'write: vtep link del NAME');
}
