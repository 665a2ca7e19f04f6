/** One broadcast frame to a thousand remotes: copies per second on the underlay. */
import { UNDERLAY } from '../../support/lab.ts';
import { linkAddress } from '../../support/tunnels.ts';
import { type Contender, type Overlay, UNDERLAY_DEVICE } from '../contender.ts';
import { framesTo, generate } from '../programs.ts';
import type { GeneratorStep } from '../programs/generator.ts';
import { type Bench, isMain, type Sample, sampleOf, type Workload } from '../workload.ts';
import { ladder } from './small-frames.ts';

const REMOTES = 1000;
const REMOTES_NETWORK = '10.99.0.0/16';
const FRAME_BYTES = 60;
const FIRST_RATE = 100;
const RATES = 11;
/** Of every packet on the underlay: Ethernet, IPv4, UDP. */
const PACKET_BYTES = 14 + 20 + 8;
/** Of every copy: VXLAN and the frame. A packet that the receiver would cut up holds several. */
const COPY_BYTES = 8 + FRAME_BYTES;

export const FLOOD: Workload = {
  name: 'flood',
  figures: [{ name: 'flood', title: 'broadcast to 1,000 remotes, copies', unit: 'k/s', digits: 0 }],
  takes: (contender) => contender.flood !== undefined,
  takesQuick: isMain,
  measure: (contender, bench) =>
    bench.withLab(async (lab) => measure(await contender.start(lab), contender, bench)),
};

async function measure(overlay: Overlay, contender: Contender, bench: Bench): Promise<Sample[]> {
  const { a, b } = overlay;
  // All remotes are behind host b, which has none of the addresses and forwards nothing: its counter sees
  // the copies, and nobody answers. The neighbour is known, so that no ARP is in the figure.
  const gateway = UNDERLAY.b4;
  const mac = linkAddress(b, UNDERLAY_DEVICE);
  a.ip('neighbour', 'replace', gateway, 'lladdr', mac, 'dev', UNDERLAY_DEVICE, 'nud', 'permanent');
  a.ip('route', 'add', REMOTES_NETWORK, 'via', gateway);
  const remotes = Array.from({ length: REMOTES }, (_, index) => addressOf(index));
  contender.flood!(overlay, remotes);
  const steps = await generate(overlay, {
    frames: framesTo(overlay, {
      ...{ bytes: FRAME_BYTES, flows: 1, destinationMac: 'ff:ff:ff:ff:ff:ff' },
    }),
    rates: bench.quick ? [200] : ladder(FIRST_RATE, RATES),
    // A full queue of frames takes seconds of work here: what one rate left behind must not be counted
    // for the next one.
    ...{
      seconds: bench.quick ? 0.5 : 1,
      warmUpSeconds: 0.3,
      settleSeconds: 0.3,
      peak: !bench.quick,
    },
    counter: { pid: overlay.pidB, device: UNDERLAY_DEVICE },
  });
  const rates = steps.map((step) => copies(step) / step.seconds);
  const best = Math.max(...rates);
  const top = steps[rates.indexOf(best)]!;
  return [sampleOf(overlay, 'flood', best / 1000, { offeredFramesAtBest: top.rate })];
}

function addressOf(index: number): string {
  return `10.99.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`;
}

/** Solved from packets and bytes, because merged datagrams count as one packet. */
function copies({ receivedPackets, receivedBytes }: GeneratorStep): number {
  return (receivedBytes - receivedPackets * PACKET_BYTES) / COPY_BYTES;
}
