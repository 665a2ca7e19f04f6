import { afterEach, beforeEach, expect, test } from 'vitest';
import { libc } from '../../../src/linux/libc.ts';
import { mapArena, unmapArena } from '../../../src/linux/memory.ts';
import { linkByName, setLink } from '../../../src/linux/netlink-link.ts';
import { setOption } from '../../../src/linux/socket-option.ts';
import { closeTap, openTap, type Tap } from '../../../src/linux/tap.ts';
import { TapReader, TapWriter } from '../../../src/linux/tap-queue.ts';
import { IPPROTO_UDP, UDP_SEGMENT } from '../../../src/linux/uapi.ts';
import { closeSocket, openReceiveSocket } from '../../../src/linux/udp-socket.ts';
import { type Arena, ArenaAllocator } from '../../../src/packet/arena.ts';
import {
  DELIVERED,
  DELIVERY_REFUSED,
  DeliveryPlan,
  SUPER_FRAME_REFUSED,
} from '../../../src/packet/delivery-plan.ts';
import { FrameBatch } from '../../../src/packet/frame-batch.ts';
import { parseIp } from '../../../src/wire/ip.ts';
import { vnetBytes } from '../../support/data-path.ts';
import { dissect } from '../../support/dissect.ts';
import type { VnetHeader } from '../../support/memory-underlay.ts';
import { bytesOf, type TcpSpec, tcpFrame, udpFrame } from '../../support/packets.ts';
import { describeIf } from '../../support/requires.ts';
import { waitFor } from '../../support/wait.ts';
import { deleteLink, ip, uniqueName } from './names.ts';
import { drainSocket } from './underlay-fixture.ts';

const CAPACITY = 4;
const LOCAL = '198.51.100.1';
const FAR = '198.51.100.2';
const FAR_MAC = '02:00:00:00:00:02';

let arena: Arena;
let frames: FrameBatch;
let plan: DeliveryPlan;
let reader: TapReader;
let writer: TapWriter;
let tap: Tap;
let name: string;
let mac: string;
const sockets: number[] = [];

function start(): void {
  name = uniqueName();
  arena = mapArena(1 << 20);
  const memory = new ArenaAllocator(arena);
  frames = new FrameBatch(arena, memory.take(FrameBatch.bytesFor(CAPACITY)), CAPACITY);
  plan = new DeliveryPlan(arena, memory.take(DeliveryPlan.bytesFor(8, 64)), 8, 64);
  reader = new TapReader(frames);
  writer = new TapWriter(2);
  tap = openTap({ name, queues: 1, offload: true });
  writer.set(1, tap.fds[0]!);
  ip('link', 'set', name, 'addrgenmode', 'none');
  setLink(linkByName(name)!.index, { up: true });
  ip('address', 'add', `${LOCAL}/24`, 'dev', name);
  ip('neigh', 'add', FAR, 'lladdr', FAR_MAC, 'dev', name);
  const bytes = /link\/ether ([0-9a-f:]{17})/.exec(ip('link', 'show', name))!;
  mac = bytes[1]!;
}

function stop(): void {
  for (const fd of sockets.splice(0)) closeSocket(fd);
  closeTap(tap);
  deleteLink(name);
  unmapArena(arena);
}

function socket(): { fd: number; port: number } {
  const address = parseIp(LOCAL)!;
  const made = openReceiveSocket({ family: 4, address, port: 0, gro: false, reusePort: false });
  sockets.push(made.fd);
  return made;
}

/** Sends datagrams of these lengths to the neighbour behind the TAP. */
function send(fd: number, ...lengths: number[]): void {
  const destination = Buffer.from('020012b5c63364020000000000000000', 'hex');
  for (const length of lengths)
    expect(libc.sendto(fd, bytesOf(length, length), length, 0, destination, 16)).toBe(length);
}

/** The frames of the batch, behind their virtio_net_hdr. */
function read(): { vnet: Uint8Array; frame: Uint8Array }[] {
  return Array.from({ length: frames.count }, (_, index) => {
    const at = frames.slots[index]! + 6;
    const end = at + 10 + frames.lengths[index]!;
    return { vnet: arena.bytes.slice(at, at + 10), frame: arena.bytes.slice(at + 10, end) };
  });
}

describeIf({ root: true, tun: true, commands: ['ip'] }, 'TapReader', () => {
  beforeEach(start);
  afterEach(stop);

  test('reads what waits, each frame in a slot of its own, and says that there is no more', () => {
    const { fd } = socket();
    send(fd, 10, 1000, 60);
    expect(reader.read(tap.fds[0]!)).toBe(3);
    expect([reader.drained, reader.errno]).toEqual([true, 0]);
    const payloads = read().map(({ frame }) => dissect(frame).payload);
    expect(payloads).toEqual([10, 1000, 60].map((length) => bytesOf(length, length)));
    expect(reader.read(tap.fds[0]!)).toBe(0);
    expect([frames.count, reader.drained]).toEqual([0, true]);
  });

  test('stops when the batch is full and goes on with the next call', () => {
    const { fd } = socket();
    send(fd, 1, 2, 3, 4, 5, 6);
    expect([reader.read(tap.fds[0]!), reader.drained]).toEqual([CAPACITY, false]);
    expect([reader.read(tap.fds[0]!), reader.drained]).toEqual([2, true]);
    expect(read().map(({ frame }) => dissect(frame).payload.length)).toEqual([5, 6]);
  });

  test('reads a super-frame whole', () => {
    if (!tap.offloads.uso) return;
    const { fd } = socket();
    setOption(fd, IPPROTO_UDP, UDP_SEGMENT, 1200);
    send(fd, 30_000);
    expect(reader.read(tap.fds[0]!)).toBe(1);
    const [{ vnet, frame }] = read() as [{ vnet: Uint8Array; frame: Uint8Array }];
    const header = {
      flags: 1,
      gsoType: 5,
      hdrLen: 42,
      gsoSize: 1200,
      csumStart: 34,
      csumOffset: 6,
    };
    expect(vnet).toEqual(vnetBytes(header));
    expect(dissect(frame).payload).toEqual(bytesOf(30_000, 30_000));
  });

  test('says what is wrong when the device is gone', () => {
    deleteLink(name);
    expect(reader.read(tap.fds[0]!)).toBe(0);
    expect(reader.errno).not.toBe(0);
    expect(reader.drained).toBe(true);
  });
});

