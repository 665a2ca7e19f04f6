/** Raw frames onto an interface, and UDP sends that the kernel cuts up: what node:net cannot do. */
import { writeSockaddr, SOCKADDR_LENGTH_MAX } from '../../src/linux/sockaddr.ts';
import { lastErrno, libc } from '../../src/linux/libc.ts';
import { errnoName } from '../../src/linux/errno.ts';
import { AF_INET, AF_INET6, IPPROTO_UDP, SOCK_DGRAM, SOCK_RAW } from '../../src/linux/uapi.ts';
import { UDP_SEGMENT } from '../../src/linux/uapi.ts';
import { isIpv4Mapped, parseIp } from '../../src/wire/ip.ts';

// linux/socket.h, linux/if_packet.h
const AF_PACKET = 17;
const SOL_PACKET = 263;
const PACKET_VNET_HDR = 15;
/** struct sockaddr_ll: family (16), protocol (16, network order), interface (32), 12 more. */
const SOCKADDR_LL_BYTES = 20;

/**
 * Sends whole Ethernet frames out of an interface, as its own stack would.
 *
 * With `vnet` each frame begins with a virtio_net_hdr of 10 bytes in little-endian order, so that a
 * super-frame or an unfinished checksum can be handed to the device. Throws with the kernel's errno.
 */
export function sendFrames(interfaceName: string, frames: readonly Buffer[], vnet: boolean): void {
  const fd = packetSocket(interfaceName);
  try {
    if (vnet) setInt(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
    for (const frame of frames) check('send', libc.send(fd, frame, frame.length, 0));
  } finally {
    libc.close(fd);
  }
}

/** A packet socket that sends out of an interface and receives nothing; the caller closes it. */
export function packetSocket(interfaceName: string): number {
  const fd = check('socket', libc.socket(AF_PACKET, SOCK_RAW, 0));
  const address = Buffer.alloc(SOCKADDR_LL_BYTES);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeInt32LE(check('if_nametoindex', libc.if_nametoindex(interfaceName)), 4);
  check('bind', libc.bind(fd, address, address.length));
  return fd;
}

/** Sends `payload` in one call as UDP datagrams of `segmentBytes` each (UDP_SEGMENT). */
export function sendSegmented(
  address: string,
  port: number,
  payload: Buffer,
  segmentBytes: number,
): void {
  const ip = parseIp(address)!;
  const family = isIpv4Mapped(ip) ? 4 : 6;
  const fd = check('socket', libc.socket(family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0));
  try {
    setInt(fd, IPPROTO_UDP, UDP_SEGMENT, segmentBytes);
    const name = new Uint8Array(SOCKADDR_LENGTH_MAX);
    const length = writeSockaddr(new DataView(name.buffer), 0, family, ip, 0, port, 0);
    check('sendto', libc.sendto(fd, payload, payload.length, 0, name, length));
  } finally {
    libc.close(fd);
  }
}

function setInt(fd: number, level: number, option: number, value: number): void {
  const bytes = new Uint8Array(new Int32Array([value]).buffer);
  check('setsockopt', libc.setsockopt(fd, level, option, bytes, bytes.length));
}

function check(call: string, result: number): number {
  if (result >= 0) return result;
  throw new Error(`${call}: ${errnoName(lastErrno())}`);
}
