// Hot path: no allocation, no throw, no await.
import type { ArenaAllocator } from '../packet/arena.ts';
import { writeUint64 } from '../packet/iovec.ts';
import type { TransmitPlan } from '../packet/transmit-plan.ts';
import { isLinkLocalIp6, isMulticastIp } from '../wire/ip.ts';
import {
  CMSG_SPACE,
  MMSGHDR_BYTES,
  MMSGHDR_CONTROL,
  MMSGHDR_CONTROL_LENGTH,
  MMSGHDR_IOVEC_COUNT,
  MMSGHDR_IOVECS,
  MMSGHDR_NAME,
  MMSGHDR_NAME_LENGTH,
  PKTINFO4_SPACE,
  PKTINFO6_SPACE,
  writeCmsgInt,
  writeCmsgNetworkInt,
  writeCmsgShort,
  writePktinfo4,
  writePktinfo6,
} from './message-header.ts';
import { writeSockaddr } from './sockaddr.ts';
import {
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_FLOWINFO,
  IPV6_HOPLIMIT,
  IPV6_TCLASS,
  UDP_SEGMENT,
} from './uapi.ts';

/** Where a remote lives; what the table of remotes offers. */
export interface RemoteAddresses {
  readonly capacity: number;
  readonly bytes: Uint8Array;
  addressOffset(remote: number): number;
  family(remote: number): number;
  port(remote: number): number;
  /** Interface index to send by, else 0. */
  scope(remote: number): number;
  /** Changes when the row is given to another remote. */
  generation(remote: number): number;
}

/** Messages of one sendmmsg. */
export const STAGE_MESSAGES = 64;

/** TOS, TTL, flow label, segmentation, and the device to send by. */
const CONTROL_BYTES = 4 * CMSG_SPACE + PKTINFO6_SPACE;
const SOCKADDR_STRIDE = 32;

/**
 * The native headers of the messages that one sendmmsg takes: address, iovecs, and control messages, of
 * which that for segmentation is always the last. Socket addresses are written once per remote and kept.
 */
export class MessageStage {
  /** The plan's message in each place. */
  readonly messages = new Int32Array(STAGE_MESSAGES);

  readonly #view: DataView;
  readonly #base: number;
  readonly #addresses: RemoteAddresses;
  readonly #headers: number;
  readonly #control: number;
  readonly #sockaddrs: number;
  readonly #generation: Int32Array;
  readonly #sockaddrLength: Uint8Array;
  /** Interface index of remotes whose socket address cannot name it. */
  readonly #devices: Int32Array;
  /** 1 for multicast groups. */
  readonly #isGroup: Uint8Array;

