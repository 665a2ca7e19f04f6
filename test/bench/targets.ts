/** What the daemon must reach, judged from one run. */
import type { Results } from './results.ts';

export interface Target {
  readonly title: string;
  /** In words, such as `at least 0.60`. */
  readonly wanted: string;
  /** Undefined when the run did not measure it. */
  readonly measured: string | undefined;
  readonly reached: boolean | undefined;
}

type Measure = (results: Results) => number | undefined;

interface Rule {
  readonly title: string;
  readonly measure: Measure;
  readonly limit: (results: Results) => number;
  readonly kind: 'at least' | 'at most';
  readonly unit?: string;
  readonly digits?: number;
}

const OURS = 'vtepd';
const RTT_P50_US = 35;
const RTT_P50_FACTOR = 5;

const against =
  (figure: string, reference: string, contender = OURS): Measure =>
  (results) =>
    results.ratio(figure, contender, reference);
const value =
  (figure: string): Measure =>
  (results) =>
    results.cell(figure, OURS)?.median;

function atLeast(title: string, limit: number, measure: Measure): Rule {
  return { title, measure, limit: () => limit, kind: 'at least', digits: 2 };
}

function atMost(title: string, limit: number, measure: Measure, unit = '', digits = 0): Rule {
  return { title, measure, limit: () => limit, kind: 'at most', unit, digits };
}

const RULES: readonly Rule[] = [
  atLeast('TCP, 1 flow, against the kernel with tunnel offload', 0.6, against('tcp-1', 'kernel')),
  atLeast(
    'TCP, 1 flow, against the kernel without tunnel offload',
    1.3,
    against('tcp-1', 'kernel-no-tso'),
  ),
  atLeast('TCP, 1 flow, against Open vSwitch userspace', 8, against('tcp-1', 'ovs')),
  atLeast(
    'TCP, 1 flow, offloads off, against Open vSwitch userspace',
    1,
    against('tcp-1', 'ovs', 'vtepd-no-offload'),
  ),
  atLeast('64-byte frames received, against the kernel', 0.9, against('frames-1', 'kernel')),
  atLeast(
    '64-byte frames received, against Open vSwitch userspace',
    1.5,
    against('frames-1', 'ovs'),
  ),
  {
    title: 'RTT p50, one packet in flight',
    measure: value('rtt-p50'),
    limit: (results) =>
      Math.max(RTT_P50_US, RTT_P50_FACTOR * (results.cell('rtt-p50', 'kernel')?.median ?? 0)),
    ...{ kind: 'at most', unit: ' us', digits: 1 },
  },
  atMost('RTT p99 under 1 Gbit/s of TCP, times its p50', 3, underLoad('rtt-tcp'), '', 2),
  atMost('RTT p99 under 1 Gbit/s of UDP, times its p50', 3, underLoad('rtt-udp'), '', 2),
  atLeast('broadcast to 1,000 remotes, copies against the kernel', 0.7, against('flood', 'kernel')),
  atLeast('transmit rate with 1 M FDB entries against 1 entry', 0.9, value('fdb-rate-ratio')),
  atMost('FDB lookup, 1 M entries, random keys', 60, value('lookup'), ' ns'),
  atMost('FDB memory', 64, value('entry-bytes'), ' bytes an entry', 1),
  atMost('loading 1 M static entries', 15, value('fdb-load'), ' s', 1),
  atMost('pings lost while loading', 0, value('fdb-load-lost')),
  atMost('vtep -j fdb show of 1 M entries', 8, value('fdb-show'), ' s', 1),
  atMost('start to READY, one tunnel', 400, value('ready'), ' ms'),
  atMost('resident memory, one tunnel, one worker, idle', 110, value('resident'), ' MB', 1),
  atMost('collections caused by forwarding 10^6 frames', 0, value('gc')),
  atMost('packets lost at 500 Mbit/s of 1400-byte UDP for 60 s', 0, value('loss')),
];

function underLoad(name: string): Measure {
  return (results) => results.quotient(`${name}-p99`, `${name}-p50`, OURS);
}

/** Every target, in the order of the issue. */
export function judge(results: Results): Target[] {
  return RULES.map((rule) => {
    const { title, kind, unit = '', digits = 0 } = rule;
    const measured = rule.measure(results);
    const limit = rule.limit(results);
    const isWhole = Number.isInteger(limit);
    const wanted = `${kind} ${limit.toFixed(isWhole ? 0 : Math.max(digits, 1))}${unit}`;
    if (measured === undefined) return { title, wanted, measured: undefined, reached: undefined };
    const reached = kind === 'at least' ? measured >= limit : measured <= limit;
    return { title, wanted, measured: `${measured.toFixed(digits)}${unit}`, reached };
  });
}
