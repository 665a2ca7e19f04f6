// Hot path: no allocation, no throw, no await.

/**
 * Explicit congestion notification through a tunnel, RFC 6040.
 *
 * The codepoint is the lower two bits of TOS or traffic class (RFC 3168 §5). Arguments may be whole TOS
 * bytes: only these two bits are looked at.
 */
export const ECN_NOT_ECT = 0;
export const ECN_ECT1 = 1;
export const ECN_ECT0 = 2;
export const ECN_CE = 3;
export const ECN_MASK = 0x03;

/** {@link combineEcn}'s answer for a frame that must be dropped. */
export const ECN_DROP = -1;

/**
 * Codepoint that a decapsulated packet leaves with, RFC 6040 §4.2 Figure 4, or ECN_DROP:
 *
 *                       outer
 *     inner      Not-ECT   ECT(0)    ECT(1)    CE
 *     Not-ECT    Not-ECT   Not-ECT   Not-ECT   drop
 *     ECT(0)     ECT(0)    ECT(0)    ECT(1)    CE
 *     ECT(1)     ECT(1)    ECT(1)    ECT(1)    CE
 *     CE         CE        CE        CE        CE
 *
 * A packet that cannot carry the mark is dropped, for the congestion signal must reach the sender.
 */
export function combineEcn(inner: number, outer: number): number {
  const innerEcn = inner & ECN_MASK;
  const outerEcn = outer & ECN_MASK;
  if (outerEcn === ECN_CE) return innerEcn === ECN_NOT_ECT ? ECN_DROP : ECN_CE;
  if (outerEcn === ECN_ECT1 && innerEcn === ECN_ECT0) return ECN_ECT1;
  return innerEcn;
}

/**
 * Codepoint for the outer header of an encapsulated packet: the inner one, RFC 6040 §4.1 normal mode.
 * Linux still sends ECT(0) outside for CE inside (RFC 3168 §9.1.1); both decapsulate to CE, and copying
 * lets the underlay see what the frame has met.
 */
export function encapsulateEcn(innerTos: number): number {
  return innerTos & ECN_MASK;
}
