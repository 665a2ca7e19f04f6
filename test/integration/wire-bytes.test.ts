import { afterAll, beforeAll, expect, it } from 'vitest';

import { Capture } from '../support/capture.ts';
import { ethernet, ETHERTYPE, udp } from '../support/frames.ts';
import { waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import {
  MATRIX_REQUIREMENT,
  TunnelBench,
  underlayAddresses,
  VNI,
} from '../support/tunnel-matrix.ts';
import { linkAddress, tunnelOf } from '../support/tunnels.ts';
import type { Vtepd } from '../support/vtepd.ts';

const FLOWS = 40;
const TCP_BYTES = 400_000;
const UNDERLAY_MTU = 1500;
const TAGGED = { source: '02:00:00:00:0a:01', destination: '02:00:00:00:0a:02', vlan: 100 };
/** Of TOS: DSCP 46 with each value of ECN that a sender may choose. */
const TOS = [0xb8, 0xb9, 0xba, 0xbb];

const FIELDS = [
  'udp.srcport',
  'udp.dstport',
  'udp.checksum',
  'udp.checksum.status',
  'ip.checksum.status',
  'tcp.checksum.status',
  'ip.flags.df',
  'ip.len',
  'ip.dsfield',
  'ipv6.tclass',
  'ipv6.plen',
  'vxlan.flags',
  'vxlan.gbp',
  'vxlan.vni',
  'vxlan.reserved8',
  'eth.src',
  'eth.dst',
  'eth.type',
  'vlan.id',
  'ip.src',
  'ipv6.src',
  'tcp.srcport',
  'tcp.len',
  'icmp.type',
  'icmpv6.type',
  'arp.opcode',
] as const;
type Packet = Record<(typeof FIELDS)[number], string[]>;

for (const underlay of [4, 6] as const) {
  const requirement = { ...MATRIX_REQUIREMENT, commands: ['ping', 'ethtool', 'tcpdump', 'tshark'] };
  describeIf(requirement, `the datagrams on the wire over IPv${underlay}`, () => {
    let bench: TunnelBench;
    let daemon: Vtepd;
    let packets: Packet[];

    // Without transmit offloads the capture shows what a wire carries: whole checksums, no super-frames.
    beforeAll(async () => {
      bench = await TunnelBench.open('tx off');
      const wanted = { a: 'fast', b: 'fast', underlay, offload: 'auto' } as const;
      ({ a: daemon } = await bench.join(wanted));
      const from = underlay === 4 ? 'ip src' : 'ip6 src';
      const filter = `${from} ${underlayAddresses(underlay).a} and udp dst port 4789`;
      const capture = await Capture.start(bench.b.host, 'eth0', filter);
      await sendOneOfEachKind(bench);
      await waitFor(() => capture.decode(['vlan.id'], 'vlan.id').length > 0, {
        what: 'the last frame in the capture',
      });
      await capture.stop();
      packets = capture.decode(FIELDS);
    });
    afterAll(async () => bench.lab.close());

    const kind = (field: keyof Packet, value?: string): Packet[] =>
      packets.filter((packet) => {
        const values = packet[field];
        return value === undefined ? values.length > 0 : values.includes(value);
      });

    it('hold one frame of each kind', () => {
      expect(kind('arp.opcode').length, 'ARP').toBeGreaterThan(0);
      expect(kind('icmp.type', '8').length, 'ICMP').toBeGreaterThan(0);
      expect(kind('icmpv6.type', '128').length, 'ICMPv6').toBeGreaterThan(0);
      expect(kind('icmpv6.type', '135').length, 'neighbour solicitation').toBeGreaterThan(0);
      expect(kind('tcp.srcport').length, 'TCP').toBeGreaterThan(TCP_BYTES / UNDERLAY_MTU);
      expect(udpFlows(packets).size, 'UDP').toBe(FLOWS);
      expect(kind('vlan.id', String(TAGGED.vlan)), 'VLAN').toHaveLength(1);
    });

    it('carry the VXLAN header with the I flag, the VNI and zeros', () => {
      for (const packet of packets) {
        const header = [packet['vxlan.flags'], packet['vxlan.gbp'], packet['vxlan.reserved8']];
        expect(header.flat().map(Number)).toEqual([0x0800, 0, 0]);
        expect(packet['vxlan.vni']).toEqual([String(VNI)]);
      }
    });

    it('have right checksums, inside and outside', () => {
      for (const packet of packets) {
        const statuses = ['udp', 'ip', 'tcp'] as const;
        const all = statuses.flatMap((name) => packet[`${name}.checksum.status`]);
        // 1 is tshark's "good"; 2, "unverified", would be one it was not told to check.
        expect(new Set(all), JSON.stringify(packet)).toEqual(new Set(['1']));
        expect(Number(packet['udp.checksum'][0])).not.toBe(0);
      }
    });

    it('carry the frames unchanged in their addresses and tags', () => {
      const mac = linkAddress(bench.a.host, 'vx42');
      for (const packet of kind('arp.opcode')) expect(packet['eth.src'][1]).toBe(mac);
      const [tagged] = kind('vlan.id');
      expect(tagged!['eth.src'][1]).toBe(TAGGED.source);
      expect(tagged!['eth.dst'][1]).toBe(TAGGED.destination);
      for (const packet of kind('icmp.type', '8')) expect(packet['ip.src'].at(-1)).toBe('10.0.0.1');
    });

    it('hold super-frames in segments that fit the underlay', () => {
      const { gso, tso } = tunnelOf(daemon).offload;
      expect({ gso, tso }).toEqual({ gso: 'on', tso: 'on' });
      for (const packet of packets) {
        const length =
          underlay === 4 ? Number(packet['ip.len'][0]) : Number(packet['ipv6.plen'][0]) + 40;
        expect(length).toBeLessThanOrEqual(UNDERLAY_MTU);
      }
      const sent = kind('tcp.srcport').reduce((sum, packet) => sum + Number(packet['tcp.len']), 0);
      expect(sent).toBeGreaterThanOrEqual(TCP_BYTES);
    });

    if (underlay === 4) {
      it('have DF set outside', () => {
        for (const packet of packets) expect(['1', 'True']).toContain(packet['ip.flags.df'][0]);
      });
    }

    it('come from a port of the dynamic range, one for each flow, several for many', () => {
      for (const packet of packets) {
        const port = Number(packet['udp.srcport'][0]);
        expect(port).toBeGreaterThanOrEqual(49152);
        expect(port).toBeLessThanOrEqual(65535);
        expect(packet['udp.dstport'][0]).toBe('4789');
      }
      const flows = udpFlows(packets);
      for (const [flow, ports] of flows) expect([...ports], `flow ${flow}`).toHaveLength(1);
      expect(new Set([...flows.values()].flatMap((ports) => [...ports])).size).toBeGreaterThan(4);
      // Also where the kernel moves a flow to the TAP queue of the worker that hears its answers.
      const ports = new Map<string, Set<string>>();
      for (const packet of kind('tcp.srcport')) {
        const flow = packet['tcp.srcport'][0]!;
        ports.set(flow, (ports.get(flow) ?? new Set()).add(packet['udp.srcport'][0]!));
      }
      for (const [flow, seen] of ports) expect([...seen], `TCP flow ${flow}`).toHaveLength(1);
    });

    it('copy ECN from the inner header and nothing else of TOS', () => {
      const seen = new Set<number>();
      for (const packet of packets.filter((each) => isMarked(each))) {
        const field = underlay === 4 ? packet['ip.dsfield'] : packet['ipv6.tclass'];
        const inner = Number((packet['ip.dsfield'].at(-1) ?? packet['ipv6.tclass'].at(-1))!);
        seen.add(inner);
        expect(Number(field[0])).toBe(inner & 3);
      }
      expect([...seen].sort((a, b) => a - b)).toEqual(TOS);
    });
  });
}

/** Marked frames are the pings that were sent with a TOS. */
function isMarked(packet: Packet): boolean {
  return packet['icmp.type'][0] === '8' && TOS.includes(Number(packet['ip.dsfield'].at(-1)));
}

/** Outer source ports by inner source port. */
function udpFlows(packets: readonly Packet[]): Map<string, Set<string>> {
  const flows = new Map<string, Set<string>>();
  for (const packet of packets) {
    const [outer, inner] = packet['udp.srcport'];
    if (inner === undefined || packet['vlan.id'].length > 0) continue;
    const ports = flows.get(inner) ?? new Set();
    flows.set(inner, ports.add(outer!));
  }
  return flows;
}

async function sendOneOfEachKind({ a, b }: TunnelBench): Promise<void> {
  const ping = ['-n', '-c', '2', '-i', '0.05', '-W', '2'];
  a.host.must('ping', ...ping, b.ip4);
  a.host.must('ping', ...ping, b.ip6);
  for (const tos of TOS) a.host.must('ping', ...ping, '-Q', String(tos), b.ip4);
  const { sink, port } = await b.agent.call('tcpSink', { address: b.ip4 });
  const request = { address: b.ip4, port, bytes: TCP_BYTES, timeoutMs: 10_000 };
  const sent = await a.agent.call('tcpSource', request);
  expect(await b.agent.call('tcpResult', { sink, timeoutMs: 10_000 })).toEqual(sent);
  for (let flow = 0; flow < FLOWS; flow += 1) {
    const to = { address: b.ip4, port: 9 };
    await a.agent.sendUdp(to, [Buffer.from('one'), Buffer.from('two')], {
      fromPort: 30_000 + flow,
    });
  }
  const addresses = { source: '10.9.0.1', destination: '10.9.0.2' };
  const packet = udp(addresses, { sourcePort: 5, destinationPort: 6 }, Buffer.from('tagged'));
  const { source, destination, vlan } = TAGGED;
  const frame = ethernet({ source, destination, type: ETHERTYPE.ipv4, vlans: [vlan] }, packet);
  await a.agent.inject('vx42', [frame]);
}
