import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { BROADCAST, udpFrame, vxlan } from '../support/frames.ts';
import { Lab, type Host, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { dropsOf, fdbOf, linkAddress, startTunnel, tunnelOf } from '../support/tunnels.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import type { Vtepd } from '../support/vtepd.ts';

const VNI = 42;
const EVIL = '02:00:00:00:66:01';
const ZERO = '00:00:00:00:00:00';
const MULTICAST = '01:00:5e:00:00:01';
const I_FLAG = 0x0800_0000;
const TIMES = 5;
const FUZZ_ROUNDS = 4;
const FUZZ_LENGTHS = [...Array(96).keys(), 128, 512, 1400, 1472];

const REQUIREMENT = { namespaces: true, tun: true, commands: ['ping'] } as const;

interface BadInput {
  readonly what: string;
  readonly datagram: Buffer;
  readonly reason: string;
}

const BAD: readonly BadInput[] = [
  { what: 'an empty datagram', datagram: Buffer.alloc(0), reason: 'short' },
  { what: '7 bytes', datagram: vxlan(VNI, Buffer.alloc(0)).subarray(0, 7), reason: 'short' },
  { what: 'no I flag', datagram: vxlan(VNI, frameFrom(EVIL), 0), reason: 'no_i_flag' },
  {
    what: 'every flag but I',
    datagram: vxlan(VNI, frameFrom(EVIL), 0xf7ff_ffff),
    reason: 'no_i_flag',
  },
  { what: 'an unknown VNI', datagram: vxlan(43, frameFrom(EVIL)), reason: 'vni_unknown' },
  { what: 'the largest VNI', datagram: vxlan(0xffffff, frameFrom(EVIL)), reason: 'vni_unknown' },
  { what: 'VNI 0', datagram: vxlan(0, frameFrom(EVIL)), reason: 'vni_unknown' },
  { what: 'no frame', datagram: vxlan(VNI, Buffer.alloc(0)), reason: 'inner_short' },
  {
    what: '13 bytes of frame',
    datagram: vxlan(VNI, frameFrom(EVIL).subarray(0, 13)),
    reason: 'inner_short',
  },
  { what: 'a zero source MAC', datagram: vxlan(VNI, frameFrom(ZERO)), reason: 'smac_invalid' },
  {
    what: 'a multicast source MAC',
    datagram: vxlan(VNI, frameFrom(MULTICAST)),
    reason: 'smac_invalid',
  },
  {
    what: 'a broadcast source MAC',
    datagram: vxlan(VNI, frameFrom(BROADCAST)),
    reason: 'smac_invalid',
  },
];

for (const underlay of ['fast', 'portable'] as const) {
  describeIf(REQUIREMENT, `bad input on the ${underlay} underlay`, () => {
    let lab: Lab;
    let here: HubHost;
    let peer: HubHost;
    let daemon: Vtepd;
    let agents: { here: Agent; peer: Agent; stranger: Agent };

    beforeAll(async () => {
      lab = new Lab();
      const hosts = hubOf(lab, ['a', 'b', 'x']);
      [here, peer] = [hosts[0]!, hosts[1]!];
      const started = await Promise.all(hosts.map(({ host }) => Agent.start(host)));
      agents = { here: started[0]!, peer: started[1]!, stranger: started[2]! };
      const ends = [
        { local: here.address, remotes: [peer.address], addresses: ['10.0.0.1/24'] },
        { local: peer.address, remotes: [here.address], addresses: ['10.0.0.2/24'] },
      ] as const;
      const arguments_ = ['--underlay', underlay];
      daemon = await startTunnel(here.host, { ...ends[0], arguments: arguments_ });
      await startTunnel(peer.host, { ...ends[1], arguments: arguments_ });
    });
    afterAll(async () => lab.close());
    beforeEach(() => expect(daemon.child.running).toBe(true));

    const target = (): { address: string; port: number } => ({ address: here.address, port: 4789 });

    /** Sends while traffic flows, and waits until `reason` has grown by the number of datagrams. */
    async function expectDropped(
      from: Agent,
      datagrams: readonly Buffer[],
      reason: string,
    ): Promise<void> {
      const before = dropsOf(daemon)[reason] ?? 0;
      const learned = macs(daemon);
      const traffic = startPing(here.host);
      await from.sendUdp(target(), datagrams);
      await waitFor(() => (dropsOf(daemon)[reason] ?? 0) >= before + datagrams.length, {
        what: () => `${datagrams.length} more of ${reason} in ${JSON.stringify(dropsOf(daemon))}`,
      });
      expect(dropsOf(daemon)[reason]).toBe(before + datagrams.length);
      expect(macs(daemon)).toEqual(learned);
      await expectAllAnswered(traffic);
    }

    for (const { what, datagram, reason } of BAD) {
      it(`drops ${what} as ${reason}`, async () => {
        await expectDropped(agents.peer, Array<Buffer>(TIMES).fill(datagram), reason);
      });
    }

    it('drops what a stranger sends as remote_denied', async () => {
      const datagram = vxlan(VNI, frameFrom(EVIL));
      await expectDropped(agents.stranger, Array<Buffer>(TIMES).fill(datagram), 'remote_denied');
    });

    it('drops frames with the own MAC as own_mac, and says so once with a hint', async () => {
      const datagram = vxlan(VNI, frameFrom(linkAddress(here.host, 'vx42')));
      await expectDropped(agents.peer, Array<Buffer>(TIMES).fill(datagram), 'own_mac');
      await waitFor(() => daemon.log().includes('own mac heard'), { what: 'the warning' });
      await expectDropped(agents.peer, Array<Buffer>(TIMES).fill(datagram), 'own_mac');
      const lines = daemon
        .log()
        .split('\n')
        .filter((line) => line.includes('own mac heard'));
      expect(lines).toHaveLength(1);
      expect((JSON.parse(lines[0]!) as { hint: string }).hint).toContain('ip link set vx42');
    });

    it('ignores reserved bits: the frame passes', async () => {
      const received = tunnelOf(daemon).rx.packets;
      const source = '02:00:00:00:77:01';
      const all = vxlan(VNI, frameFrom(source), 0xffff_ffff, 0xff);
      const some = vxlan(VNI, frameFrom(source), I_FLAG | 0x0080_1234);
      await agents.peer.sendUdp(target(), [all, some]);
      await waitFor(() => tunnelOf(daemon).rx.packets >= received + 2, { what: 'two frames' });
      expect(fdbOf(daemon).get(source)?.dst).toBe(peer.address);
    });

    it('survives garbage of all lengths during a TCP transfer, and learns nothing of it', async () => {
      const learned = macs(daemon);
      const before = total(dropsOf(daemon));
      const { sink, port } = await agents.peer.call('tcpSink', { address: '10.0.0.2' });
      const bytes = 16 << 20;
      const request = { address: '10.0.0.2', port, bytes, timeoutMs: 20_000 };
      const sent = agents.here.call('tcpSource', request);
      const garbage = FUZZ_LENGTHS.flatMap((length) =>
        Array.from({ length: FUZZ_ROUNDS }, () => randomBytes(length)),
      );
      // Behind a right header, so that it reaches the frame's own checks; multicast, so that it stays out
      // of the FDB and every one of them is a drop.
      const framed = garbage.map((bytes) => {
        const frame = Buffer.from(bytes);
        if (frame.length > 6) frame[6]! |= 1;
        return vxlan(VNI, frame);
      });
      await agents.peer.sendUdp(target(), framed);
      await agents.stranger.sendUdp(target(), [...garbage, ...framed]);
      expect(await agents.peer.call('tcpResult', { sink, timeoutMs: 20_000 })).toEqual(await sent);
      await waitFor(() => total(dropsOf(daemon)) >= before + 2 * framed.length, {
        what: () => `${2 * framed.length} drops: ${JSON.stringify(dropsOf(daemon))}`,
      });
      expect(macs(daemon)).toEqual(learned);
    });

    it('survives inner packets whose headers lie about their lengths', async () => {
      const source = '02:00:00:00:77:02';
      const received = tunnelOf(daemon).rx.packets;
      const whole = frameFrom(source);
      // Every byte of the network and transport headers in turn, and every way to cut the frame short.
      const mangled = Array.from({ length: whole.length - 14 }, (_, index) => {
        const frame = Buffer.from(whole);
        frame[14 + index] = 0xff;
        return frame;
      });
      const cut = Array.from({ length: whole.length - 14 }, (_, index) =>
        whole.subarray(0, 14 + index),
      );
      const datagrams = [...mangled, ...cut].map((frame) => vxlan(VNI, frame));
      await agents.peer.sendUdp(target(), datagrams);
      await waitFor(() => tunnelOf(daemon).rx.packets >= received + datagrams.length, {
        what: () => `${datagrams.length} frames: ${JSON.stringify(tunnelOf(daemon))}`,
      });
      await expectAllAnswered(startPing(here.host));
    });

    it('has logged no exception', () => {
      expect(daemon.log()).not.toMatch(/"level":"error"|batch dropped|\bat .*\.js:\d+/);
    });
  });
}

function frameFrom(source: string): Buffer {
  return udpFrame(source, BROADCAST, 'bad input');
}

function macs(daemon: Vtepd): string[] {
  return [...fdbOf(daemon).keys()].sort();
}

function total(drops: Record<string, number>): number {
  return Object.values(drops).reduce((sum, count) => sum + count, 0);
}

function startPing(host: Host): ReturnType<Host['spawn']> {
  return host.spawn('ping', '-n', '-c', '10', '-i', '0.05', '-W', '2', '10.0.0.2');
}

async function expectAllAnswered(ping: ReturnType<Host['spawn']>): Promise<void> {
  await ping.wait();
  expect(ping.stdout()).toContain(' 0% packet loss');
}
