/** TCP with one flow and with four, in both directions. */
import { missing } from '../../support/probe.ts';
import { type Contender, OVERLAY } from '../contender.ts';
import { transfer } from '../transfer.ts';
import {
  type Bench,
  type Figure,
  isMain,
  type Sample,
  sampleOf,
  type Workload,
} from '../workload.ts';

const SECONDS = 4;

export const TCP_1 = tcpWorkload(1);
export const TCP_4: Workload = {
  ...tcpWorkload(4),
  takesQuick: isMain,
  // The own sender and receiver, which stand in for iperf3, have one flow.
  obstacle: () => missing({ commands: ['iperf3'] }),
};

function tcpWorkload(flows: number): Workload {
  const name = `tcp-${flows}`;
  const noun = flows === 1 ? 'flow' : 'flows';
  const figures: Figure[] = [
    { name, title: `TCP, ${flows} ${noun}, a to b`, unit: 'Gbit/s', digits: 2 },
    { name: `${name}-reverse`, title: `TCP, ${flows} ${noun}, b to a`, unit: 'Gbit/s', digits: 2 },
    { name: `${name}-cpu`, title: `CPU, ${flows} ${noun}, a to b`, unit: 's/GB', digits: 2 },
  ];
  return { name, figures, measure: (contender, bench) => measure(contender, bench, flows) };
}

async function measure(contender: Contender, bench: Bench, flows: number): Promise<Sample[]> {
  const overlay = await bench.overlay(contender);
  const { a, b } = overlay;
  const seconds = bench.quick ? 1 : SECONDS;
  const forth = await transfer({
    ...{ sender: a, receiver: b, flows, seconds },
    ...{ senderAddress: OVERLAY.a, receiverAddress: OVERLAY.b },
  });
  const name = `tcp-${flows}`;
  const { tool } = forth;
  const samples = [
    sampleOf(overlay, name, forth.bitsPerSecond / 1e9, { tool }),
    sampleOf(overlay, `${name}-cpu`, forth.cpuSecondsPerGigabyte, { tool }),
  ];
  if (bench.quick) return samples;
  const back = await transfer({
    ...{ sender: b, receiver: a, flows, seconds },
    ...{ senderAddress: OVERLAY.b, receiverAddress: OVERLAY.a },
  });
  return [...samples, sampleOf(overlay, `${name}-reverse`, back.bitsPerSecond / 1e9, { tool })];
}
