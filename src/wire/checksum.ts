// Hot path: no allocation, no throw, no await.

/**
 * Internet checksum, RFC 1071: the ones'-complement sum of 16-bit words.
 *
 * A sum travels in two forms. *Un-folded*: a small integer that is congruent to the sum of the bytes'
 * little-endian 16-bit words modulo 0xffff, and 0 only when all of them are 0. Such sums add up with `+`
 * and seed each other, as long as every region starts at an even distance from the others (an odd
 * region must be the last one). *Folded*: 16 bits in network byte order, ready for setUint16().
 *
 * Bytes are loaded little-endian, 32 bits at a time: RFC 1071 §2(B) and §2(C) prove that neither the
 * byte order nor the width of the loads matters if the result is swapped once at the end, and the
 * machines we run on are little-endian.
 */
const TWO_POW_32 = 0x1_0000_0000;

const IPV4_SOURCE_OFFSET = 12;
const IPV6_SOURCE_OFFSET = 8;

/**
 * Un-folded sum of `length` bytes at `offset` (any alignment; an odd last byte counts as if a zero
 * followed it) plus `seed`, an un-folded sum below 2^32. Less than 8 MiB in one call, so that both stay
 * exact together; the result is below 2^22.
 */
export function sumBytes(view: DataView, offset: number, length: number, seed: number): number {
  // Plain-number accumulators are exact to 2^53, so that no carry needs handling inside the loop.
  // The seed joins them at the end: as their beginning it would be boxed.
  // Added in pairs to four of them: the additions of a round then wait for each other least.
  let sum = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  const end = offset + length;
  let i = offset;
  for (; i <= end - 32; i += 32) {
    sum += view.getUint32(i, true) + view.getUint32(i + 4, true);
    sum1 += view.getUint32(i + 8, true) + view.getUint32(i + 12, true);
    sum2 += view.getUint32(i + 16, true) + view.getUint32(i + 20, true);
    sum3 += view.getUint32(i + 24, true) + view.getUint32(i + 28, true);
  }
  sum += sum1 + sum2 + sum3 + seed;
  for (; i <= end - 4; i += 4) sum += view.getUint32(i, true);
  if (i <= end - 2) {
    sum += view.getUint16(i, true);
    i += 2;
  }
  if (i < end) sum += view.getUint8(i);
  // Folded half way: a result that fits a small integer is not boxed on its way to the caller.
  const low = sum >>> 0;
  return Math.floor(sum / TWO_POW_32) + (low >>> 16) + (low & 0xffff);
}

/** Folded ones'-complement sum in network byte order, 0..0xffff, of an un-folded sum below 2^53. */
export function foldSum(sum: number): number {
  const low = sum >>> 0;
  let folded = Math.floor(sum / TWO_POW_32) + (low >>> 16) + (low & 0xffff);
  folded = (folded >>> 16) + (folded & 0xffff);
  folded = (folded >>> 16) + (folded & 0xffff);
  return ((folded & 0xff) << 8) | (folded >>> 8);
}

/** What a checksum field gets: the complement of {@link foldSum}, 0..0xffff. */
export function foldChecksum(sum: number): number {
  return ~foldSum(sum) & 0xffff;
}

/** Un-folded contribution of one 16-bit value that stands in a header in network byte order. */
export function sumWord(value16: number): number {
  return ((value16 & 0xff) << 8) | (value16 >>> 8);
}

/**
 * Un-folded sum of the IPv4 pseudo-header (RFC 9293 §3.1, RFC 768) for the IPv4 header at `l3Offset`;
 * `l4Length` in bytes, L4 header included. A seed for sumBytes().
 */
export function sumPseudoIpv4(
  view: DataView,
  l3Offset: number,
  protocol: number,
  l4Length: number,
): number {
  return sumBytes(view, l3Offset + IPV4_SOURCE_OFFSET, 8, sumTrailer(protocol, l4Length));
}

/**
 * Un-folded sum of the IPv6 pseudo-header (RFC 8200 §8.1) for the IPv6 header at `l3Offset`; `nextHeader`
 * is the L4 protocol, `l4Length` its length in bytes. Takes the destination from the header: a packet
 * whose routing header still names further hops was summed by its sender with the last of them.
 */
export function sumPseudoIpv6(
  view: DataView,
  l3Offset: number,
  nextHeader: number,
  l4Length: number,
): number {
  return sumBytes(view, l3Offset + IPV6_SOURCE_OFFSET, 32, sumTrailer(nextHeader, l4Length));
}

/**
 * Checksum field after one 16-bit word that it covers changed from `oldWord` to `newWord` (all three as
 * they stand in the header), RFC 1624 §3 equation 3: HC' = ~(~HC + ~m + m').
 */
export function updateChecksum16(checksum: number, oldWord: number, newWord: number): number {
  let sum = (~checksum & 0xffff) + (~oldWord & 0xffff) + newWord;
  sum = (sum >>> 16) + (sum & 0xffff);
  sum = (sum >>> 16) + (sum & 0xffff);
  return ~sum & 0xffff;
}

/** What both pseudo-headers end with: the protocol and a length of 16 or 32 bits. */
function sumTrailer(protocol: number, l4Length: number): number {
  return sumWord(protocol) + sumWord(l4Length & 0xffff) + sumWord(l4Length >>> 16);
}
