import type { Arena } from '../packet/arena.ts';
import { simdSum, type Sum } from '../wire/checksum-simd.ts';
import { sumBytes } from '../wire/checksum.ts';

/** The fastest sum there is over the bytes of an arena; for payload, not for a few bytes of a header. */
export function payloadSum({ view, memory }: Pick<Arena, 'view' | 'memory'>): Sum {
  const simd = memory === undefined ? undefined : simdSum(memory);
  return simd ?? ((offset, length) => sumBytes(view, offset, length, 0));
}
