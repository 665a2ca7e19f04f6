/** What `vtep` does with the FDB of a running daemon, without starting a process for each command. */
import { ApiClient } from '../../src/api/client.ts';
import type { FdbVerb, StatusReport, TunnelReport } from '../../src/api/protocol.ts';
import { parseChange, parseFlush } from '../../src/cli/keywords.ts';
import type { Vtepd } from './vtepd.ts';

/** `vtep fdb VERB WORDS`; rejects where the command would fail. */
export async function changeFdb(daemon: Vtepd, verb: FdbVerb, words: string): Promise<void> {
  const entries = [parseChange(verb, words.split(' '))];
  await new ApiClient(daemon.socket).write('/v1/fdb', { verb, entries });
}

/** `vtep -j fdb flush WORDS`. */
export async function flushFdb(daemon: Vtepd, words: string): Promise<unknown> {
  const request = parseFlush(words.split(' ').filter((word) => word !== ''));
  return new ApiClient(daemon.socket).write('/v1/fdb/flush', request);
}

/** The first tunnel of `vtep -j show`. */
export async function readTunnel(daemon: Vtepd): Promise<TunnelReport> {
  return (await new ApiClient(daemon.socket).read<StatusReport>('/v1/tunnels')).tunnels[0]!;
}
