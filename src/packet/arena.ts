/**
 * A stretch of memory that system calls and the forwarding core share.
 *
 * `base` is the absolute address of byte 0 when the kernel may be given addresses inside it, and 0 when
 * the memory is an ordinary buffer (tests, benchmarks), so that an "address" is then an offset.
 */
export interface Arena {
  readonly base: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The same bytes for code in WebAssembly, where there is such memory. */
  readonly memory?: WebAssembly.Memory;
}

/** An arena of `length` zero bytes on the JavaScript heap, for code that makes no system calls. */
export function heapArena(length: number): Arena {
  const buffer = new ArrayBuffer(length);
  return { base: 0, bytes: new Uint8Array(buffer), view: new DataView(buffer) };
}

/** Hands out the parts of an arena once, at start; nothing is ever given back. */
export class ArenaAllocator {
  readonly arena: Arena;
  #next = 0;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Offset of `length` fresh bytes at a multiple of `alignment` (a power of two). */
  take(length: number, alignment = 64): number {
    const offset = (this.#next + alignment - 1) & ~(alignment - 1);
    if (offset + length > this.arena.bytes.length) {
      throw new RangeError(
        `Take ${length} bytes from an arena with ${this.arena.bytes.length - offset} left`,
      );
    }
    this.#next = offset + length;
    return offset;
  }
}
