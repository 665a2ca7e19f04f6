import { afterAll, beforeAll, expect, it } from 'vitest';

import { Agent, base64 } from '../support/agent.ts';
import { Capture } from '../support/capture.ts';
import {
  byFlow,
  checksumIsRight,
  deviceFrames,
  flowMac,
  MIX_FILTER,
  plainForDevice,
  train,
  wireFrames,
} from '../support/frame-mix.ts';
import { BROADCAST, udpFrame, vxlan } from '../support/frames.ts';
import { type Host, Lab, UNDERLAY, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { dropsOf, startTunnel, tunnelOf } from '../support/tunnels.ts';
import type { Vtepd } from '../support/vtepd.ts';

const REQUIREMENT = { namespaces: true, tun: true, commands: ['tcpdump', 'ethtool'] } as const;
const VNI = 42;
/** Fast with offloads is what is compared; the kernel's own segmentation serves where they are off. */
const WAYS = [
  { underlay: 'fast', offload: 'auto' },
  { underlay: 'portable', offload: 'auto' },
  { underlay: 'fast', offload: 'off' },
  { underlay: 'portable', offload: 'off' },
] as const;
type Way = (typeof WAYS)[number];

/** Everything that a run left, for comparison. */
interface Outcome {
  readonly flows: Record<string, string[]>;
  readonly traffic: unknown;
  readonly drops: Record<string, number>;
}

const BAD_SENT = [
  udpFrame('00:00:00:00:00:00', BROADCAST, 'zero'),
  udpFrame('01:00:5e:00:00:01', BROADCAST, 'multicast'),
];
const BAD_RECEIVED = [
  Buffer.alloc(0),
  vxlan(VNI, Buffer.alloc(13)),
  vxlan(VNI + 1, udpFrame(flowMac(90), BROADCAST, 'other VNI')),
  vxlan(VNI, udpFrame(flowMac(91), BROADCAST, 'no I flag'), 0),
  ...BAD_SENT.map((frame) => vxlan(VNI, frame)),
];
const TRAIN = 20;
const CHUNK = 40;
/** Of {@link deviceFrames}: six TCP super-frames of ten segments, and of UDP two of eight and two whole. */
const SEGMENTS = 6 * 10 + 2 * 8 + 2;

describeIf(REQUIREMENT, 'the fast and the portable underlay', () => {
  let lab: Lab;
  let a: Host;
  let agents: { a: Agent; b: Agent };
  let guest: Host;

  beforeAll(async () => {
    lab = new Lab();
    const hosts = lab.twoHosts();
    a = hosts.a;
    guest = lab.host('c');
    // Nobody shall say anything but the test.
    for (const host of [a, guest]) {
      host.exec('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    }
    const [first, second] = await Promise.all([Agent.start(hosts.a), Agent.start(hosts.b)]);
    agents = { a: first, b: second };
    // Behind a bridge whose other port has no offloads the kernel cuts merged frames up again.
    // Where the bridge hands packets to iptables it drops and trims some by itself.
    for (const family of ['ip', 'ip6']) {
      a.exec('sysctl', '-qw', `net.bridge.bridge-nf-call-${family}tables=0`);
    }
    a.ip('link', 'add', 'br0', 'type', 'bridge');
    a.ip('link', 'set', 'br0', 'up');
    const link = lab.link(a, guest);
    a.ip('link', 'set', link.a, 'master', 'br0');
    for (const feature of ['tx', 'tso', 'gso', 'txvlan'])
      a.exec('ethtool', '-K', link.a, feature, 'off');
  });
  afterAll(async () => lab.close());

  async function start({ underlay, offload }: Way): Promise<Vtepd> {
    const words = ['--underlay', underlay, '--offload', offload];
    return startTunnel(a, { local: UNDERLAY.a4, remotes: [UNDERLAY.b4], arguments: words });
  }

  /** What leaves for the underlay when the mix is given to the TAP. */
  async function transmit(way: Way, count: number): Promise<Outcome> {
    const daemon = await start(way);
    const { sink } = await agents.b.call('udpSink', { address: UNDERLAY.b4, port: 4789 });
    const device = [...deviceFrames(), ...plainForDevice([...wireFrames(), ...BAD_SENT])];
    await agents.a.inject('vx42', device, true);
    const datagrams = await agents.b.call('udpTake', { sink, count, timeoutMs: 2_000 });
    const { tx } = tunnelOf(daemon);
    const drops = dropsOf(daemon);
    await agents.b.call('udpClose', { sink });
    await daemon.stop();
    const payloads = datagrams.map(({ payload }) => Buffer.from(payload, 'base64'));
    const headers = new Set(payloads.map((payload) => payload.toString('hex', 0, 8)));
    expect([...headers]).toEqual([vxlan(VNI, Buffer.alloc(0)).toString('hex')]);
    return { flows: byFlow(payloads.map((payload) => payload.subarray(8))), traffic: tx, drops };
  }

  /** What arrives behind the TAP when the mix comes from the underlay. */
  async function receive(way: Way): Promise<Outcome> {
    const daemon = await start(way);
    a.ip('link', 'set', 'vx42', 'master', 'br0');
    const frames = wireFrames();
    const capture = await Capture.start(guest, 'eth0', MIX_FILTER);
    const to = { address: UNDERLAY.a4, port: 4789 };
    const datagrams = [...BAD_RECEIVED, ...frames.map((frame) => vxlan(VNI, frame))];
    // The portable underlay has the socket buffer that everybody gets: on a busy machine more than this
    // at once would overflow it.
    for (let at = 0; at < datagrams.length; at += CHUNK) {
      const chunk = datagrams.slice(at, at + CHUNK);
      await agents.b.sendUdp(to, chunk);
      await waitUntilHandled(daemon, at + chunk.length);
    }
    const joined = train(20, TRAIN).map((frame) => vxlan(VNI, frame));
    const payload = base64(Buffer.concat(joined));
    const segmentBytes = joined[0]!.length;
    await agents.b.call('udpSendSegmented', { ...to, payload, segmentBytes });
    await waitUntilHandled(daemon, datagrams.length + TRAIN);
    const captured = await capture.frames(frames.length + TRAIN);
    const { rx } = tunnelOf(daemon);
    const drops = dropsOf(daemon);
    // Else the comparison would be one of a thing with itself.
    const given = packetsGivenTo(a, 'vx42');
    if (way.offload === 'off') expect(given).toBe(rx.packets);
    else if (way.underlay === 'fast') expect(given, 'merged frames').toBeLessThan(rx.packets);
    await daemon.stop();
    return { flows: byFlow(captured), traffic: rx, drops };
  }

  it('leave the same datagrams and counters of the same frames', async () => {
    const wire = wireFrames();
    const outcomes: Outcome[] = [];
    for (const way of WAYS) outcomes.push(await transmit(way, wire.length + SEGMENTS));
    const [reference] = outcomes;
    for (const [index, outcome] of outcomes.entries()) {
      expect(outcome, JSON.stringify(WAYS[index])).toEqual(reference);
    }
    expect(reference!.drops).toEqual({ tx_smac_invalid: BAD_SENT.length });
    const count = Object.values(reference!.flows).flat().length;
    expect(count).toBe(wire.length + SEGMENTS);
    // Ordinary frames leave as they came; what the device was asked to finish is right.
    const { flows } = reference!;
    for (const [mac, frames] of Object.entries(byFlow(wire))) expect(flows[mac]).toEqual(frames);
    for (const flow of [31, 32, 33, 34]) {
      const frames = flows[flowMac(flow).replaceAll(':', '')]!;
      expect(frames.filter((frame) => !checksumIsRight(frame))).toEqual([]);
    }
  });

  it('deliver the same frames and counters of the same datagrams', async () => {
    const outcomes: Outcome[] = [];
    for (const way of WAYS) outcomes.push(await receive(way));
    const [reference] = outcomes;
    for (const [index, outcome] of outcomes.entries()) {
      expect(outcome, JSON.stringify(WAYS[index])).toEqual(reference);
    }
    // Merged on the way or not, every frame arrives as it was sent, in the order of its flow.
    expect(reference!.flows).toEqual(byFlow([...wireFrames(), ...train(20, TRAIN)]));
    expect(reference!.drops).toEqual({
      short: 1,
      inner_short: 1,
      vni_unknown: 1,
      no_i_flag: 1,
      smac_invalid: 2,
    });
  });
});

/** Until so many datagrams have been delivered or dropped. */
async function waitUntilHandled(daemon: Vtepd, count: number): Promise<void> {
  const handled = (): number =>
    Object.values(dropsOf(daemon)).reduce((sum, each) => sum + each, tunnelOf(daemon).rx.packets);
  await waitFor(() => handled() >= count, { what: () => `${count} datagrams: ${handled()}` });
}

/** How many frames, merged ones as one, a device has handed to the stack. */
function packetsGivenTo(host: Host, device: string): number {
  const [link] = JSON.parse(host.must('ip', '-j', '-s', 'link', 'show', 'dev', device)) as {
    stats64: { rx: { packets: number } };
  }[];
  return link!.stats64.rx.packets;
}
