// Hot path: no allocation, no throw, no await.

/** `struct iovec` on 64-bit Linux (linux/uio.h): an absolute address and a length, 8 bytes each. */
export const IOVEC_BYTES = 16;

const TWO_TO_32 = 0x1_0000_0000;

/** Writes an unsigned 64-bit little-endian number below 2^53. */
export function writeUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, value < TWO_TO_32 ? 0 : value / TWO_TO_32, true);
}

/** Reads what {@link writeUint64} wrote. */
export function readUint64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * TWO_TO_32;
}

/** Writes one iovec at `offset`: `length` bytes at absolute `address`. */
export function writeIovec(view: DataView, offset: number, address: number, length: number): void {
  writeUint64(view, offset, address);
  view.setUint32(offset + 8, length, true);
  view.setUint32(offset + 12, 0, true);
}

export function iovecAddress(view: DataView, offset: number): number {
  return readUint64(view, offset);
}

export function iovecLength(view: DataView, offset: number): number {
  return view.getUint32(offset + 8, true);
}
