import { VtepError } from '../base/errors.ts';

/** A mistake on the command line: exit status 2. */
export function usageError(message: string, hint?: string): VtepError {
  return new VtepError('ERR_USAGE', message, hint === undefined ? {} : { hint });
}

/**
 * The one candidate that `word` is, or is a prefix of. Throws ERR_USAGE that lists the candidates when there
 * is none or more than one; `what` names what was looked for.
 */
export function resolvePrefix(word: string, candidates: readonly string[], what: string): string {
  if (candidates.includes(word)) return word;
  const matching = word === '' ? [] : candidates.filter((candidate) => candidate.startsWith(word));
  if (matching.length === 1) return matching[0]!;
  if (matching.length > 1) {
    throw usageError(`Ambiguous ${what} "${word}"`, `it can mean ${matching.join(' or ')}`);
  }
  throw usageError(`Unknown ${what} "${word}"`, `known: ${candidates.join(', ')}`);
}