  constructor(memory: ArenaAllocator, addresses: RemoteAddresses) {
    this.#view = memory.arena.view;
    this.#base = memory.arena.base;
    this.#addresses = addresses;
    this.#headers = memory.take(STAGE_MESSAGES * MMSGHDR_BYTES);
    this.#control = memory.take(STAGE_MESSAGES * CONTROL_BYTES);
    this.#sockaddrs = memory.take(addresses.capacity * SOCKADDR_STRIDE);
    this.#generation = new Int32Array(addresses.capacity).fill(-1);
    this.#sockaddrLength = new Uint8Array(addresses.capacity);
    this.#devices = new Int32Array(addresses.capacity);
    this.#isGroup = new Uint8Array(addresses.capacity);
    for (let place = 0; place < STAGE_MESSAGES; place += 1) {
      const control = this.#base + this.#control + place * CONTROL_BYTES;
      writeUint64(this.#view, this.#headers + place * MMSGHDR_BYTES + MMSGHDR_CONTROL, control);
    }
  }

  /** Arena bytes that the constructor takes, alignment included. */
  static bytesFor(remotes: number): number {
    return STAGE_MESSAGES * (MMSGHDR_BYTES + CONTROL_BYTES) + remotes * SOCKADDR_STRIDE + 192;
  }

  /** Arena offset of the header in a place. */
  header(place: number): number {
    return this.#headers + place * MMSGHDR_BYTES;
  }

  /** Absolute address of the header in a place. */
  address(place: number): number {
    return this.#base + this.#headers + place * MMSGHDR_BYTES;
  }

  /**
   * Writes the header of a message into a place; `family` is that of the socket, 4 or 6, and `source` its
   * IPv4 address as 32 bits, or 0.
   */
  write(plan: TransmitPlan, message: number, place: number, family: number, source: number): void {
    const view = this.#view;
    const header = this.header(place);
    this.messages[place] = message;
    const remote = plan.remote[message]!;
    this.#writeName(header, remote);
    writeUint64(view, header + MMSGHDR_IOVECS, this.#base + plan.iovecOffset[message]!);
    view.setUint32(header + MMSGHDR_IOVEC_COUNT, plan.iovecs[message]!, true);
    const control = this.#control + place * CONTROL_BYTES;
    let controlBytes = this.#writeTos(control, family, plan.tos[message]!);
    // That of multicast is the socket's own.
    const ttl = this.#isGroup[remote] === 1 ? 0 : plan.ttl[message]!;
    const flowLabel = plan.flowLabel[message]!;
    const device = this.#devices[remote]!;
    if ((ttl | flowLabel | device) !== 0) {
      controlBytes += this.#writeTtl(control + controlBytes, family, ttl);
      controlBytes += this.#writeFlowLabel(control + controlBytes, family, flowLabel);
      controlBytes += this.#writeDevice(control + controlBytes, family, device, source);
    }
    if (plan.segments[message]! > 1) {
      const size = plan.segmentBytes[message]!;
      writeCmsgShort(view, control + controlBytes, IPPROTO_UDP, UDP_SEGMENT, size);
      controlBytes += CMSG_SPACE;
    }
    view.setUint32(header + MMSGHDR_CONTROL_LENGTH, controlBytes, true);
  }

  #writeTos(control: number, family: number, tos: number): number {
    if (tos === 0) return 0;
    if (family === 4) writeCmsgInt(this.#view, control, IPPROTO_IP, IP_TOS, tos);
    else writeCmsgInt(this.#view, control, IPPROTO_IPV6, IPV6_TCLASS, tos);
    return CMSG_SPACE;
  }

  #writeTtl(control: number, family: number, ttl: number): number {
    if (ttl === 0) return 0;
    if (family === 4) writeCmsgInt(this.#view, control, IPPROTO_IP, IP_TTL, ttl);
    else writeCmsgInt(this.#view, control, IPPROTO_IPV6, IPV6_HOPLIMIT, ttl);
    return CMSG_SPACE;
  }

  #writeFlowLabel(control: number, family: number, flowLabel: number): number {
    if (flowLabel === 0 || family === 4) return 0;
    writeCmsgNetworkInt(this.#view, control, IPPROTO_IPV6, IPV6_FLOWINFO, flowLabel);
    return CMSG_SPACE;
  }

  #writeDevice(control: number, family: number, device: number, source: number): number {
    if (device === 0) return 0;
    if (family === 4) writePktinfo4(this.#view, control, device, source);
    else writePktinfo6(this.#view, control, device);
    return family === 4 ? PKTINFO4_SPACE : PKTINFO6_SPACE;
  }

  #writeName(header: number, remote: number): void {
    const addresses = this.#addresses;
    const sockaddr = this.#sockaddrs + remote * SOCKADDR_STRIDE;
    const generation = addresses.generation(remote);
    if (this.#generation[remote] !== generation) {
      const offset = addresses.addressOffset(remote);
      this.#sockaddrLength[remote] = writeSockaddr(
        this.#view,
        sockaddr,
        addresses.family(remote),
        addresses.bytes,
        offset,
        addresses.port(remote),
        addresses.scope(remote),
      );
      // A link-local address says it by itself, in sockaddr_in6.
      const isLocal = isLinkLocalIp6(addresses.bytes, offset);
      this.#devices[remote] = isLocal ? 0 : addresses.scope(remote);
      this.#isGroup[remote] = isMulticastIp(addresses.bytes, offset) ? 1 : 0;
      this.#generation[remote] = generation;
    }
    writeUint64(this.#view, header + MMSGHDR_NAME, this.#base + sockaddr);
    this.#view.setUint32(header + MMSGHDR_NAME_LENGTH, this.#sockaddrLength[remote]!, true);
  }
}
