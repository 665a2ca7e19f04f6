/** The frames that the generator sends. */
import { formatMac, writeMac } from '../../../src/wire/mac.ts';
import { udpFrame } from '../../support/packets.ts';

export interface FrameOrder {
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly source: string;
  readonly destination: string;
  /** Of a frame without its checksum: 60 is the "64-byte frame" of the wire. */
  readonly bytes: number;
  /** Different UDP source ports, in turn. */
  readonly flows: number;
  /** Frames go to so many MACs in turn, picked evenly out of the first `of` ones of {@link entryMac}. */
  readonly entries?: { readonly count: number; readonly of: number };
}

const UDP_HEADERS = 14 + 20 + 8;
const SOURCE_PORT_OFFSET = 34;
const FIRST_PORT = 20_000;
/** Least number of frames, so that a burst never sends one twice. */
const FRAMES_MIN = 1024;
const ENTRY_MAC_HIGH = 0x02be;

/** All frames one after another, each of `order.bytes`; and how many. UDP checksums are absent (0). */
export function makeFrames(order: FrameOrder): { bytes: Uint8Array; count: number } {
  const { bytes: length, flows, entries } = order;
  const distinct = Math.max(flows, entries?.count ?? 1);
  const count = Math.ceil(FRAMES_MIN / distinct) * distinct;
  const template = udpFrame({
    source: order.sourceMac,
    destination: order.destinationMac,
    sourceIp: order.source,
    destinationIp: order.destination,
    payload: new Uint8Array(length - UDP_HEADERS),
    checksum: 'none',
  });
  const bytes = new Uint8Array(count * length);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < count; index += 1) {
    const at = index * length;
    bytes.set(template, at);
    view.setUint16(at + SOURCE_PORT_OFFSET, FIRST_PORT + (index % flows));
    if (entries === undefined) continue;
    const entry = (index % entries.count) * Math.floor(entries.of / entries.count);
    writeMac(view, at, ENTRY_MAC_HIGH, entryMacLow(entry));
  }
  return { bytes, count };
}

/** A MAC for each index below 2^32, no two alike, in no order that a table could profit from. */
export function entryMac(index: number): string {
  return formatMac(ENTRY_MAC_HIGH, entryMacLow(index));
}

function entryMacLow(index: number): number {
  return Math.imul(index + 1, 0x9e37_79b1) >>> 0;
}
