import { describe, expect, test } from 'vitest';
import {
  MessageStage,
  type RemoteAddresses,
  STAGE_MESSAGES,
} from '../../../src/linux/message-stage.ts';
import { ArenaAllocator, heapArena } from '../../../src/packet/arena.ts';
import { TransmitPlan } from '../../../src/packet/transmit-plan.ts';
import { RemoteTable } from '../../../src/fdb/remotes.ts';
import { parseIp } from '../../../src/wire/ip.ts';

const BASE = 0x1000_0000;

interface Header {
  readonly name: string;
  readonly iovecs: number;
  readonly iovecCount: number;
  readonly control: string;
}

class Bench {
  readonly remotes = RemoteTable.create(4, 1);
  readonly plan: TransmitPlan;
  readonly stage: MessageStage;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(addresses?: RemoteAddresses) {
    const bytes = TransmitPlan.bytesFor(4) + MessageStage.bytesFor(4);
    const arena = { ...heapArena(bytes + 64), base: BASE };
    const memory = new ArenaAllocator(arena);
    this.#bytes = arena.bytes;
    this.#view = arena.view;
    this.plan = new TransmitPlan(arena, memory.take(TransmitPlan.bytesFor(4)), 4, 1);
    this.plan.laneSegments.fill(64);
    this.stage = new MessageStage(memory, addresses ?? this.remotes);
  }

  remote(text: string, port: number, scope = 0): number {
    return this.remotes.acquire({ tunnel: 0, address: parseIp(text)!, scope, port, vni: 1 });
  }

