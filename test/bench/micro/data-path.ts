/** The forwarding core over devices that cost nothing: what a frame takes beside the kernel's calls. */
import { DataPath, NOW_SECONDS, VNI } from '../../support/data-path.ts';
import { bytesOf, concat, tcpFrame, udpFrame, vxlanDatagram } from '../../support/packets.ts';
import type { MicroBenchmark } from './measure.ts';

const MAC_A = '02:00:fe:00:00:0a';
const MAC_B = '02:00:fe:00:00:0b';
const MACS = { source: MAC_A, destination: MAC_B };
const REMOTE = '192.0.2.1';
const SMALL_PAYLOAD = 18;
const SEGMENT_BYTES = 1398;
const BATCH = 64;
/** As many segments as fit the 64 KiB of a super-frame. */
const SEGMENTS = 46;
/** Of a frame's headers: what segmenting and coalescing write into. */
const HEADERS_BYTES = 256;

export const DATA_PATH: readonly MicroBenchmark[] = [
  {
    name: 'encapsulate, 64-byte frames',
    setUp() {
      const path = quietPath();
      path.entry(MAC_B, path.remote(REMOTE));
      const frame = udpFrame({ ...MACS, payload: bytesOf(SMALL_PAYLOAD) });
      path.load(Array.from({ length: BATCH }, () => ({ frame })));
      return {
        units: BATCH,
        run: () => path.transmitter.transmit(path.frames, 0, NOW_SECONDS),
      };
    },
  },
  {
    name: 'decapsulate, 64-byte frames',
    setUp() {
      const path = quietPath();
      path.remote(REMOTE);
      const bytes = vxlanDatagram(VNI, udpFrame({ ...MACS, payload: bytesOf(SMALL_PAYLOAD) }));
      path.arrive(Array.from({ length: BATCH }, () => ({ bytes })));
      return {
        units: BATCH,
        run: () => path.receiver.receive(path.datagrams, path.vnis, NOW_SECONDS),
      };
    },
  },
  {
    name: 'decapsulate, 64-byte frames merged by the kernel',
    setUp() {
      const path = quietPath();
      path.remote(REMOTE);
      const one = vxlanDatagram(VNI, udpFrame({ ...MACS, payload: bytesOf(SMALL_PAYLOAD) }));
      const bytes = concat(...Array.from({ length: BATCH }, () => one));
      path.arrive([{ bytes, stride: one.length }]);
      return {
        units: BATCH,
        run: () => path.receiver.receive(path.datagrams, path.vnis, NOW_SECONDS),
      };
    },
  },
  {
    name: 'segment a TCP super-frame, each segment',
    setUp() {
      const path = quietPath();
      path.entry(MAC_B, path.remote(REMOTE));
      const payload = bytesOf(SEGMENT_BYTES * SEGMENTS);
      const frame = tcpFrame({ ...MACS, payload, checksum: 'partial' });
      const partial = { flags: 1, csumStart: 34, csumOffset: 16 };
      path.load([{ frame, vnet: { ...partial, gsoType: 1, gsoSize: SEGMENT_BYTES } }]);
      const restore = saver(path, path.frames.slots[0]!);
      return {
        units: SEGMENTS,
        run() {
          restore();
          path.transmitter.transmit(path.frames, 0, NOW_SECONDS);
        },
      };
    },
  },
  {
    name: 'coalesce TCP segments, each segment',
    setUp() {
      const path = quietPath();
      path.remote(REMOTE);
      const segments = Array.from({ length: SEGMENTS - 1 }, (_, index) => {
        const payload = bytesOf(SEGMENT_BYTES, index);
        return vxlanDatagram(
          VNI,
          tcpFrame({ ...MACS, payload, sequence: 1 + index * SEGMENT_BYTES }),
        );
      });
      path.arrive([{ bytes: concat(...segments), stride: segments[0]!.length }]);
      const restore = saver(path, path.datagrams.offsets[0]!);
      return {
        units: segments.length,
        run() {
          restore();
          path.receiver.receive(path.datagrams, path.vnis, NOW_SECONDS);
        },
      };
    },
  },
];

function quietPath(): DataPath {
  const path = new DataPath({
    ...{ frames: BATCH, datagrams: BATCH, messages: 256, deliveries: 256, deliveryIovecs: 4096 },
  });
  path.sender.send = () => {};
  path.writer.write = () => {};
  return path;
}

/** Puts the headers back that a run has written into, without allocating. */
function saver(path: DataPath, offset: number): () => void {
  const { bytes } = path.arena;
  const saved = bytes.slice(offset, offset + HEADERS_BYTES);
  return () => bytes.set(saved, offset);
}
