import { afterEach, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { Capture } from '../support/capture.ts';
import { BROADCAST, udpFrame } from '../support/frames.ts';
import { Lab } from '../support/lab.ts';
import { bytesOf, tcpFrame } from '../support/packets.ts';
import { describeIf } from '../support/requires.ts';
import { dropsOf, fdbOf, statusOf } from '../support/tunnels.ts';
import { vnetBytes } from '../support/data-path.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import { addKernelVxlan, startVtepd, type Vtepd } from '../support/vtepd.ts';

const GUEST = '02:00:00:00:00:99';
const REMOTE = '02:00:00:00:00:98';

function tagged(frame: Uint8Array, vid: number): Buffer {
  const tag = Buffer.from([0x81, 0, vid >> 8, vid & 0xff]);
  return Buffer.concat([frame.subarray(0, 12), tag, frame.subarray(12)]);
}

const requirement = {
  namespaces: true,
  tun: true,
  kernelVxlan: true,
  commands: ['tcpdump'],
} as const;

/** A daemon on `a` whose device carries VLANs; on `b` a device of the kernel for each VNI. */
describeIf(requirement, 'VLAN tags', () => {
  let lab: Lab;
  let a: HubHost;
  let b: HubHost;
  let agents: { a: Agent; b: Agent };

  beforeEach(async () => {
    lab = new Lab();
    [a, b] = hubOf(lab, ['a', 'b']) as [HubHost, HubHost];
    for (const { host } of [a, b]) {
      host.exec('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    }
    const started = await Promise.all([a, b].map(({ host }) => Agent.start(host)));
    agents = { a: started[0]!, b: started[1]! };
    for (const vni of [42, 1010, 1020]) {
      const words = { local: b.address, remote: a.address, extra: ['dev', 'eth0'] };
      addKernelVxlan(b.host, { name: `vx${vni}`, vni, ...words });
    }
  });
  afterEach(async () => lab.close());

  function start(...more: readonly string[]): Promise<Vtepd> {
    const words = ['--vni', '42', '--name', 'vx42', '--local', a.address, '--remote', b.address];
    return startVtepd(a.host, [...words, ...more]);
  }

  const map = ['--vlan-map', '10:1010', '--vlan-map', '20:1020'];

  it('name the VNI of a frame, both ways, with an FDB for each VLAN', async () => {
    const daemon = await start(...map);
    const names = ['vx42', 'vx1010', 'vx1020'];
    const there = await Promise.all(names.map((name) => Capture.start(b.host, name, 'udp')));
    const frames = names.map((_, i) => udpFrame(GUEST, BROADCAST, `to ${i}`, i));
    const [untagged, ten, twenty] = frames as [Buffer, Buffer, Buffer];
    await agents.a.inject('vx42', [untagged, tagged(ten, 10), tagged(twenty, 20), tagged(ten, 30)]);
    for (const [index, capture] of there.entries()) {
      expect(await capture.frames(1)).toEqual([frames[index]]);
    }
    expect(dropsOf(daemon)).toEqual({ vlan_tag: 1 });

    const here = await Capture.start(a.host, 'vx42', '');
    for (const name of names) await agents.b.inject(name, [udpFrame(REMOTE, BROADCAST, name)]);
    const received = await here.frames(3);
    const wanted = names.map((name) => udpFrame(REMOTE, BROADCAST, name));
    expect(received.map((frame) => frame.toString('hex')).toSorted()).toEqual(
      [wanted[0]!, tagged(wanted[1]!, 10), tagged(wanted[2]!, 20)]
        .map((frame) => frame.toString('hex'))
        .toSorted(),
    );

    const vlans = (daemon.json('fdb', 'show', 'dev', 'vx42') as { mac: string; vlan?: number }[])
      .filter(({ mac }) => mac === REMOTE)
      .map(({ vlan }) => vlan ?? 0);
    expect(vlans.toSorted()).toEqual([0, 10, 20]);
    expect(daemon.vtep('fdb', 'get', REMOTE, 'dev', 'vx42', 'vlan', '20').stdout).toContain(
      `${REMOTE} dev vx42 dst ${b.address} vlan 20 self`,
    );
    expect(daemon.vtep('fdb', 'flush', 'dev', 'vx42', 'vlan', '10', 'dynamic').status).toBe(0);
    expect(daemon.vtep('fdb', 'get', REMOTE, 'dev', 'vx42', 'vlan', '10').status).toBe(4);
    expect(fdbOf(daemon).has(REMOTE)).toBe(true);
    const words = [GUEST, 'dev', 'vx42', 'vlan', '20', 'dst', b.address, 'static'];
    expect(daemon.vtep('fdb', 'add', ...words).stderr).toBe('');
    expect(
      daemon.vtep('fdb', 'add', GUEST, 'dev', 'vx42', 'vlan', '30', 'dst', b.address).status,
    ).toBe(4);
    const tunnels = statusOf(daemon).tunnels.map(({ vni, vlan }) => [vni, vlan]);
    expect(tunnels).toEqual([
      [42, undefined],
      [1010, 10],
      [1020, 20],
    ]);
  });

  it('of a super-frame are taken off too: its segments arrive whole in the VNI', async () => {
    await start(...map);
    const payload = bytesOf(2500);
    const frame = tcpFrame({ payload, checksum: 'partial', source: GUEST, destination: BROADCAST });
    const header = { flags: 1, gsoType: 1, gsoSize: 1000, csumOffset: 16 };
    const vnet = vnetBytes({ ...header, csumStart: 38, hdrLen: 58 });
    const capture = await Capture.start(b.host, 'vx1010', 'tcp');
    const wrapped = Buffer.concat([vnet, tagged(frame, 10)]);
    await agents.a.call('inject', {
      interface: 'vx42',
      frames: [wrapped.toString('base64')],
      vnet: true,
    });
    const segments = await capture.frames(1);
    const bytes = Buffer.concat(segments.map((segment) => segment.subarray(54)));
    expect(bytes.equals(Buffer.from(payload))).toBe(true);
  });

  it('are stripped or dropped where a tunnel says so', async () => {
    const frame = udpFrame(GUEST, BROADCAST, 'tagged');
    const strip = await start('--vlan', 'strip');
    const capture = await Capture.start(b.host, 'vx42', 'udp or vlan');
    await agents.a.inject('vx42', [tagged(frame, 10)]);
    expect(await capture.frames(1)).toEqual([frame]);
    await agents.b.inject('vx42', [tagged(frame, 10)]);
    await expect.poll(() => dropsOf(strip)).toEqual({ vlan_tag: 1 });
    await strip.stop();
    const drop = await start('--vlan', 'drop');
    await agents.a.inject('vx42', [tagged(frame, 10)]);
    await expect.poll(() => dropsOf(drop)).toEqual({ vlan_tag: 1 });
  });
});
