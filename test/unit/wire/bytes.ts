/** A view on literal bytes, written as hex with blanks. */
export function bytesOf(hex: string): DataView {
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
  return new DataView(bytes.buffer);
}

/** A view in which a byte that nobody wrote shows. */
export function poisoned(length: number): DataView {
  return new DataView(new Uint8Array(length).fill(0xa5).buffer);
}

/** The bytes of a view as hex. */
export function hexOf(view: DataView): string {
  return Buffer.from(view.buffer).toString('hex');
}
