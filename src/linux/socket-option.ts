/** Options of sockets, by level and number as uapi.ts has them. */
import { syscallError } from './errno.ts';
import { addressOf, lastErrno, libc } from './libc.ts';
import * as uapi from './uapi.ts';

/** linux/bpf_common.h: BPF_RET | BPF_K. */
const BPF_RET_K = 0x06;

/** An integer socket option; throws ERR_SYSCALL when the kernel has none of that number. */
export function readOption(fd: number, level: number, option: number): number {
  const value = new Int32Array(1);
  const length = new Uint32Array([4]);
  if (libc.getsockopt(fd, level, option, bytesOf(value), bytesOf(length)) < 0) {
    throw syscallError('getsockopt', lastErrno(), `${level}/${option}`);
  }
  return value[0]!;
}

/** More than the system's limit when we may (CAP_NET_ADMIN), else as much as the limit grants. */
export function forceBuffer(fd: number, forced: number, limited: number, bytes: number): void {
  if (trySetOption(fd, uapi.SOL_SOCKET, forced, bytes)) return;
  setOption(fd, uapi.SOL_SOCKET, limited, bytes);
}

/**
 * A classic BPF program that keeps nothing of any datagram (linux/filter.h: `ret 0`).
 *
 * Errors reported by ICMP do not pass the filter and still arrive.
 */
export function attachDropAll(fd: number): void {
  const program = new Uint8Array(new ArrayBuffer(8));
  program[0] = BPF_RET_K;
  const pointer = addressOf(program);
  const header = new DataView(new ArrayBuffer(16));
  header.setUint16(0, 1, true);
  header.setBigUint64(8, pointer, true);
  const bytes = new Uint8Array(header.buffer);
  const result = libc.setsockopt(fd, uapi.SOL_SOCKET, uapi.SO_ATTACH_FILTER, bytes, bytes.length);
  if (result < 0) throw syscallError('attach', lastErrno(), 'a socket filter');
  // The kernel has copied the program; until here it must not be collected.
  program[0] = 0;
}

/** Sets an integer option; throws ERR_PERMISSION, ERR_SYSCALL. */
export function setOption(fd: number, level: number, option: number, value: number): void {
  if (trySetOption(fd, level, option, value)) return;
  throw syscallError('set', lastErrno(), `socket option ${level}/${option} to ${value}`);
}

/** Sets an integer option; false when the kernel refuses. */
export function trySetOption(fd: number, level: number, option: number, value: number): boolean {
  return libc.setsockopt(fd, level, option, bytesOf(new Int32Array([value])), 4) === 0;
}

/** The bytes of one or a few numbers in host order. */
export function bytesOf(array: Int32Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer);
}
