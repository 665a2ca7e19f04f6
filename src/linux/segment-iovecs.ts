// Hot path: no allocation, no throw, no await.
import { IOVEC_BYTES, iovecLength } from '../packet/iovec.ts';

/**
 * How many iovecs, beginning at `offset`, make up the next datagram of at most `segmentBytes`: the
 * datagrams of a message begin and end with an iovec. `available` bounds the search.
 */
export function segmentIovecs(
  view: DataView,
  offset: number,
  segmentBytes: number,
  available: number,
): number {
  let bytes = 0;
  let count = 0;
  while (bytes < segmentBytes && count < available) {
    bytes += iovecLength(view, offset + count * IOVEC_BYTES);
    count += 1;
  }
  return count;
}
