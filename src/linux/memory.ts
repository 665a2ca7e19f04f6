/**
 * Memory of a fixed address, so that iovecs can point at it and nothing is copied on the way to the
 * kernel.
 */
import type { Arena } from '../packet/arena.ts';
import { syscallError } from './errno.ts';
import { addressOf, lastErrno, libc, viewOf } from './libc.ts';
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_PRIVATE,
  MAP_SHARED,
  MFD_CLOEXEC,
  PROT_READ,
  PROT_WRITE,
} from './uapi.ts';

/**
 * V8 keeps integers below this without allocating (31 bits and a sign, on 64-bit machines without
 * pointer compression).
 */
const SMALL_INTEGER_LIMIT = 0x8000_0000;
/** Steps of the search for a free place. Huge pages begin at multiples of it. */
const STEP = 0x20_0000;
/** The program itself, its static data and the beginning of its heap may lie below. */
const SEARCH_FLOOR = 0x1000_0000;
/** WebAssembly's unit of memory. */
const PAGE = 65_536;

/**
 * Maps `length` bytes of zeros, rounded up to whole units of 64 KiB, below 2^31 where possible.
 *
 * Addresses below 2^31 make passing them to {@link libc} free of allocation; higher ones work,
 * slower. The memory is private to the process and never moves; it is not collected: the caller
 * ends with {@link unmapArena}.
 *
 * The same bytes are WebAssembly memory as well, for what is faster there. That memory lies where the
 * engine puts it, far above, so the pages are mapped at both places; without memfd_create(2) they are at
 * one place only, and `memory` is undefined.
 */
export function mapArena(length: number): Arena {
  const size = Math.ceil(length / PAGE) * PAGE;
  const file = libc.memfd_create('vtepd-arena', MFD_CLOEXEC);
  if (file < 0) return viewArena(size);
  try {
    if (libc.ftruncate(file, size) < 0)
      throw syscallError('ftruncate', lastErrno(), `${size} bytes`);
    return sharedArena(size, file);
  } finally {
    libc.close(file);
  }
}

/**
 * Gives the memory back. Reading or writing `arena` afterwards ends the process: drop every
 * reference first.
 */
export function unmapArena(arena: Arena): void {
  if (libc.munmap(arena.base, arena.bytes.length) < 0) throw syscallError('munmap', lastErrno());
}

function viewArena(size: number): Arena {
  const base = mapBelow(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  const buffer = viewOf(base, size);
  return { base, bytes: new Uint8Array(buffer), view: new DataView(buffer) };
}

function sharedArena(size: number, file: number): Arena {
  const pages = size / PAGE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const bytes = new Uint8Array(memory.buffer);
  mapAt(Number(addressOf(bytes)), size, MAP_SHARED | MAP_FIXED, file);
  const base = mapBelow(size, MAP_SHARED, file);
  return { base, bytes, view: new DataView(memory.buffer), memory };
}

/** Maps below 2^31 where there is room, else anywhere. */
function mapBelow(size: number, flags: number, file: number): number {
  return mapLow(size, flags, file) ?? mapAt(0, size, flags, file);
}

/** From the top down, because the heap of the C library grows upwards from the program's end. */
function mapLow(size: number, flags: number, file: number): number | undefined {
  const first = Math.floor((SMALL_INTEGER_LIMIT - size) / STEP) * STEP;
  for (let hint = first; hint >= SEARCH_FLOOR; hint -= STEP) {
    const address = tryMapAt(hint, size, flags | MAP_FIXED_NOREPLACE, file);
    if (address === hint) return address;
    // Before Linux 4.17 the flag is unknown and the hint is only a hint.
    if (address > 0) libc.munmap(address, size);
  }
  return undefined;
}

function mapAt(hint: number, size: number, flags: number, file: number): number {
  const address = tryMapAt(hint, size, flags, file);
  if (address < 0) throw syscallError('map', lastErrno(), `${size} bytes of memory`);
  return address;
}

function tryMapAt(hint: number, size: number, flags: number, file: number): number {
  return libc.mmap(hint, size, PROT_READ | PROT_WRITE, flags, file, 0);
}
