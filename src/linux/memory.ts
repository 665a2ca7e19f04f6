/**
 * Memory of a fixed address, so that iovecs can point at it and nothing is copied on the way to the
 * kernel.
 */
import type { Arena } from '../packet/arena.ts';
import { syscallError } from './errno.ts';
import { lastErrno, libc, viewOf } from './libc.ts';
import { MAP_ANONYMOUS, MAP_FIXED_NOREPLACE, MAP_PRIVATE, PROT_READ, PROT_WRITE } from './uapi.ts';

/**
 * V8 keeps integers below this without allocating (31 bits and a sign, on 64-bit machines without
 * pointer compression).
 */
const SMALL_INTEGER_LIMIT = 0x8000_0000;
/** Steps of the search for a free place. Huge pages begin at multiples of it. */
const STEP = 0x20_0000;
/** The program itself, its static data and the beginning of its heap may lie below. */
const SEARCH_FLOOR = 0x1000_0000;
const PAGE = 4096;

/**
 * Maps `length` bytes of zeros, rounded up to whole pages, below 2^31 where possible.
 *
 * Addresses below 2^31 make passing them to {@link libc} free of allocation; higher ones work,
 * slower. The memory is private to the process and never moves; it is not collected: the caller
 * ends with {@link unmapArena}.
 */
export function mapArena(length: number): Arena {
  const size = Math.ceil(length / PAGE) * PAGE;
  const base = mapLow(size) ?? mapAnywhere(size);
  const buffer = viewOf(base, size);
  return { base, bytes: new Uint8Array(buffer), view: new DataView(buffer) };
}

/**
 * Gives the memory back. Reading or writing `arena` afterwards ends the process: drop every
 * reference first.
 */
export function unmapArena(arena: Arena): void {
  if (libc.munmap(arena.base, arena.bytes.length) < 0) throw syscallError('munmap', lastErrno());
}

/** From the top down, because the heap of the C library grows upwards from the program's end. */
function mapLow(size: number): number | undefined {
  const first = Math.floor((SMALL_INTEGER_LIMIT - size) / STEP) * STEP;
  for (let hint = first; hint >= SEARCH_FLOOR; hint -= STEP) {
    const address = mapAt(hint, size, MAP_FIXED_NOREPLACE);
    if (address === hint) return address;
    // Before Linux 4.17 the flag is unknown and the hint is only a hint.
    if (address > 0) libc.munmap(address, size);
  }
  return undefined;
}

function mapAnywhere(size: number): number {
  const address = mapAt(0, size, 0);
  if (address < 0) throw syscallError('map', lastErrno(), `${size} bytes of memory`);
  return address;
}

function mapAt(hint: number, size: number, flags: number): number {
  return libc.mmap(hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}
