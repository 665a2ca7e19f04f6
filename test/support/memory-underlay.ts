/** Devices made of arrays: what the data path hands over is copied out of the arena and kept. */
import type { OverlayWriter, UnderlaySender } from '../../src/dataplane/devices.ts';
import type { Arena } from '../../src/packet/arena.ts';
import { DELIVERED, type DeliveryPlan } from '../../src/packet/delivery-plan.ts';
import { NO_MESSAGE, SENT, type TransmitPlan } from '../../src/packet/transmit-plan.ts';
import { concat } from './packets.ts';

export interface SentMessage {
  readonly lane: number;
  readonly tunnel: number;
  readonly remote: number;
  readonly tos: number;
  readonly segmentBytes: number;
  /** As the kernel cuts it: all but the last of `segmentBytes`. */
  readonly datagrams: readonly Uint8Array[];
}

export interface VnetHeader {
  readonly flags: number;
  readonly gsoType: number;
  readonly hdrLen: number;
  readonly gsoSize: number;
  readonly csumStart: number;
  readonly csumOffset: number;
}

export interface Delivery {
  readonly tunnel: number;
  readonly remote: number;
  readonly frames: number;
  /** Bytes for the counters: with the headers of every frame that was joined. */
  readonly bytes: number;
  readonly vnet: VnetHeader;
  readonly frame: Uint8Array;
}

/** Records what is sent, in order; checks that each message is one that a kernel would take. */
export class MemorySender implements UnderlaySender {
  readonly messages: SentMessage[] = [];
  /** Calls of send(). */
  calls = 0;
  /** Decides what becomes of a message; by default all are sent. */
  outcome: (message: SentMessage) => number = () => SENT;

  /** Every datagram of every message that was sent. */
  get datagrams(): Uint8Array[] {
    return this.messages.flatMap(({ datagrams }) => [...datagrams]);
  }

  send(plan: TransmitPlan): void {
    this.calls += 1;
    let seen = 0;
    for (let index = 0; index < plan.activeLaneCount; index += 1) {
      const lane = plan.activeLanes[index]!;
      for (let message = plan.head[lane]!; message !== NO_MESSAGE; message = plan.next[message]!) {
        seen += 1;
        if (plan.lane[message] !== lane) throw new Error(`message ${message} is in two lanes`);
        const copy = readMessage(plan, message);
        plan.result[message] = this.outcome(copy);
        if (plan.result[message] === SENT) this.messages.push(copy);
      }
    }
    if (seen !== plan.count) throw new Error(`${plan.count} messages, ${seen} of them in lanes`);
  }
}

/** Records what is delivered, in order. */
export class MemoryWriter implements OverlayWriter {
  readonly deliveries: Delivery[] = [];
  /** Decides what becomes of a delivery; by default all are taken. */
  outcome: (delivery: Delivery) => number = () => DELIVERED;

  write(plan: DeliveryPlan): void {
    for (let delivery = 0; delivery < plan.count; delivery += 1) {
      const count = plan.iovecs[delivery]!;
      if (count > 1024) throw new Error(`${count} iovecs, above UIO_MAXIOV`);
      const whole = gather(plan.arena, plan.iovecOffset[delivery]!, count);
      const copy: Delivery = {
        tunnel: plan.tunnel[delivery]!,
        remote: plan.remote[delivery]!,
        frames: plan.frames[delivery]!,
        bytes: plan.bytes[delivery]!,
        vnet: readVnet(whole),
        frame: whole.slice(10),
      };
      plan.result[delivery] = this.outcome(copy);
      if (plan.result[delivery] === DELIVERED) this.deliveries.push(copy);
    }
  }
}

function readMessage(plan: TransmitPlan, message: number): SentMessage {
  const whole = gather(plan.arena, plan.iovecOffset[message]!, plan.iovecs[message]!);
  const segmentBytes = plan.segmentBytes[message]!;
  const datagrams: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += segmentBytes)
    datagrams.push(whole.slice(at, at + segmentBytes));
  if (datagrams.length !== plan.segments[message] || whole.length !== plan.bytes[message])
    throw new Error(`message ${message} of ${whole.length} bytes is not what it says it is`);
  if (datagrams.length > 1 && whole.length > 65_507)
    throw new Error(`message ${message} of ${whole.length} bytes with segmentation`);
  return {
    lane: plan.lane[message]!,
    tunnel: plan.tunnel[message]!,
    remote: plan.remote[message]!,
    tos: plan.tos[message]!,
    segmentBytes,
    datagrams,
  };
}

function readVnet(bytes: Uint8Array): VnetHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    flags: view.getUint8(0),
    gsoType: view.getUint8(1),
    hdrLen: view.getUint16(2, true),
    gsoSize: view.getUint16(4, true),
    csumStart: view.getUint16(6, true),
    csumOffset: view.getUint16(8, true),
  };
}

/** What `count` iovecs at `offset` point to. */
function gather({ view, bytes, base }: Arena, offset: number, count: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = offset; at < offset + count * 16; at += 16) {
    const start = Number(view.getBigUint64(at, true)) - base;
    const length = Number(view.getBigUint64(at + 8, true));
    if (start < 0 || start + length > bytes.length)
      throw new Error(`an iovec points to ${start}, ${length} bytes`);
    parts.push(bytes.subarray(start, start + length));
  }
  return concat(...parts);
}
