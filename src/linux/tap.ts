/**
 * TAP devices: frames of the overlay, each behind a virtio_net_hdr of 10 bytes in little-endian
 * order.
 */
import { VtepError } from '../base/errors.ts';
import {
  EACCES,
  EBUSY,
  EINVAL,
  ENODEV,
  ENOENT,
  ENXIO,
  EPERM,
  errnoName,
  syscallError,
} from './errno.ts';
import { lastErrno, libc } from './libc.ts';
import { linkByName, type Link } from './netlink-link.ts';
import * as uapi from './uapi.ts';

const TUN_DEVICE = '/dev/net/tun';
/** IFNAMSIZ bytes of name, then flags, padded to the size of the union (linux/if.h, struct ifreq). */
const IFREQ_LENGTH = 40;
const IFREQ_FLAGS_OFFSET = uapi.IFNAMSIZ;
const VNET_HEADER_LENGTH = 10;

const OFFLOAD_TSO = uapi.TUN_F_CSUM | uapi.TUN_F_TSO4 | uapi.TUN_F_TSO6 | uapi.TUN_F_TSO_ECN;
const OFFLOAD_USO = uapi.TUN_F_USO4 | uapi.TUN_F_USO6;

/** What the stack may leave to us on frames it sends into the TAP, and takes from us unfinished. */
export interface TapOffloads {
  readonly checksum: boolean;
  readonly tso4: boolean;
  readonly tso6: boolean;
  /** UDP segmentation, both families; Linux 6.2 and later. */
  readonly uso: boolean;
}

export interface Tap {
  readonly name: string;
  /**
   * One descriptor for each queue, non-blocking and close-on-exec; owned by whoever holds the Tap.
   */
  readonly fds: readonly number[];
  readonly multiQueue: boolean;
  /** False when a persistent device of that name was there before and was taken over. */
  readonly created: boolean;
  readonly offloads: TapOffloads;
}

export interface TapOptions {
  readonly name: string;
  /**
   * Wanted queues, from 1. A device somebody made without multi_queue has one, whatever is asked.
   */
  readonly queues: number;
  /** False switches off what an earlier owner of a persistent device left on. */
  readonly offload: boolean;
}

/**
 * Creates the TAP, or takes over the persistent one of that name, and opens `queues` of its queues.
 *
 * A device that was created here goes when its last descriptor is closed. Throws ERR_USAGE for a
 * name no interface can have, ERR_TUN_DEVICE, ERR_PERMISSION; nothing stays open then. The device's
 * state (up, MTU, addresses) is left alone.
 */
export function openTap(options: TapOptions): Tap {
  const { name, queues, offload } = options;
  assertInterfaceName(name);
  const existing = linkByName(name);
  assertUsable(name, existing);
  const fds: number[] = [openTunDevice()];
  try {
    const wanted = existing?.tun?.multiQueue ?? queues > 1;
    const multiQueue = attachFirst(fds[0]!, name, wanted, existing !== undefined);
    while (multiQueue && fds.length < queues) {
      const fd = openTunDevice();
      fds.push(fd);
      const errno = attach(fd, name, true);
      if (errno !== 0) throw attachError(name, errno);
    }
    const offloads = configure(fds[0]!, name, offload);
    return { name, fds, multiQueue, created: existing === undefined, offloads };
  } catch (error) {
    for (const fd of fds) libc.close(fd);
    throw error;
  }
}

/** Closes every queue; with them goes the device unless it is persistent. */
export function closeTap(tap: Tap): void {
  for (const fd of tap.fds) libc.close(fd);
}

/** Keeps the descriptor, but no frame is given to its queue any more. Multi-queue devices only. */
export function detachTapQueue(fd: number): void {
  setQueue(fd, uapi.IFF_DETACH_QUEUE, 'detach');
}

/** Undoes {@link detachTapQueue}. */
export function attachTapQueue(fd: number): void {
  setQueue(fd, uapi.IFF_ATTACH_QUEUE, 'attach');
}

/** Throws ERR_USAGE unless an interface may have this name and keep it as written. */
export function assertInterfaceName(name: string): void {
  // `%` makes the kernel number the device, so that it would not get the name asked for.
  const valid = /^[^\s\p{Cc}/:%]+$/u.test(name) && name !== '.' && name !== '..';
  if (valid && Buffer.byteLength(name) < uapi.IFNAMSIZ) return;
  throw new VtepError('ERR_USAGE', `Cannot name a TAP '${name}'`, {
    hint: "use 1 to 15 bytes without spaces, '/', ':' or '%'",
  });
}

function assertUsable(name: string, link: Link | undefined): void {
  if (link === undefined) return;
  if (link.kind !== 'tun' || link.tun?.type === 'tun') {
    const what =
      link.kind === 'tun'
        ? 'a layer 3 tun device'
        : link.kind === undefined
          ? 'not a virtual device'
          : `a ${link.kind} device`;
    throw new VtepError('ERR_TUN_DEVICE', `Cannot use '${name}' as a TAP: it is ${what}`, {
      hint: `choose another name, or delete it first: ip link del ${name}`,
    });
  }
  // A second program may attach to a multi_queue device without any error, and would get part of
  // the frames.
  if ((link.tun?.queues ?? 0) > 0) throw attachError(name, EBUSY);
}

