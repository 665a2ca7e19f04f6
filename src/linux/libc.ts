/**
 * Bindings of the C library, one set for each thread.
 *
 * Pointer parameters of the calls made once per batch are declared `uintptr_t`: an address below
 * 2^31 is a small integer for V8, so passing it allocates nothing (see memory.ts). Calls made
 * rarely take typed arrays. Every call returns -1 on failure, and {@link lastErrno} says why until
 * the next call.
 *
 * The symbols come from the running process itself (`dlopen(NULL)`): Node is linked to the C
 * library, whichever that is, and glibc and musl name it differently. `open`, `ioctl` and `fcntl`
 * are variadic in C; on the Linux targets of Node their variable arguments travel as fixed ones do,
 * so fixed declarations are right.
 */
import koffi from 'koffi';

/** Memory handed to a call that is made rarely; the kernel may write into it. */
export type NativeBytes = Uint8Array;

const program = koffi.load(null);

function bind<T>(name: string, result: string, parameters: readonly string[]): T {
  return program.func(name, result, [...parameters]) as unknown as T;
}

/** The calls. Lengths are bytes, addresses absolute, flags as in uapi.ts. */
export const libc = {
  read: bind<(fd: number, address: number, length: number) => number>('read', 'intptr_t', [
    'int',
    'uintptr_t',
    'size_t',
  ]),
  write: bind<(fd: number, address: number, length: number) => number>('write', 'intptr_t', [
    'int',
    'uintptr_t',
    'size_t',
  ]),
  readv: bind<(fd: number, iovecs: number, count: number) => number>('readv', 'intptr_t', [
    'int',
    'uintptr_t',
    'int',
  ]),
  writev: bind<(fd: number, iovecs: number, count: number) => number>('writev', 'intptr_t', [
    'int',
    'uintptr_t',
    'int',
  ]),
  /** `timeout` is the address of a timespec; pass 0. */
  recvmmsg: bind<
    (fd: number, headers: number, count: number, flags: number, timeout: number) => number
  >('recvmmsg', 'int', ['int', 'uintptr_t', 'uint', 'int', 'uintptr_t']),
  sendmmsg: bind<(fd: number, headers: number, count: number, flags: number) => number>(
    'sendmmsg',
    'int',
    ['int', 'uintptr_t', 'uint', 'int'],
  ),
  sendmsg: bind<(fd: number, header: number, flags: number) => number>('sendmsg', 'intptr_t', [
    'int',
    'uintptr_t',
    'int',
  ]),
  recvmsg: bind<(fd: number, header: number, flags: number) => number>('recvmsg', 'intptr_t', [
    'int',
    'uintptr_t',
    'int',
  ]),
  /** `descriptors` is the address of `count` struct pollfd. */
  poll: bind<(descriptors: number, count: number, timeoutMs: number) => number>('poll', 'int', [
    'uintptr_t',
    'ulong',
    'int',
  ]),
  /** `events` is the address of `count` struct epoll_event. */
  epoll_wait: bind<(epoll: number, events: number, count: number, timeoutMs: number) => number>(
    'epoll_wait',
    'int',
    ['int', 'uintptr_t', 'int', 'int'],
  ),
  sched_yield: bind<() => number>('sched_yield', 'int', []),
  epoll_create1: bind<(flags: number) => number>('epoll_create1', 'int', ['int']),
  epoll_ctl: bind<(epoll: number, operation: number, fd: number, event: number) => number>(
    'epoll_ctl',
    'int',
    ['int', 'int', 'int', 'uintptr_t'],
  ),

  open: bind<(path: string, flags: number, mode: number) => number>('open', 'int', [
    'str',
    'int',
    'uint',
  ]),
  close: bind<(fd: number) => number>('close', 'int', ['int']),
  /** An ioctl whose argument is a structure. */
  ioctl: bind<(fd: number, request: number, argument: NativeBytes) => number>('ioctl', 'int', [
    'int',
    'ulong',
    'void *',
  ]),
  /** An ioctl whose argument is the value itself. */
  ioctlValue: bind<(fd: number, request: number, value: number) => number>('ioctl', 'int', [
    'int',
    'ulong',
    'ulong',
  ]),
  fcntl: bind<(fd: number, command: number, value: number) => number>('fcntl', 'int', [
    'int',
    'int',
    'long',
  ]),
  socket: bind<(domain: number, type: number, protocol: number) => number>('socket', 'int', [
    'int',
    'int',
    'int',
  ]),
  bind: bind<(fd: number, address: NativeBytes, length: number) => number>('bind', 'int', [
    'int',
    'void *',
    'uint',
  ]),
  connect: bind<(fd: number, address: NativeBytes, length: number) => number>('connect', 'int', [
    'int',
    'void *',
    'uint',
  ]),
  setsockopt: bind<
    (fd: number, level: number, option: number, value: NativeBytes, length: number) => number
  >('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint']),
  /** `length` is a uint32 that holds the room on entry and the length on return. */
  getsockopt: bind<
    (fd: number, level: number, option: number, value: NativeBytes, length: NativeBytes) => number
  >('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']),
  getsockname: bind<(fd: number, address: NativeBytes, length: NativeBytes) => number>(
    'getsockname',
    'int',
    ['int', 'void *', 'void *'],
  ),
  send: bind<(fd: number, bytes: NativeBytes, length: number, flags: number) => number>(
    'send',
    'intptr_t',
    ['int', 'void *', 'size_t', 'int'],
  ),
  sendto: bind<
    (
      fd: number,
      bytes: NativeBytes,
      length: number,
      flags: number,
      address: NativeBytes,
      addressLength: number,
    ) => number
  >('sendto', 'intptr_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint']),
  recv: bind<(fd: number, bytes: NativeBytes, length: number, flags: number) => number>(
    'recv',
    'intptr_t',
    ['int', 'void *', 'size_t', 'int'],
  ),
  mmap: bind<
    (
      address: number,
      length: number,
      protection: number,
      flags: number,
      fd: number,
      offset: number,
    ) => number
  >('mmap', 'intptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'int64_t']),
  memfd_create: bind<(name: string, flags: number) => number>('memfd_create', 'int', [
    'str',
    'uint',
  ]),
  ftruncate: bind<(fd: number, length: number) => number>('ftruncate', 'int', ['int', 'int64_t']),
  munmap: bind<(address: number, length: number) => number>('munmap', 'int', [
    'uintptr_t',
    'size_t',
  ]),
  madvise: bind<(address: number, length: number, advice: number) => number>('madvise', 'int', [
    'uintptr_t',
    'size_t',
    'int',
  ]),
  /** 0 when there is no such interface; netlink-link.ts tells more. */
  if_nametoindex: bind<(name: string) => number>('if_nametoindex', 'uint', ['str']),
} as const;

/** Why the last call of this thread failed; meaningful only right after a call returned -1. */
export function lastErrno(): number {
  return koffi.errno();
}

/**
 * The address of typed array memory, for structures that hold pointers in calls made rarely.
 *
 * The caller keeps `bytes` alive, and does not use the address after it let go of them.
 */
export function addressOf(bytes: NativeBytes): bigint {
  return koffi.address(bytes);
}

/** Memory at an absolute address as an ArrayBuffer; it does not own the memory. */
export function viewOf(address: number, length: number): ArrayBuffer {
  return koffi.view(address, length);
}
