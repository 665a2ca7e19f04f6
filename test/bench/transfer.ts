/** TCP flows between two hosts, and what they cost the machine. */
import { readFileSync } from 'node:fs';

import type { Child } from '../support/child.ts';
import { type Host, waitFor } from '../support/lab.ts';
import { throughput } from '../support/measure.ts';
import { findCommand } from '../support/probe.ts';

export interface TransferOptions {
  readonly sender: Host;
  readonly receiver: Host;
  readonly senderAddress: string;
  readonly receiverAddress: string;
  readonly flows: number;
  readonly seconds: number;
}

export interface TransferResult {
  readonly bitsPerSecond: number;
  /** CPU time of the whole machine while it ran, kernel and programs, by the gigabyte. */
  readonly cpuSecondsPerGigabyte: number;
  readonly tool: 'iperf3' | 'node';
}

const PORT = 5201;
/** USER_HZ: the unit of /proc/stat is the same on every machine. */
const TICKS_PER_SECOND = 100;

/** Sends for a while and counts what arrived. Several flows need iperf3. */
export async function transfer(options: TransferOptions): Promise<TransferResult> {
  const before = busySeconds();
  const { bytes, bitsPerSecond, tool } =
    findCommand('iperf3') === undefined ? await nodeTransfer(options) : await iperf(options);
  const cpuSecondsPerGigabyte = (busySeconds() - before) / (bytes / 1e9);
  return { bitsPerSecond, cpuSecondsPerGigabyte, tool };
}

interface Counted {
  readonly bytes: number;
  readonly bitsPerSecond: number;
  readonly tool: 'iperf3' | 'node';
}

/** The own sender and receiver of the test support: one flow. */
async function nodeTransfer(options: TransferOptions): Promise<Counted> {
  const { bytes, bitsPerSecond, tool } = await throughput({ ...options, tool: 'node' });
  return { bytes, bitsPerSecond, tool };
}

interface IperfReport {
  readonly error?: string;
  readonly end?: {
    readonly sum_received?: { readonly bytes: number; readonly bits_per_second: number };
  };
}

async function iperf(options: TransferOptions): Promise<Counted> {
  const { sender, receiver, receiverAddress, flows, seconds } = options;
  const server = await iperfServer(receiver, receiverAddress);
  const words = ['-t', String(seconds), '-P', String(flows), '-J'];
  const client = sender.spawn('iperf3', '-c', receiverAddress, '-p', String(PORT), ...words);
  await waitFor(() => !client.running, {
    timeoutMs: (seconds + 20) * 1_000,
    // Coarse: whoever watches shares the two cores with those who are watched.
    intervalMs: 100,
    what: () => `iperf3 to end; it wrote:\n${client.output()}`,
  });
  await server.stop();
  const report = JSON.parse(client.stdout() || '{}') as IperfReport;
  const received = report.end?.sum_received;
  if (received === undefined)
    throw new Error(`Measure a TCP transfer with iperf3: ${report.error ?? client.output()}`);
  return { bytes: received.bytes, bitsPerSecond: received.bits_per_second, tool: 'iperf3' };
}

/** One that serves one client. */
export async function iperfServer(host: Host, address: string): Promise<Child> {
  const words = ['-s', '-1', '--forceflush', '-B', address, '-p', String(PORT)];
  const server = host.spawn('iperf3', ...words);
  await waitFor(() => !server.running || server.output().includes('listening'), {
    what: 'iperf3 to listen',
  });
  return server;
}

/** A client that sends at a steady rate, paced by its kernel and not in bursts by its clock. */
export function startPacedTcp(
  host: Host,
  address: string,
  load: { readonly bitsPerSecond: number; readonly seconds: number },
): Child {
  const words = ['--fq-rate', String(load.bitsPerSecond), '-t', String(load.seconds), '-J'];
  return host.spawn('iperf3', '-c', address, '-p', String(PORT), ...words);
}

/** What a client of {@link startPacedTcp} got through until it was stopped, in bits per second. */
export function pacedRate(client: Child): number {
  const report = JSON.parse(client.stdout() || '{}') as IperfReport;
  return report.end?.sum_received?.bits_per_second ?? NaN;
}

/** Seconds that all cores together have been busy since the machine started. */
function busySeconds(): number {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user! + nice! + system! + irq! + softirq!) / TICKS_PER_SECOND;
}
