// Hot path: no allocation, no throw, no await.
import { updateChecksum16 } from '../wire/checksum.ts';
import {
  IPPROTO_TCP,
  isTcp,
  readTcpChecksum,
  readTcpFlags,
  TCP_HEADER_LENGTH_MIN,
  TCP_SYN,
  tcpHeaderLength,
  writeTcpChecksum,
} from '../wire/tcp.ts';
import { checksumFieldOffset, isChecksumUnfinished } from './checksum-offload.ts';
import type { InnerPacket } from './inner-packet.ts';

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_MSS_LENGTH = 4;

/** True for the segments that may carry a maximum segment size: those with SYN (RFC 9293 section 3.7.1). */
function isSyn(view: DataView, inner: InnerPacket): boolean {
  if (inner.protocol !== IPPROTO_TCP || inner.l4 < 0) return false;
  if (!isTcp(view, inner.l4, inner.end - inner.l4)) return false;
  return (readTcpFlags(view, inner.l4) & TCP_SYN) !== 0;
}

/**
 * Lowers the maximum segment size that a SYN announces to `limit` bytes; a lower one, a SYN without the
 * option and all other packets stay as they are.
 *
 * The checksum follows (RFC 1624), unless it is `unfinished`: one that holds only the pseudo-header's sum
 * does not cover the option yet.
 */
export function clampMss(
  view: DataView,
  inner: InnerPacket,
  limit: number,
  unfinished: boolean,
): void {
  if (!isSyn(view, inner)) return;
  const { l4 } = inner;
  const option = mssOption(view, l4, l4 + tcpHeaderLength(view, l4));
  if (option < 0) return;
  const before = view.getUint16(option);
  if (before <= limit) return;
  view.setUint16(option, limit);
  if (unfinished) return;
  const odd = ((option - l4) & 1) !== 0;
  // At an odd distance its two bytes belong to two words of the sum, each as the other half.
  const from = odd ? swap(before) : before;
  const to = odd ? swap(limit) : limit;
  writeTcpChecksum(view, l4, updateChecksum16(readTcpChecksum(view, l4), from, to));
}

/** {@link clampMss} for a packet from the underlay, whose checksum alone tells whether it is finished. */
export function clampReceivedMss(view: DataView, inner: InnerPacket, limit: number): void {
  if (!isSyn(view, inner)) return;
  const field = checksumFieldOffset(inner);
  clampMss(view, inner, limit, isChecksumUnfinished(view, inner, field));
}

/** Offset of the option's value in the header that ends before `end`, or -1. Every step goes forward. */
function mssOption(view: DataView, l4: number, end: number): number {
  let at = l4 + TCP_HEADER_LENGTH_MIN;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === OPTION_END) return -1;
    if (kind === OPTION_NOP) {
      at += 1;
      continue;
    }
    if (at + 2 > end) return -1;
    const length = view.getUint8(at + 1);
    if (length < 2 || at + length > end) return -1;
    if (kind === OPTION_MSS) return length === OPTION_MSS_LENGTH ? at + 2 : -1;
    at += length;
  }
  return -1;
}

function swap(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8);
}