describeIf({ root: true, tun: true, commands: ['ip'] }, 'TapWriter', () => {
  beforeEach(start);
  afterEach(stop);

  const AT = 1 << 19;

  /** Writes one delivery of tunnel 1 and returns its result; `pieces` says how it is cut. */
  function write(frame: Uint8Array, vnet: Partial<VnetHeader> = {}, pieces: number[] = []): number {
    plan.clear();
    arena.bytes.set(frame, AT);
    const delivery = plan.begin(1, 0, AT, pieces[0] ?? frame.length);
    pieces.forEach((from, index) => {
      plan.extend(AT + from, (pieces[index + 1] ?? frame.length) - from, 0);
    });
    arena.bytes.set(vnetBytes(vnet), plan.vnet[delivery]);
    writer.write(plan);
    return plan.result[delivery]!;
  }

  function toHere(port: number, change: object = {}): TcpSpec {
    const ips = { sourceIp: FAR, destinationIp: LOCAL };
    return { ...ips, source: FAR_MAC, destination: mac, destinationPort: port, ...change };
  }

  test('hands frames to the stack', async () => {
    const { fd, port } = socket();
    expect(write(udpFrame(toHere(port, { payload: bytesOf(77) })))).toBe(DELIVERED);
    const got: Uint8Array[] = [];
    await waitFor(() => got.push(...drainSocket(fd)) > 0, { what: 'the datagram' });
    expect(got).toEqual([bytesOf(77)]);
  });

  test('hands a frame in pieces over as one, its checksum left to the stack', async () => {
    const { fd, port } = socket();
    const frame = udpFrame(toHere(port, { payload: bytesOf(900), checksum: 'partial' }));
    const vnet = { flags: 1, hdrLen: 42, csumStart: 34, csumOffset: 6 };
    expect(write(frame, vnet, [100, 101, 500])).toBe(DELIVERED);
    const got: Uint8Array[] = [];
    await waitFor(() => got.push(...drainSocket(fd)) > 0, { what: 'the datagram' });
    expect(got).toEqual([bytesOf(900)]);
  });

  const shapes: [string, TcpSpec][] = [
    ['IPv4', {}],
    ['IPv6', { family: 6, sourceIp: 'fd00::2', destinationIp: 'fd00::1' }],
    ['a VLAN', { vlans: [{ id: 5 }] }],
    ['two VLANs', { vlans: [{ tpid: 0x88a8, id: 5 }, { id: 6 }] }],
  ];

  test.each(shapes)('a super-frame of TCP over %s is one that the device takes', (_, shape) => {
    const change = { payload: bytesOf(5000), checksum: 'partial', ...shape };
    const frame = tcpFrame(toHere(9, change));
    const headers = dissect(frame).headers;
    const csumStart = headers - 20;
    const gsoType = shape.family === 6 ? 4 : 1;
    const vnet = { flags: 1, gsoType, hdrLen: headers, gsoSize: 1000, csumStart, csumOffset: 16 };
    expect(write(frame, vnet, [headers + 1000, headers + 2000])).toBe(DELIVERED);
  });

  test('tells a refused super-frame that was made here from one that came so', () => {
    const nonsense = { flags: 1, gsoType: 1, hdrLen: 54, csumStart: 34, csumOffset: 16 };
    const frame = tcpFrame(toHere(9, { payload: bytesOf(3000), checksum: 'partial' }));
    expect(write(frame, nonsense)).toBe(DELIVERY_REFUSED);
    expect(write(frame, nonsense, [1054])).toBe(SUPER_FRAME_REFUSED);
  });

  test('is refused by a device that is down, and by one that is not there', () => {
    const frame = udpFrame(toHere(9));
    writer.clear(1);
    expect(write(frame)).toBe(DELIVERY_REFUSED);
    writer.set(1, tap.fds[0]!);
    expect(write(frame)).toBe(DELIVERED);
    setLink(linkByName(name)!.index, { up: false });
    expect(write(frame)).toBe(DELIVERY_REFUSED);
    expect(write(tcpFrame(), { gsoType: 1, gsoSize: 50 }, [60])).not.toBe(DELIVERED);
  });

  test('goes on behind a delivery that was refused', async () => {
    const { fd, port } = socket();
    const frame = udpFrame(toHere(port));
    arena.bytes.set(frame, AT);
    for (const tunnel of [1, 0, 1]) plan.begin(tunnel, 0, AT, frame.length);
    writer.write(plan);
    expect([...plan.result.subarray(0, 3)]).toEqual([DELIVERED, DELIVERY_REFUSED, DELIVERED]);
    let count = 0;
    await waitFor(() => (count += drainSocket(fd).length) === 2, { what: 'both datagrams' });
  });
});
