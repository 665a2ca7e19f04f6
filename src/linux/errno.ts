/**
 * Error numbers of the kernel (asm-generic/errno-base.h, asm-generic/errno.h) and the errors made
 * of them.
 */
import { constants } from 'node:os';
import { VtepError } from '../base/errors.ts';

export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
export const ENXIO = 6;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const EMSGSIZE = 90;
export const ENOPROTOOPT = 92;
export const EOPNOTSUPP = 95;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENETDOWN = 100;
export const ENETUNREACH = 101;
export const ENOBUFS = 105;
export const ETIMEDOUT = 110;
export const ECONNREFUSED = 111;
export const EHOSTUNREACH = 113;
/** The descriptor of a TAP whose device is gone. */
export const EBADFD = 77;

const NAMES = new Map<number, string>(
  // Two names may share a number (EAGAIN and EWOULDBLOCK): the first one of the table stays.
  Object.entries(constants.errno)
    .reverse()
    .map(([name, value]) => [value, name]),
);
NAMES.set(EAGAIN, 'EAGAIN');
NAMES.set(EOPNOTSUPP, 'EOPNOTSUPP');
NAMES.set(EBADFD, 'EBADFD');

/** `EINVAL` for 22; `errno 4711` for a number without a name. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/**
 * The error for a call that the kernel refused: ERR_PERMISSION for EPERM and EACCES, else
 * ERR_SYSCALL.
 *
 * `call` is the action that failed, such as `bind`; `detail` what it was applied to.
 */
export function syscallError(
  call: string,
  errno: number,
  detail?: string,
  hint?: string,
): VtepError {
  const code = errno === EPERM || errno === EACCES ? 'ERR_PERMISSION' : 'ERR_SYSCALL';
  const what = detail === undefined ? call : `${call} ${detail}`;
  const advice = hint ?? ADVICE.get(errno);
  return new VtepError(
    code,
    `Cannot ${what}: ${errnoName(errno)}`,
    advice === undefined ? {} : { hint: advice },
  );
}

/** What to do wherever it happens. */
const ADVICE: ReadonlyMap<number, string> = new Map([
  [
    EMFILE,
    'every tunnel takes one descriptor a worker: raise the limit of open files (ulimit -n, ' +
      'LimitNOFILE= of the unit), or use fewer workers',
  ],
  [ENFILE, 'the machine has no descriptors left: raise fs.file-max'],
]);
