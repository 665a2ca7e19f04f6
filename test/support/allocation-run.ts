/**
 * Pushes frames through the data path in a process of its own, where nothing else allocates, and prints
 * one line of JSON ({@link AllocationReport}). Run as `node --expose-gc … SCENARIO FRAMES`.
 *
 * Devices are the cheapest there are: a plan is taken as if it had been sent.
 */
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { COUNTER_RX_PACKETS, COUNTER_TX_PACKETS } from '../../src/dataplane/counters.ts';
import { TUNNEL_LEARNING, TUNNEL_NEIGH_SUPPRESS } from '../../src/dataplane/tunnel-table.ts';
import { DataPath, NOW_SECONDS, VNI } from './data-path.ts';
import { advertisement, arp, solicitation } from './neighbour-frames.ts';
import { arpFrame, bytesOf, concat, tcpFrame, udpFrame, vxlanDatagram } from './packets.ts';

export interface AllocationReport {
  readonly frames: number;
  readonly seconds: number;
  /** Garbage collections while the frames went through. */
  readonly collections: number;
  /** How much larger the heap is afterwards, before any collection. */
  readonly heapGrowthBytes: number;
}

const WARM_UP_FRAMES = 200_000;
// The lower half of a MAC does not fit into a small integer when its first bit is set.
const MAC_A = '02:00:fe:00:00:0a';
const MAC_B = '02:00:fe:00:00:0b';

const MACS = { source: MAC_A, destination: MAC_B };

/** Fills the batches once and returns what pushes them through; the batch is put right each time. */
const SCENARIOS: Readonly<Record<string, (path: DataPath) => () => void>> = {
  'transmit-unicast': (path) => {
    path.entry(MAC_B, path.remote('192.0.2.1'));
    path.load(
      [64, 64, 200, 1400].map((length) => ({
        frame: udpFrame({ ...MACS, payload: bytesOf(length) }),
      })),
    );
    return () => path.transmitter.transmit(path.frames, 0, NOW_SECONDS);
  },
  'transmit-flood': (path) => {
    path.flood([path.remote('192.0.2.1'), path.remote('192.0.2.2', { vni: 7 })]);
    path.load([
      { frame: arpFrame({ source: MAC_A }) },
      { frame: udpFrame({ ...MACS, family: 6 }) },
    ]);
    return () => path.transmitter.transmit(path.frames, 0, NOW_SECONDS);
  },
  'transmit-super-frames': (path) => {
    path.entry(MAC_B, path.remote('192.0.2.1'));
    const spec = {
      ...MACS,
      payload: bytesOf(10_000),
      sequence: 0xf000_0000,
      checksum: 'partial',
    } as const;
    const four = { flags: 1, gsoType: 1, gsoSize: 1000, csumStart: 34, csumOffset: 16 };
    const six = { flags: 1, gsoType: 4, gsoSize: 1000, csumStart: 54, csumOffset: 16 };
    const frames = [
      { frame: tcpFrame(spec), vnet: four },
      { frame: tcpFrame({ ...spec, family: 6 }), vnet: six },
    ];
    path.load(frames);
    // Segmenting spoils the headers in the slots.
    const restore = saver(path, path.frames.slots, frames.length);
    return () => {
      restore();
      path.transmitter.transmit(path.frames, 0, NOW_SECONDS);
    };
  },
  receive: (path) => {
    path.remote('192.0.2.1');
    path.arrive([
      { bytes: vxlanDatagram(VNI, arpFrame({ source: MAC_A })) },
      { bytes: vxlanDatagram(VNI, udpFrame({ ...MACS, checksum: 'partial' })), tos: 2 },
      { bytes: vxlanDatagram(VNI, udpFrame({ family: 6, source: '02:00:00:00:00:0c' })) },
      { bytes: vxlanDatagram(VNI, udpFrame()), source: '192.0.2.9' },
    ]);
    return () => path.receiver.receive(path.datagrams, path.vnis, NOW_SECONDS);
  },
  neighbours: (path) => {
    path.tunnel(0, VNI, { flags: TUNNEL_LEARNING | TUNNEL_NEIGH_SUPPRESS });
    path.entry(MAC_B, path.remote('192.0.2.1'));
    const known = [advertisement({ source: MAC_B }), arp({ source: MAC_B, senderIp: '10.0.0.2' })];
    path.arrive(known.map((frame) => ({ bytes: vxlanDatagram(VNI, frame) })));
    const asked = [solicitation({ source: MAC_A }), arp({ source: MAC_A }), udpFrame(MACS)];
    path.load(asked.map((frame) => ({ frame })));
    return () => {
      path.receiver.receive(path.datagrams, path.vnis, NOW_SECONDS);
      path.transmitter.transmit(path.frames, 0, NOW_SECONDS);
    };
  },
  leak: (path) => {
    path.entry(MAC_B, path.remote('192.0.2.1'));
    path.load([{ frame: udpFrame(MACS) }]);
    return () => {
      boxes[0] = { frames: path.frames.count };
      path.transmitter.transmit(path.frames, 0, NOW_SECONDS);
    };
  },
  'receive-merged': (path) => {
    path.remote('192.0.2.1');
    const segments = [0, 1, 2, 3, 4, 5, 6, 7].map((index) => {
      const sequence = 0xffff_f000 + index * 1000;
      return tcpFrame({
        ...MACS,
        payload: bytesOf(1000, index),
        sequence: sequence % 0x1_0000_0000,
      });
    });
    const datagrams = segments.map((frame) => vxlanDatagram(VNI, frame));
    path.arrive([{ bytes: concat(...datagrams), stride: datagrams[0]!.length }]);
    // Coalescing writes into the first segment's headers.
    const restore = saver(path, path.datagrams.offsets, 1);
    return () => {
      restore();
      path.receiver.receive(path.datagrams, path.vnis, NOW_SECONDS);
    };
  },
};

