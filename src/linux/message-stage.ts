// Hot path: no allocation, no throw, no await.
import type { ArenaAllocator } from '../packet/arena.ts';
import { writeUint64 } from '../packet/iovec.ts';
import type { TransmitPlan } from '../packet/transmit-plan.ts';
import {
  CMSG_SPACE,
  MMSGHDR_BYTES,
  MMSGHDR_CONTROL,
  MMSGHDR_CONTROL_LENGTH,
  MMSGHDR_IOVEC_COUNT,
  MMSGHDR_IOVECS,
  MMSGHDR_NAME,
  MMSGHDR_NAME_LENGTH,
  writeCmsgInt,
  writeCmsgShort,
} from './message-header.ts';
import { writeSockaddr } from './sockaddr.ts';
import { IP_TOS, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP, IPV6_TCLASS, UDP_SEGMENT } from './uapi.ts';

/** Where a remote lives; what the table of remotes offers. */
export interface RemoteAddresses {
  readonly capacity: number;
  readonly bytes: Uint8Array;
  addressOffset(remote: number): number;
  family(remote: number): number;
  port(remote: number): number;
  scope(remote: number): number;
  /** Changes when the row is given to another remote. */
  generation(remote: number): number;
}

/** Messages of one sendmmsg. */
export const STAGE_MESSAGES = 64;

const CONTROL_BYTES = 2 * CMSG_SPACE;
const SOCKADDR_STRIDE = 32;

/**
 * The native headers of the messages that one sendmmsg takes: address, iovecs, and the control messages for
 * TOS and segmentation. Socket addresses are written once per remote and kept.
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

  constructor(memory: ArenaAllocator, addresses: RemoteAddresses) {
    this.#view = memory.arena.view;
    this.#base = memory.arena.base;
    this.#addresses = addresses;
    this.#headers = memory.take(STAGE_MESSAGES * MMSGHDR_BYTES);
    this.#control = memory.take(STAGE_MESSAGES * CONTROL_BYTES);
    this.#sockaddrs = memory.take(addresses.capacity * SOCKADDR_STRIDE);
    this.#generation = new Int32Array(addresses.capacity).fill(-1);
    this.#sockaddrLength = new Uint8Array(addresses.capacity);
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

  /** Writes the header of a message into a place; `family` is that of the socket, 4 or 6. */
  write(plan: TransmitPlan, message: number, place: number, family: number): void {
    const view = this.#view;
    const header = this.header(place);
    this.messages[place] = message;
    this.#writeName(header, plan.remote[message]!);
    writeUint64(view, header + MMSGHDR_IOVECS, this.#base + plan.iovecOffset[message]!);
    view.setUint32(header + MMSGHDR_IOVEC_COUNT, plan.iovecs[message]!, true);
    const control = this.#control + place * CONTROL_BYTES;
    let controlBytes = this.#writeTos(control, family, plan.tos[message]!);
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

  #writeName(header: number, remote: number): void {
    const addresses = this.#addresses;
    const sockaddr = this.#sockaddrs + remote * SOCKADDR_STRIDE;
    const generation = addresses.generation(remote);
    if (this.#generation[remote] !== generation) {
      this.#sockaddrLength[remote] = writeSockaddr(
        this.#view,
        sockaddr,
        addresses.family(remote),
        addresses.bytes,
        addresses.addressOffset(remote),
        addresses.port(remote),
        addresses.scope(remote),
      );
      this.#generation[remote] = generation;
    }
    writeUint64(this.#view, header + MMSGHDR_NAME, this.#base + sockaddr);
    this.#view.setUint32(header + MMSGHDR_NAME_LENGTH, this.#sockaddrLength[remote]!, true);
  }
}
