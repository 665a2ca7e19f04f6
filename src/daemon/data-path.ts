/** The parts of one worker's data path and their memory. Everything is allocated here, once. */
import { Answers } from '../dataplane/answers.ts';
import type { UnderlaySender } from '../dataplane/devices.ts';
import { Receiver } from '../dataplane/receive.ts';
import { SEGMENT_HEADER_AREA_BYTES, Segmenter } from '../dataplane/segment.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { Transmitter } from '../dataplane/transmit.ts';
import { Epoll } from '../linux/epoll.ts';
import { FastReceiver } from '../linux/fast-receiver.ts';
import { FastSender } from '../linux/fast-sender.ts';
import { mapArena } from '../linux/memory.ts';
import { PortableUnderlay, type PortableEvents } from '../linux/portable-underlay.ts';
import { TapReader, TapWriter } from '../linux/tap-queue.ts';
import { ArenaAllocator } from '../packet/arena.ts';
import { DatagramBatch } from '../packet/datagram-batch.ts';
import { DeliveryPlan } from '../packet/delivery-plan.ts';
import { FrameBatch } from '../packet/frame-batch.ts';
import { TransmitPlan } from '../packet/transmit-plan.ts';
import { Descriptors } from './descriptors.ts';
import type { WorkerOptions } from './worker-protocol.ts';

const FRAMES = 64;
const DATAGRAMS = 64;
const MESSAGES = 256;
const DELIVERIES = 256;
const DELIVERY_IOVECS = 4096;

export class DataPath {
  readonly frames: FrameBatch;
  readonly datagrams: DatagramBatch;
  readonly plan: TransmitPlan;
  readonly transmitter: Transmitter;
  readonly receiver: Receiver;
  readonly tapReader: TapReader;
  readonly tapWriter: TapWriter;
  readonly fastReceiver: FastReceiver;
  readonly fastSender: FastSender;
  readonly portable: PortableUnderlay;
  readonly descriptors: Descriptors;

  constructor(options: WorkerOptions, tables: SharedTables, events: PortableEvents) {
    const { worker, lanesPerPool, poolsMax, endpointsMax } = options;
    const { remotes, tunnels } = tables;
    const lanes = lanesPerPool * poolsMax;
    const memory = new ArenaAllocator(mapArena(arenaBytes(remotes.capacity)));
    const { arena } = memory;
    this.frames = new FrameBatch(arena, memory.take(FrameBatch.bytesFor(FRAMES)), FRAMES);
    const received = memory.take(DatagramBatch.bytesFor(DATAGRAMS));
    this.datagrams = new DatagramBatch(arena, received, DATAGRAMS);
    const planned = memory.take(TransmitPlan.bytesFor(MESSAGES));
    this.plan = new TransmitPlan(arena, planned, MESSAGES, lanes);
    const delivered = memory.take(DeliveryPlan.bytesFor(DELIVERIES, DELIVERY_IOVECS));
    const deliveries = new DeliveryPlan(arena, delivered, DELIVERIES, DELIVERY_IOVECS);
    const segmenter = new Segmenter(arena, memory.take(SEGMENT_HEADER_AREA_BYTES));
    this.tapReader = new TapReader(this.frames);
    this.tapWriter = new TapWriter(tunnels.capacity);
    this.fastReceiver = new FastReceiver(memory, this.datagrams);
    this.fastSender = new FastSender(memory, remotes, lanes);
    this.portable = new PortableUnderlay(this.datagrams, remotes, lanes, events);
    const sender: UnderlaySender = options.portable ? this.portable : this.fastSender;
    const answered = memory.take(Answers.bytes);
    const { counters, vlans } = tables;
    const answers = new Answers(worker, counters, vlans, arena, answered, this.tapWriter);
    this.transmitter = new Transmitter(
      worker,
      tables,
      this.plan,
      segmenter,
      sender,
      lanesPerPool,
      answers,
    );
    this.receiver = new Receiver(worker, tables, deliveries, this.tapWriter);
    this.descriptors = new Descriptors(memory, tunnels.capacity, endpointsMax);
  }
}

function arenaBytes(remotes: number): number {
  return (
    FrameBatch.bytesFor(FRAMES) +
    DatagramBatch.bytesFor(DATAGRAMS) +
    TransmitPlan.bytesFor(MESSAGES) +
    DeliveryPlan.bytesFor(DELIVERIES, DELIVERY_IOVECS) +
    SEGMENT_HEADER_AREA_BYTES +
    Answers.bytes +
    FastReceiver.bytesFor(DATAGRAMS) +
    FastSender.bytesFor(remotes) +
    Epoll.bytesFor() +
    4096
  );
}