  /** What the kernel would read at a place. */
  header(place: number): Header {
    const view = this.#view;
    const at = this.stage.header(place);
    expect(this.stage.address(place)).toBe(BASE + at);
    const hex = (address: bigint, length: bigint): string => {
      const offset = Number(address) - BASE;
      return Buffer.from(this.#bytes.subarray(offset, offset + Number(length))).toString('hex');
    };
    return {
      name: hex(view.getBigUint64(at, true), BigInt(view.getUint32(at + 8, true))),
      iovecs: Number(view.getBigUint64(at + 16, true)),
      iovecCount: Number(view.getBigUint64(at + 24, true)),
      control: hex(view.getBigUint64(at + 32, true), view.getBigUint64(at + 40, true)),
    };
  }
}

const TOS_4 = '1400000000000000' + '00000000' + '01000000' + '02000000';
const TOS_6 = '1400000000000000' + '29000000' + '43000000' + '02000000';
const TTL_4 = '1400000000000000' + '00000000' + '02000000' + '09000000';
const HOP_LIMIT_6 = '1400000000000000' + '29000000' + '34000000' + '09000000';
const LABEL_6 = '1400000000000000' + '29000000' + '0b000000' + '000abcde';
const SEGMENT_100 = '1200000000000000' + '11000000' + '67000000' + '6400';

describe('write()', () => {
  test('points to the iovecs of the message and to the address of its remote', () => {
    const bench = new Bench();
    const remote = bench.remote('192.0.2.7', 4789);
    bench.plan.open(0, 0, remote, 0, 100);
    bench.plan.open(0, 0, bench.remote('192.0.2.8', 8472), 0, 100);
    bench.plan.add(1, 0, 60);
    bench.plan.add(1, 0, 40);
    bench.stage.write(bench.plan, 0, 5, 4, 0);
    bench.stage.write(bench.plan, 1, STAGE_MESSAGES - 1, 4, 0);
    expect(bench.header(5).name).toBe('020012b5c00002070000000000000000');
    expect(bench.header(STAGE_MESSAGES - 1)).toEqual({
      name: '02002118c00002080000000000000000',
      iovecs: BASE + bench.plan.iovecOffset[1]!,
      iovecCount: 2,
      control: '',
    });
    expect([bench.stage.messages[5], bench.stage.messages[STAGE_MESSAGES - 1]]).toEqual([0, 1]);
  });

  test('writes an IPv6 address with its scope', () => {
    const bench = new Bench();
    bench.plan.open(0, 0, bench.remote('fe80::1', 4789, 3), 0, 100);
    bench.stage.write(bench.plan, 0, 0, 6, 0);
    expect(bench.header(0).name).toBe(
      '0a0012b500000000' + 'fe800000000000000000000000000001' + '03000000',
    );
  });

  test('asks for TOS and segmentation only where they are wanted', () => {
    const bench = new Bench();
    const remote = bench.remote('192.0.2.7', 4789);
    const control = (tos: number, segments: number, family: number): string => {
      bench.plan.clear();
      for (let count = 0; count < segments; count += 1) bench.plan.open(0, 0, remote, tos, 100);
      bench.stage.write(bench.plan, 0, 0, family, 0);
      return bench.header(0).control;
    };
    // A control message takes 24 bytes, of which the last ones mean nothing.
    const starts = (text: string, ...parts: string[]): void => {
      expect(text).toHaveLength(parts.length * 48);
      parts.forEach((part, index) => {
        expect(text.slice(index * 48, index * 48 + part.length)).toBe(part);
      });
    };
    starts(control(2, 3, 4), TOS_4, SEGMENT_100);
    starts(control(2, 1, 4), TOS_4);
    starts(control(2, 1, 6), TOS_6);
    starts(control(0, 2, 4), SEGMENT_100);
    expect(control(0, 1, 4)).toBe('');
  });

  test('asks for TTL, flow label and device before segmentation, and for no label over IPv4', () => {
    const bench = new Bench();
    bench.plan.outerTtl = 9;
    bench.plan.outerFlowLabel = 0xabcde;
    const control = (remote: number, family: number, source: number): string => {
      bench.plan.clear();
      for (let count = 0; count < 2; count += 1) bench.plan.open(0, 0, remote, 2, 100);
      bench.stage.write(bench.plan, 0, 0, family, source);
      return bench.header(0).control;
    };
    const four = control(bench.remote('192.0.2.7', 4789, 5), 4, 0xc0000201 | 0);
    expect(four).toHaveLength((3 * 24 + 32) * 2);
    expect(four.slice(0, TOS_4.length)).toBe(TOS_4);
    expect(four.slice(48, 48 + TTL_4.length)).toBe(TTL_4);
    const pktinfo4 =
      '1c00000000000000' + '00000000' + '08000000' + '05000000' + 'c0000201' + '00000000';
    expect(four.slice(96, 96 + pktinfo4.length)).toBe(pktinfo4);
    expect(four.slice(160, 160 + SEGMENT_100.length)).toBe(SEGMENT_100);
    const six = control(bench.remote('fd00::7', 4789, 5), 6, 0);
    expect(six).toHaveLength((4 * 24 + 40) * 2);
    expect(six.slice(0, TOS_6.length)).toBe(TOS_6);
    expect(six.slice(48, 48 + HOP_LIMIT_6.length)).toBe(HOP_LIMIT_6);
    expect(six.slice(96, 96 + LABEL_6.length)).toBe(LABEL_6);
    const pktinfo6 = '2400000000000000' + '29000000' + '32000000' + '00'.repeat(16) + '05000000';
    expect(six.slice(144, 144 + pktinfo6.length)).toBe(pktinfo6);
    expect(six.slice(224, 224 + SEGMENT_100.length)).toBe(SEGMENT_100);
    // A link-local address has its device in the socket address.
    expect(control(bench.remote('fe80::7', 4789, 5), 6, 0)).toHaveLength(4 * 24 * 2);
  });

  test('notices that a row has got another remote', () => {
    const bench = new Bench();
    const first = bench.remote('192.0.2.7', 4789);
    const rows = [1, 2, 3].map((port) => bench.remote('192.0.2.1', port));
    expect(rows).toHaveLength(3);
    bench.plan.open(0, 0, first, 0, 100);
    bench.stage.write(bench.plan, 0, 0, 4, 0);
    bench.remotes.release(first);
    expect(bench.remote('192.0.2.9', 4789)).toBe(first);
    bench.stage.write(bench.plan, 0, 0, 4, 0);
    expect(bench.header(0).name).toBe('020012b5c00002090000000000000000');
  });

  test('keeps an address as long as the row has the same remote', () => {
    let reads = 0;
    const table = RemoteTable.create(4, 1);
    const address = parseIp('192.0.2.7')!;
    const row = table.acquire({ tunnel: 0, address, scope: 0, port: 1, vni: 1 });
    const bench = new Bench({
      capacity: 4,
      bytes: table.bytes,
      family: () => 4,
      port: () => 1,
      scope: () => 0,
      generation: () => 9,
      addressOffset: () => {
        reads += 1;
        return table.addressOffset(row);
      },
    });
    bench.plan.open(0, 0, row, 0, 100);
    for (const place of [0, 1, 2]) bench.stage.write(bench.plan, 0, place, 4, 0);
    expect(reads).toBe(1);
    expect(bench.header(2).name).toBe(bench.header(0).name);
  });
});
