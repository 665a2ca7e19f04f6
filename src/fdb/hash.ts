// Hot path: no allocation, no throw, no await.

/**
 * Hashes of the keys that the shared tables are looked up by. Neighbouring MACs, VNIs and
 * addresses, which is what networks have, spread like random ones. The seed is different in every
 * process, so that a remote cannot aim MACs at one place of the table; they are no cryptographic
 * hashes. They have 31 bits: such a number needs no box on its way from one function to the next.
 */

/** Hash of an FDB key, 0..0x7fffffff; every bit is as good as any other. */
export function hashEntry(seed: number, vni: number, macHigh: number, macLow: number): number {
  let hash = Math.imul(macLow ^ seed, 0x9e37_79b1);
  hash ^= hash >>> 15;
  hash = ((hash ^ Math.imul(vni, 0xcc9e_2d51) ^ macHigh) + seed) | 0;
  hash = Math.imul(hash, 0x85eb_ca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) & 0x7fff_ffff;
}

/** Hash of a tunnel and the 16 bytes of an address at `offset`, 0..0x7fffffff. */
export function hashSender(
  seed: number,
  tunnel: number,
  bytes: Uint8Array,
  offset: number,
): number {
  let hash = Math.imul(tunnel ^ seed, 0x9e37_79b1);
  for (let at = offset; at < offset + 16; at += 4) {
    hash ^= hash >>> 15;
    hash = Math.imul((hash ^ readWord(bytes, at)) + seed, 0x85eb_ca6b);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x7feb_352d);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x846c_a68b);
  return (hash ^ (hash >>> 16)) & 0x7fff_ffff;
}

/** Four bytes at any alignment as one number, first byte lowest; may be negative. */
export function readWord(bytes: Uint8Array, offset: number): number {
  return (
    bytes[offset]! |
    (bytes[offset + 1]! << 8) |
    (bytes[offset + 2]! << 16) |
    (bytes[offset + 3]! << 24)
  );
}
