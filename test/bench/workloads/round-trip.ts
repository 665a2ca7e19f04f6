/** Round trips through the tunnel: one packet in flight on a quiet tunnel, and beside a load. */
import type { Child } from '../../support/child.ts';
import { missing } from '../../support/probe.ts';
import { type Contender, type Overlay, OVERLAY } from '../contender.ts';
import { framesTo, pingReport, startGenerator, startPinger } from '../programs.ts';
import { iperfServer, pacedRate, startPacedTcp } from '../transfer.ts';
import {
  type Bench,
  type Figure,
  isMain,
  type Sample,
  sampleOf,
  type Workload,
} from '../workload.ts';

const LOAD_BITS_PER_SECOND = 1e9;
const PAYLOAD_BYTES = 1400;
const FRAME_BYTES = 14 + 20 + 8 + PAYLOAD_BYTES;
/** With a load: often enough for a p99, seldom enough not to be one. */
const INTERVAL_MS = 1;

export const ROUND_TRIP: Workload = {
  name: 'rtt',
  figures: quantiles('rtt', 'RTT'),
  async measure(contender, bench) {
    const overlay = await bench.overlay(contender);
    return pingThrough(overlay, 'rtt', { seconds: bench.quick ? 0.5 : 3, intervalMs: 0 });
  },
};

export const ROUND_TRIP_TCP: Workload = {
  name: 'rtt-tcp',
  figures: quantiles('rtt-tcp', 'RTT under 1 Gbit/s TCP'),
  takesQuick: isMain,
  // Nothing else here paces TCP.
  obstacle: () => missing({ commands: ['iperf3'] }),
  measure: underTcp,
};

export const ROUND_TRIP_UDP: Workload = {
  name: 'rtt-udp',
  figures: quantiles('rtt-udp', 'RTT under 1 Gbit/s UDP'),
  takesQuick: isMain,
  measure: underUdp,
};

function quantiles(name: string, title: string): Figure[] {
  return [
    { name: `${name}-p50`, title: `${title}, p50`, unit: 'us', digits: 1 },
    { name: `${name}-p99`, title: `${title}, p99`, unit: 'us', digits: 1 },
  ];
}

async function pingThrough(
  overlay: Overlay,
  name: string,
  { seconds, intervalMs }: { seconds: number; intervalMs: number },
  detail: () => Sample['detail'] = () => ({}),
): Promise<Sample[]> {
  const order = { seconds, intervalMs, warmUpSeconds: 0.3 };
  const { sent, lost, p50, p99, max } = await pingReport(startPinger(overlay, order), order);
  const beside = { sent, lost, max, ...detail() };
  return [
    sampleOf(overlay, `${name}-p50`, p50, beside),
    sampleOf(overlay, `${name}-p99`, p99, beside),
  ];
}

async function underTcp(contender: Contender, bench: Bench): Promise<Sample[]> {
  const overlay = await bench.overlay(contender);
  const seconds = bench.quick ? 1 : 3;
  const server = await iperfServer(overlay.b, OVERLAY.b);
  const load = { bitsPerSecond: LOAD_BITS_PER_SECOND, seconds: seconds + 1 };
  const client = startPacedTcp(overlay.a, OVERLAY.b, load);
  const samples = await pingThrough(overlay, 'rtt-tcp', { seconds, intervalMs: INTERVAL_MS });
  await client.wait(20_000);
  await server.stop();
  const loadGigabits = pacedRate(client) / 1e9;
  return samples.map((sample) => ({ ...sample, detail: { ...sample.detail, loadGigabits } }));
}

async function underUdp(contender: Contender, bench: Bench): Promise<Sample[]> {
  const overlay = await bench.overlay(contender);
  const seconds = bench.quick ? 1 : 3;
  const load = startGenerator(overlay, {
    frames: framesTo(overlay, { bytes: FRAME_BYTES, flows: 1 }),
    rates: [LOAD_BITS_PER_SECOND / 8 / PAYLOAD_BYTES],
    ...{ seconds: seconds + 1, warmUpSeconds: 0.2, settleSeconds: 0, peak: false },
  });
  const samples = await pingThrough(overlay, 'rtt-udp', { seconds, intervalMs: INTERVAL_MS });
  await load.wait(20_000);
  const loadGigabits = udpRate(load) / 1e9;
  return samples.map((sample) => ({ ...sample, detail: { ...sample.detail, loadGigabits } }));
}

/** Bits of UDP payload per second that arrived. */
function udpRate(load: Child): number {
  const step = JSON.parse(load.stdout()) as { receivedPackets: number; seconds: number };
  return (step.receivedPackets * PAYLOAD_BYTES * 8) / step.seconds;
}
