/**
 * MAC address (EUI-48, IEEE 802-2014 §8.2) as two numbers: `high` holds the first 2 bytes (0..0xffff),
 * `low` the last 4 (0..0xffffffff, unsigned).
 *
 * A 48-bit number would live on the heap and make every key of a table an object, so that nobody may
 * join the two. Text belongs to the edges: parseMac() and formatMac() allocate, the rest does not and
 * may be called from the hot path.
 *
 *   byte   0        1        2        3        4        5
 *        +--------+--------+--------+--------+--------+--------+
 *        |......LG|        |        |        |        |        |   G: group (I/G), L: local (U/L)
 *        +--------+--------+--------+--------+--------+--------+
 *        |<----- high ---->|<-------------- low -------------->|
 */
export const MAC_LENGTH = 6;

export interface Mac {
  /** First 2 bytes, 0..0xffff. */
  high: number;
  /** Last 4 bytes, 0..0xffffffff, unsigned. */
  low: number;
}

const LOW_OFFSET = 2;
const GROUP_BIT = 0x0100;
const MAC_PATTERN = /^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i;

/**
 * MAC of a text such as `52:54:00:3f:e6:43` or `52-54-00-3F-E6-43`, or undefined for anything else.
 * Six groups of exactly two digits, any case, one kind of separator throughout.
 */
export function parseMac(text: string): Mac | undefined {
  if (!MAC_PATTERN.test(text)) return undefined;
  const digits = text.replaceAll(text.charAt(2), '');
  return { high: parseInt(digits.slice(0, 4), 16), low: parseInt(digits.slice(4), 16) };
}

/** Lower-case text of a MAC with colons, as iproute2 prints it: `52:54:00:3f:e6:43`. */
export function formatMac(high: number, low: number): string {
  const digits = high.toString(16).padStart(4, '0') + low.toString(16).padStart(8, '0');
  return digits.replace(/..(?!$)/g, '$&:');
}

/** First 2 bytes of the 6 at `offset`, 0..0xffff. */
export function readMacHigh(view: DataView, offset: number): number {
  return view.getUint16(offset);
}

/** Last 4 bytes of the 6 at `offset`, 0..0xffffffff. */
export function readMacLow(view: DataView, offset: number): number {
  return view.getUint32(offset + LOW_OFFSET);
}

/** {@link readMacLow} as a signed number, which needs no box on its way: for keys on the frames' path. */
export function readMacLowSigned(view: DataView, offset: number): number {
  return view.getInt32(offset + LOW_OFFSET);
}

/** Writes the 6 bytes at `offset`. */
export function writeMac(view: DataView, offset: number, high: number, low: number): void {
  view.setUint16(offset, high);
  view.setUint32(offset + LOW_OFFSET, low);
}

/** True for a group address (I/G bit set): multicast, and broadcast as its special case. */
export function isMulticastMac(high: number): boolean {
  return (high & GROUP_BIT) !== 0;
}

/** True for 00:00:00:00:00:00, which names the flood list in an FDB and is no valid source. */
export function isZeroMac(high: number, low: number): boolean {
  return high === 0 && low === 0;
}

/** True for a MAC that a frame may come from: an individual address, and not zero. */
export function isSourceMac(view: DataView, offset: number): boolean {
  const high = readMacHigh(view, offset);
  return !isMulticastMac(high) && !isZeroMac(high, readMacLowSigned(view, offset));
}

/** True for ff:ff:ff:ff:ff:ff. */
export function isBroadcastMac(high: number, low: number): boolean {
  return high === 0xffff && low === 0xffff_ffff;
}
