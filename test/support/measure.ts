/** Reachability and throughput between two hosts of a lab, with ping and iperf3 or without them. */
import { join } from 'node:path';

import type { Child } from './child.ts';
import type { Host } from './host.ts';
import { distFolder } from './paths.ts';
import { findCommand } from './probe.ts';
import type { ProbeReport, TransferReport } from './traffic.ts';
import { waitFor } from './wait.ts';

export interface Reachability {
  readonly tool: 'ping' | 'node';
  readonly sent: number;
  readonly received: number;
  readonly meanMs: number;
}

export interface Throughput {
  readonly tool: 'iperf3' | 'node';
  readonly bytes: number;
  readonly seconds: number;
  /** As the receiver saw it. */
  readonly bitsPerSecond: number;
}

export interface ReachOptions {
  readonly from: Host;
  readonly to: Host;
  /** Address of `to`. */
  readonly address: string;
  /** Default 5. */
  readonly count?: number;
}

export interface ThroughputOptions {
  readonly sender: Host;
  readonly receiver: Host;
  /** Address of the sender with `node`, of the receiver with `iperf3`: both are needed. */
  readonly senderAddress: string;
  readonly receiverAddress: string;
  /** Default 3. */
  readonly seconds?: number;
  /** Default: iperf3 where it is installed. */
  readonly tool?: 'iperf3' | 'node';
}

const UDP_ECHO_PORT = 7007;
const TCP_PORT = 5201;

/** Asks the host at `address` a few times; with UDP datagrams and an answering Node where ping is missing. */
export async function reach(options: ReachOptions): Promise<Reachability> {
  const count = options.count ?? 5;
  if (findCommand('ping') !== undefined) return pingReach(options, count);
  const words = [options.address, String(UDP_ECHO_PORT)];
  const echo = options.to.spawn(process.execPath, trafficTool(), 'echo', ...words, '60');
  await listening(echo);
  const probe = options.from.spawn(
    process.execPath,
    trafficTool(),
    'probe',
    ...words,
    String(count),
  );
  await probe.wait(count * 1_000 + 15_000);
  await echo.stop();
  const report = JSON.parse(probe.stdout() || '{"sent":0,"received":0,"meanMs":0}') as ProbeReport;
  return { tool: 'node', ...report };
}

async function pingReach(options: ReachOptions, count: number): Promise<Reachability> {
  const { from, address } = options;
  const ping = from.spawn('ping', '-n', '-c', String(count), '-i', '0.2', '-W', '1', address);
  await ping.wait(count * 1_000 + 15_000);
  const output = ping.output();
  const received = Number(/(\d+) (?:packets )?received/.exec(output)?.[1] ?? 0);
  const meanMs = Number(/= [\d.]+\/([\d.]+)\//.exec(output)?.[1] ?? 0);
  return { tool: 'ping', sent: count, received, meanMs };
}

/** One TCP flow from `sender` to `receiver`. Rejects when it does not come to an end. */
export async function throughput(options: ThroughputOptions): Promise<Throughput> {
  const tool = options.tool ?? (findCommand('iperf3') === undefined ? 'node' : 'iperf3');
  return tool === 'iperf3' ? iperfThroughput(options) : nodeThroughput(options);
}

async function nodeThroughput(options: ThroughputOptions): Promise<Throughput> {
  const seconds = options.seconds ?? 3;
  const words = [options.senderAddress, String(TCP_PORT), String(seconds)];
  const send = options.sender.spawn(process.execPath, trafficTool(), 'send', ...words);
  await listening(send);
  const fetch = options.receiver.spawn(process.execPath, trafficTool(), 'fetch', ...words);
  await fetch.wait((seconds + 20) * 1_000);
  await send.stop();
  const line = fetch.stdout();
  if (line === '') throw new Error(`Measure a TCP transfer: ${fetch.stderr()}${send.stderr()}`);
  return { tool: 'node', ...(JSON.parse(line) as TransferReport) };
}

interface IperfReport {
  readonly error?: string;
  readonly end?: {
    readonly sum_received?: {
      readonly bytes: number;
      readonly seconds: number;
      readonly bits_per_second: number;
    };
  };
}

async function iperfThroughput(options: ThroughputOptions): Promise<Throughput> {
  const seconds = options.seconds ?? 3;
  const address = options.receiverAddress;
  const port = String(TCP_PORT);
  const server = options.receiver.spawn(
    'iperf3',
    '-s',
    '-1',
    '--forceflush',
    '-B',
    address,
    '-p',
    port,
  );
  await waitFor(() => server.output().includes('listening'), { what: 'iperf3 to listen' });
  const client = options.sender.spawn(
    ...(['iperf3', '-c', address, '-p', port, '-t', String(seconds), '-J'] as const),
  );
  await client.wait((seconds + 20) * 1_000);
  await server.stop();
  const report = JSON.parse(client.stdout() || '{}') as IperfReport;
  const received = report.end?.sum_received;
  if (received === undefined) {
    throw new Error(`Measure a TCP transfer with iperf3: ${report.error ?? client.output()}`);
  }
  const { bytes, bits_per_second: bitsPerSecond } = received;
  return { tool: 'iperf3', bytes, seconds: received.seconds, bitsPerSecond };
}

async function listening(child: Child): Promise<void> {
  await waitFor(() => !child.running || child.stdout().includes('listening'), {
    what: () => `${child.command} to listen`,
  });
  if (!child.running) throw new Error(`Run "${child.command}": ${child.output()}`);
}

function trafficTool(): string {
  return join(distFolder(), 'test', 'support', 'traffic.js');
}
