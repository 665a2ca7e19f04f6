import { afterEach, beforeEach, expect, it } from 'vitest';

import { Agent } from '../support/agent.ts';
import { arpRequest, BROADCAST, ethernet, ip, onesSum, pseudoSum } from '../support/frames.ts';
import { PROTOCOL } from '../support/frames.ts';
import { type Host, Lab, waitFor } from '../support/lab.ts';
import { describeIf } from '../support/requires.ts';
import { fdbOf, startTunnel } from '../support/tunnels.ts';
import { hubOf, type HubHost } from '../support/underlay-hub.ts';
import { addKernelVxlan, type Vtepd } from '../support/vtepd.ts';

const VNI = 42;
const GUEST = '02:00:00:00:00:99';
const GUEST_IP = '10.0.0.9';
const ETHERTYPE_RARP = 0x8035;
const ND_NEIGHBOR_ADVERT = 136;
const INTERVAL_SECONDS = 0.05;
const PINGS_PER_SECOND = 1 / INTERVAL_SECONDS;
const REQUIREMENT = { namespaces: true, tun: true, kernelVxlan: true, commands: ['ping'] } as const;

/** What a host or its hypervisor says when an address has moved; one frame of it must be enough. */
const ANNOUNCEMENTS: Readonly<Record<string, Buffer>> = {
  'a gratuitous ARP': arpRequest(GUEST, GUEST_IP, GUEST_IP),
  'an unsolicited neighbour advertisement': unsolicitedAdvertisement(),
  'a RARP, as hypervisors send it': rarp(),
};

/** A guest that is now behind the bridge of `b`, now behind that of `c`. */
interface Guest {
  readonly host: Host;
  readonly link: string;
  readonly agent: Agent;
}

/** The daemon on `a` talks to the guest; `b` has the kernel's device and `c` a daemon. */
describeIf(REQUIREMENT, 'a MAC that moves between a kernel device and a daemon', () => {
  let lab: Lab;
  let a: HubHost;
  let b: HubHost;
  let c: HubHost;
  let daemon: Vtepd;
  let behind: { b: Guest; c: Guest };

  beforeEach(async () => {
    lab = new Lab();
    [a, b, c] = hubOf(lab, ['a', 'b', 'c']) as [HubHost, HubHost, HubHost];
    const addresses = ['10.0.0.1/24'];
    daemon = await startTunnel(a.host, {
      local: a.address,
      remotes: [b.address, c.address],
      addresses,
    });
    addKernelVxlan(b.host, { vni: VNI, local: b.address, remote: a.address, mtu: 1450 });
    await startTunnel(c.host, { local: c.address, remotes: [a.address] });
    behind = { b: await guestBehind(b.host, 'gb'), c: await guestBehind(c.host, 'gc') };
  });
  afterEach(async () => lab.close());

  async function guestBehind(host: Host, name: string): Promise<Guest> {
    const guest = lab.host(name);
    const { a: port, b: link } = lab.link(host, guest, { b: [`${GUEST_IP}/24`] });
    guest.ip('link', 'set', link, 'down');
    guest.ip('link', 'set', link, 'address', GUEST);
    host.ip('link', 'add', 'br0', 'type', 'bridge');
    for (const member of [port, 'vx42']) host.ip('link', 'set', member, 'master', 'br0');
    host.ip('link', 'set', 'br0', 'up');
    return { host: guest, link, agent: await Agent.start(guest) };
  }

  const dst = (): string | undefined => fdbOf(daemon).get(GUEST)?.dst;

  /** The address leaves the one place, appears at the other and is announced there. */
  async function move(from: Guest, to: Guest, announcement: Buffer): Promise<void> {
    from.host.ip('link', 'set', from.link, 'down');
    to.host.ip('link', 'set', to.link, 'up');
    await to.agent.inject(to.link, [announcement]);
  }

  for (const [name, announcement] of Object.entries(ANNOUNCEMENTS)) {
    it(`is followed within a second, with ${name}`, async () => {
      behind.b.host.ip('link', 'set', behind.b.link, 'up');
      await waitFor(() => a.host.exec('ping', '-n', '-c', '1', '-W', '1', GUEST_IP).status === 0, {
        what: 'the guest to answer',
      });
      expect(dst()).toBe(b.address);
      const words = ['-n', '-i', String(INTERVAL_SECONDS), '-c', '120', '-W', '1', GUEST_IP];
      const ping = a.host.spawn('ping', ...words);
      await waitFor(() => ping.output().includes('icmp_seq=10 '), { what: 'ping to run' });
      await move(behind.b, behind.c, announcement);
      await waitFor(() => dst() === c.address, { what: 'the move to the daemon' });
      await waitFor(() => ping.output().includes('icmp_seq=60 '), { what: 'ping to go on' });
      await move(behind.c, behind.b, announcement);
      await waitFor(() => dst() === b.address, { what: 'the move to the kernel' });
      await ping.ended;
      // What was lost in a row, in the time between two pings: the gap.
      expect(longestGap(ping.output(), 120), ping.output()).toBeLessThan(PINGS_PER_SECOND);
    });
  }
});

/** The most pings in a row, of `count`, that were not answered. */
function longestGap(output: string, count: number): number {
  const answered = new Set([...output.matchAll(/icmp_seq=(\d+) ttl/g)].map((match) => match[1]!));
  let gap = 0;
  let longest = 0;
  for (let sequence = 1; sequence <= count; sequence += 1) {
    gap = answered.has(String(sequence)) ? 0 : gap + 1;
    longest = Math.max(longest, gap);
  }
  return longest;
}

function unsolicitedAdvertisement(): Buffer {
  const options = { source: 'fe80::9', destination: 'ff02::1', protocol: PROTOCOL.icmp6 };
  const message = Buffer.alloc(24);
  message.writeUInt8(ND_NEIGHBOR_ADVERT, 0);
  // The flag O, override.
  message.writeUInt8(0x20, 4);
  message.writeUInt16BE(0xfe80, 8);
  message.writeUInt8(9, 23);
  const pseudo = Buffer.alloc(2);
  pseudo.writeUInt16BE(pseudoSum(options, message.length));
  message.writeUInt16BE(~onesSum(Buffer.concat([pseudo, message])) & 0xffff, 2);
  const addresses = { source: GUEST, destination: '33:33:00:00:00:01', type: 0x86dd };
  return ethernet(addresses, ip(options, message));
}

/** "Who am I?": Ethernet, IPv4, reverse request, RFC 903. */
function rarp(): Buffer {
  const mac = Buffer.from(GUEST.replaceAll(':', ''), 'hex');
  const fixed = Buffer.from([0, 1, 8, 0, 6, 4, 0, 3]);
  const payload = Buffer.concat([fixed, mac, Buffer.alloc(4), mac, Buffer.alloc(4)]);
  return ethernet({ source: GUEST, destination: BROADCAST, type: ETHERTYPE_RARP }, payload);
}