/** What the scenario `leak` allocates for each frame, as a mistake would. */
const boxes: { frames: number }[] = [];

/** Keeps a copy of the begin of each slot; what it returns puts that back without allocating. */
function saver(path: DataPath, offsets: Uint32Array, count: number): () => void {
  const { bytes } = path.arena;
  const saved = Array.from({ length: count }, (_, index) =>
    bytes.slice(offsets[index], offsets[index]! + 256),
  );
  return () => {
    for (let index = 0; index < count; index += 1) bytes.set(saved[index]!, offsets[index]);
  };
}

/** Counts pushes, not frames: to read the counters makes boxes until the engine has compiled the reading. */
function repeat(push: () => void, times: number): void {
  for (let time = 0; time < times; time += 1) push();
}

async function measure(scenario: string, frames: number): Promise<AllocationReport> {
  const path = new DataPath();
  path.sender.send = () => {};
  path.writer.write = () => {};
  const push = SCENARIOS[scenario]!(path);
  const passed = (): number => path.counter(COUNTER_TX_PACKETS) + path.counter(COUNTER_RX_PACKETS);
  push();
  const framesPerPush = passed();
  repeat(push, WARM_UP_FRAMES / framesPerPush);
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  globalThis.gc!();
  await new Promise((resolve) => setTimeout(resolve, 50));
  observer.observe({ entryTypes: ['gc'] });
  const before = passed();
  const heap = process.memoryUsage().heapUsed;
  const started = performance.now();
  repeat(push, frames / framesPerPush);
  const seconds = (performance.now() - started) / 1000;
  const heapGrowthBytes = process.memoryUsage().heapUsed - heap;
  // The observer is told in a later turn of the event loop.
  await new Promise((resolve) => setTimeout(resolve, 50));
  observer.disconnect();
  return { frames: passed() - before, seconds, collections, heapGrowthBytes };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  console.log(JSON.stringify(await measure(process.argv[2]!, Number(process.argv[3]))));