function openTunDevice(): number {
  const fd = libc.open(TUN_DEVICE, uapi.O_RDWR | uapi.O_NONBLOCK | uapi.O_CLOEXEC, 0);
  if (fd >= 0) return fd;
  const errno = lastErrno();
  if (errno === ENOENT || errno === ENXIO || errno === ENODEV) {
    throw new VtepError('ERR_TUN_DEVICE', `Cannot open ${TUN_DEVICE}: ${errnoName(errno)}`, {
      hint:
        'load the driver (modprobe tun); where the file is missing: mkdir -p /dev/net && ' +
        'mknod /dev/net/tun c 10 200; for a container: --device /dev/net/tun',
    });
  }
  throw syscallError(
    'open',
    errno,
    TUN_DEVICE,
    errno === EPERM || errno === EACCES
      ? 'let the user read and write it (usual mode 0666); for a container: --device /dev/net/tun'
      : undefined,
  );
}

/** Attaches the first queue and returns whether the device has the multi_queue flag. */
function attachFirst(fd: number, name: string, multiQueue: boolean, exists: boolean): boolean {
  const errno = attach(fd, name, multiQueue);
  if (errno === 0) return multiQueue;
  // Where the kernel does not tell the flag of a device (before Linux 4.18), a mismatch is EINVAL.
  if (errno === EINVAL && exists && attach(fd, name, !multiQueue) === 0) return !multiQueue;
  throw attachError(name, errno);
}

function attach(fd: number, name: string, multiQueue: boolean): number {
  const flags =
    uapi.IFF_TAP | uapi.IFF_NO_PI | uapi.IFF_VNET_HDR | (multiQueue ? uapi.IFF_MULTI_QUEUE : 0);
  return libc.ioctl(fd, uapi.TUNSETIFF, ifreq(name, flags)) < 0 ? lastErrno() : 0;
}

function attachError(name: string, errno: number): VtepError {
  const action = `Cannot attach to TAP '${name}': ${errnoName(errno)}`;
  if (errno === EPERM || errno === EACCES) {
    return new VtepError('ERR_PERMISSION', action, {
      hint:
        'run as root or with CAP_NET_ADMIN, or make the device for this user beforehand: ' +
        `ip tuntap add ${name} mode tap user USER multi_queue`,
    });
  }
  if (errno === EBUSY) {
    return new VtepError('ERR_TUN_DEVICE', `${action}, another program has it open`, {
      hint: 'stop that program, or choose another name',
    });
  }
  return new VtepError('ERR_TUN_DEVICE', action, {
    hint: 'the kernel must know TAP devices with IFF_VNET_HDR (and IFF_MULTI_QUEUE for several workers)',
  });
}

/**
 * Header size and offloads outlive the program that set them on a persistent device: always set
 * all.
 */
function configure(fd: number, name: string, offload: boolean): TapOffloads {
  setInt(fd, name, uapi.TUNSETVNETHDRSZ, 'TUNSETVNETHDRSZ', VNET_HEADER_LENGTH);
  setInt(fd, name, uapi.TUNSETVNETLE, 'TUNSETVNETLE', 1);
  const attempts = offload ? [OFFLOAD_TSO | OFFLOAD_USO, OFFLOAD_TSO, uapi.TUN_F_CSUM, 0] : [0];
  for (const flags of attempts) {
    if (libc.ioctlValue(fd, uapi.TUNSETOFFLOAD, flags) < 0) continue;
    return {
      checksum: (flags & uapi.TUN_F_CSUM) !== 0,
      tso4: (flags & uapi.TUN_F_TSO4) !== 0,
      tso6: (flags & uapi.TUN_F_TSO6) !== 0,
      uso: (flags & OFFLOAD_USO) !== 0,
    };
  }
  throw configureError(name, 'TUNSETOFFLOAD');
}

function setInt(fd: number, name: string, request: number, call: string, value: number): void {
  const argument = new Uint8Array(new Int32Array([value]).buffer);
  if (libc.ioctl(fd, request, argument) < 0) throw configureError(name, call);
}

function configureError(name: string, call: string): VtepError {
  const errno = errnoName(lastErrno());
  return new VtepError('ERR_TUN_DEVICE', `Cannot set up TAP '${name}': ${call}: ${errno}`);
}

function setQueue(fd: number, flags: number, verb: string): void {
  if (libc.ioctl(fd, uapi.TUNSETQUEUE, ifreq('', flags)) < 0) {
    throw syscallError(`${verb} a TAP queue, descriptor`, lastErrno(), String(fd));
  }
}

function ifreq(name: string, flags: number): Uint8Array {
  const bytes = Buffer.alloc(IFREQ_LENGTH);
  bytes.write(name, 0, uapi.IFNAMSIZ - 1);
  bytes.writeUInt16LE(flags, IFREQ_FLAGS_OFFSET);
  return bytes;
}
