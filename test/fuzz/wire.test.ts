import { isIP } from 'node:net';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  foldChecksum,
  foldSum,
  sumBytes,
  sumPseudoIpv4,
  sumPseudoIpv6,
  updateChecksum16,
} from '../../src/wire/checksum.ts';
import * as ethernet from '../../src/wire/ethernet.ts';
import { formatIp, isIpv4Mapped, parseIp, parsePrefix } from '../../src/wire/ip.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import * as ipv6 from '../../src/wire/ipv6.ts';
import { formatMac, parseMac, readMacHigh, readMacLow, writeMac } from '../../src/wire/mac.ts';
import * as tcp from '../../src/wire/tcp.ts';
import * as udp from '../../src/wire/udp.ts';
import { readVlanId, readVlanPriority } from '../../src/wire/vlan.ts';
import * as vxlan from '../../src/wire/vxlan.ts';

const RUNS = { numRuns: 2000 };

/** Without it, fast-check makes arrays of ten elements at most, whatever their `maxLength`. */
const WHOLE = { size: 'max' } as const;

/**
 * Counts the inputs that a checker approved. A property that nothing reaches proves nothing: expectMany()
 * fails when hardly one input in two hundred was approved; the rarest kind is one in forty.
 */
class Approvals {
  readonly #counts = new Map<string, number>();

  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  expectMany(...kinds: string[]): void {
    for (const what of kinds) {
      expect(this.#counts.get(what) ?? 0, what).toBeGreaterThan(RUNS.numRuns / 200);
    }
  }
}

/** A view with nothing around its bytes: whoever reads one byte before or behind them throws. */
function tight(bytes: Uint8Array): DataView {
  return new DataView(Uint8Array.from(bytes).buffer);
}

/** Any bytes, of any length that matters to a header, with the first ones pushed towards `start`. */
function bytesFrom(...start: fc.Arbitrary<number>[]): fc.Arbitrary<Uint8Array> {
  const any = fc.uint8Array({ maxLength: 120, ...WHOLE });
  const pushed = fc.tuple(fc.tuple(...start), any).map(([head, rest]) => {
    return Uint8Array.from([...head, ...rest]);
  });
  return fc.oneof(any, pushed);
}

const byte = fc.nat(255);
const shortLength = [fc.constant(0), fc.nat(120)];

describe('checkers', () => {
  it('isVxlan() approves only what its readers can read', () => {
    const approvals = new Approvals();
    fc.assert(
      fc.property(bytesFrom(fc.constant(0x08)), (bytes) => {
        const view = tight(bytes);
        const valid = vxlan.isVxlan(view, 0, bytes.length);
        expect(valid).toBe(bytes.length >= 8 && (bytes[0]! & 0x08) !== 0);
        if (!valid) return;
        approvals.add('VXLAN');
        expect(vxlan.readVni(view, 0)).toBe((bytes[4]! << 16) | (bytes[5]! << 8) | bytes[6]!);
        vxlan.hasReservedBits(view, 0);
      }),
      RUNS,
    );
    approvals.expectMany('VXLAN');
  });

  it('l3Offset() finds only what is inside the frame, tags included', () => {
    const approvals = new Approvals();
    const tpid = fc.constantFrom([0x81, 0x00], [0x88, 0xa8], [0x08, 0x00]);
    const list = (length: number): fc.Arbitrary<number[]> =>
      fc.array(byte, { minLength: length, maxLength: length });
    const tagged = fc
      .tuple(list(12), tpid, list(2), tpid, list(2), tpid, list(6), fc.nat(28))
      .map(([macs, one, tci, two, tci2, three, rest, length]) =>
        Uint8Array.from([macs, one, tci, two, tci2, three, rest].flat().slice(0, length)),
      );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 40, ...WHOLE }), tagged), (bytes) => {
        const view = tight(bytes);
        const l3 = ethernet.l3Offset(view, 0, bytes.length);
        expect([-1, 14, 18, 22]).toContain(l3);
        expect(l3).toBeLessThanOrEqual(bytes.length);
        approvals.add(`L3 at ${l3}`);
        if (l3 < 0) return;
        const inner = ethernet.l3EtherType(view, l3);
        if (l3 < 22) expect(ethernet.isVlanEtherType(inner)).toBe(false);
        if (l3 > 14) expect(ethernet.isVlanEtherType(ethernet.readEtherType(view, 0))).toBe(true);
        for (let tag = 12; tag < l3 - 2; tag += 4) {
          expect(readVlanId(view, tag)).toBeLessThanOrEqual(4095);
          expect(readVlanPriority(view, tag)).toBeLessThanOrEqual(7);
        }
        readMacHigh(view, 6);
        readMacLow(view, 6);
      }),
      RUNS,
    );
    approvals.expectMany('L3 at -1', 'L3 at 14', 'L3 at 18', 'L3 at 22');
  });

  it('isIpv4() approves only what its readers and writers can reach', () => {
    const otherVersion = fc.constantFrom(0x05, 0x35, 0x55, 0x65, 0xc5);
    const anyLength = fc.integer({ min: 0x44, max: 0x4f });
    const firstByte = fc.oneof(fc.constant(0x45), anyLength, anyLength, otherVersion);
    const approvals = new Approvals();
    fc.assert(
      fc.property(bytesFrom(firstByte, byte, ...shortLength), (bytes) => {
        const valid = ipv4.isIpv4(tight(bytes), 0, bytes.length);
        const [version, words] = [(bytes[0] ?? 0) >>> 4, (bytes[0] ?? 0) & 0x0f];
        const total = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
        const fits = total >= words * 4 && total <= bytes.length;
        expect(valid).toBe(bytes.length >= 20 && version === 4 && words >= 5 && fits);
        if (!valid) return;
        approvals.add(bytes[0] === 0x45 ? 'IPv4' : 'IPv4 with options');
        const totalLength = ipv4.readIpv4TotalLength(tight(bytes), 0);
        expect(totalLength).toBeLessThanOrEqual(bytes.length);
        const view = tight(bytes.subarray(0, totalLength));
        expect(ipv4.ipv4HeaderLength(view, 0)).toBeLessThanOrEqual(totalLength);
        expect(ipv4.isIpv4(view, 0, totalLength)).toBe(true);
        ipv4.readIpv4Destination(view, 0);
        ipv4.isFragmentIpv4(view, 0);
        ipv4.writeIpv4Checksum(view, 0);
        expect(ipv4.ipv4ChecksumValid(view, 0)).toBe(true);
        ipv4.updateIpv4Tos(view, 0, ipv4.readIpv4Tos(view, 0) ^ 3);
        expect(ipv4.ipv4ChecksumValid(view, 0)).toBe(true);
      }),
      RUNS,
    );
    approvals.expectMany('IPv4', 'IPv4 with options');
  });

  it('isIpv6() approves only what its readers can reach, and the walk ends inside as a naive one does', () => {
    const approvals = new Approvals();
    const header = fc.constantFrom(0, 43, 44, 44, 60, 59, 6, 17, 58);
    const lengthByte = fc.constantFrom(0, 0, 0, 1, 2);
    const rest = fc.array(
      fc.tuple(header, lengthByte, fc.constantFrom(0, 0, 0, 8), fc.constantFrom(0, 1, 1, 8, 9)),
      { maxLength: 12, ...WHOLE },
    );
    const packets = fc
      .tuple(header, rest, fc.nat(7), fc.nat(60))
      .map(([next, chain, tail, cut]) => {
        const payload = chain.flatMap(([type, length, high, low]) => [
          type,
          length,
          high,
          low,
          0,
          0,
          0,
          0,
        ]);
        const all = [...payload, ...new Array<number>(tail).fill(0xa5)];
        const kept = all.slice(0, Math.max(0, cut < 12 ? all.length - cut : all.length));
        return Uint8Array.from([0x60, 0, 0, 0, 0, kept.length, next, 64, ...ADDRESSES, ...kept]);
      });
    fc.assert(
      fc.property(
        fc.oneof(
          packets,
          bytesFrom(fc.constantFrom(0x60, 0x50, 0x20, 0xe0), byte, byte, byte, ...shortLength),
        ),
        (bytes) => {
          const valid = ipv6.isIpv6(tight(bytes), 0, bytes.length);
          const needed = 40 + (((bytes[4] ?? 0) << 8) | (bytes[5] ?? 0));
          expect(valid).toBe((bytes[0] ?? 0) >>> 4 === 6 && needed <= bytes.length);
          if (!valid) return;
          const end = 40 + ipv6.readIpv6PayloadLength(tight(bytes), 0);
          expect(end).toBeLessThanOrEqual(bytes.length);
          const view = tight(bytes.subarray(0, end));
          const found = {
            offset: ipv6.ipv6L4Offset(view, 0, end),
            protocol: ipv6.ipv6L4Protocol(view, 0, end),
            first: ipv6.isFirstFragmentIpv6(view, 0, end),
          };
          approvals.add(
            found.offset < 0 ? 'no L4' : found.offset > 40 ? 'L4 behind headers' : 'L4',
          );
          if (found.first) approvals.add('first fragment');
          expect(found).toEqual(naiveWalk([...bytes.subarray(0, end)]));
          expect(found.offset).toBeLessThanOrEqual(end);
        },
      ),
      RUNS,
    );
    approvals.expectMany('no L4', 'L4', 'L4 behind headers', 'first fragment');
  });

  it('isTcp() approves only what its readers can reach', () => {
    const approvals = new Approvals();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 70, ...WHOLE }),
        fc.oneof(fc.constant(5), fc.nat(15)),
        (bytes, words) => {
          if (bytes.length > 12) bytes[12] = (words << 4) | (bytes[12]! & 0x0f);
          const valid = tcp.isTcp(tight(bytes), 0, bytes.length);
          expect(valid).toBe(bytes.length >= 20 && words >= 5 && words * 4 <= bytes.length);
          if (!valid) return;
          approvals.add(words === 5 ? 'TCP' : 'TCP with options');
          const view = tight(bytes.subarray(0, words * 4));
          expect(tcp.tcpHeaderLength(view, 0)).toBe(words * 4);
          expect(tcp.readTcpChecksum(view, 0)).toBe((bytes[16]! << 8) | bytes[17]!);
        },
      ),
      RUNS,
    );
    approvals.expectMany('TCP', 'TCP with options');
  });

  it('isUdp() approves only what its readers can reach', () => {
    const start = [byte, byte, byte, byte, ...shortLength];
    const approvals = new Approvals();
    fc.assert(
      fc.property(bytesFrom(...start), (bytes) => {
        const valid = udp.isUdp(tight(bytes), 0, bytes.length);
        if (!valid) return;
        approvals.add('UDP');
        const length = udp.readUdpLength(tight(bytes), 0);
        expect(length).toBeLessThanOrEqual(bytes.length);
        const view = tight(bytes.subarray(0, length));
        expect(udp.readUdpChecksum(view, 0)).toBe((bytes[6]! << 8) | bytes[7]!);
      }),
      RUNS,
    );
    approvals.expectMany('UDP');
  });

  it('answer the same wherever in memory the bytes stand', () => {
    const approvals = new Approvals();
    const any = fc.oneof(
      bytesFrom(fc.constant(0x45), byte, ...shortLength),
      bytesFrom(fc.constant(0x60), byte, byte, byte, ...shortLength),
      bytesFrom(fc.constant(0x08), byte, byte, byte, ...shortLength),
    );
    const all = {
      isIpv4: ipv4.isIpv4,
      isIpv6: ipv6.isIpv6,
      isTcp: tcp.isTcp,
      isUdp: udp.isUdp,
      isVxlan: vxlan.isVxlan,
    };
    fc.assert(
      fc.property(any, fc.nat(9), (bytes, at) => {
        const moved = new Uint8Array(bytes.length + at + 9).fill(0xa5);
        moved.set(bytes, at);
        const [here, there] = [tight(bytes), tight(moved)];
        for (const [name, check] of Object.entries(all)) {
          const answer = check(here, 0, bytes.length);
          if (answer) approvals.add(name);
          expect(check(there, at, bytes.length), name).toBe(answer);
        }
        const l3 = ethernet.l3Offset(here, 0, bytes.length);
        expect(ethernet.l3Offset(there, at, bytes.length)).toBe(l3 < 0 ? -1 : l3 + at);
      }),
      RUNS,
    );
    approvals.expectMany(...Object.keys(all));
  });
});

const ADDRESSES = new Array<number>(32).fill(0x20);

/** The walk over IPv6 extension headers as RFC 8200 §4 tells it, cutting pieces off a list. */
function naiveWalk(packet: number[]): { offset: number; protocol: number; first: boolean } {
  const nothing = { offset: -1, protocol: -1, first: false };
  let rest = packet.slice(40);
  let next = packet[6]!;
  let first = false;
  for (let count = 0; [0, 43, 44, 60].includes(next); count += 1) {
    if (count === 8 || rest.length < 8) return nothing;
    const length = next === 44 ? 8 : (rest[1]! + 1) * 8;
    if (length > rest.length) return nothing;
    if (next === 44 && (rest[2]! !== 0 || rest[3]! >= 8)) return nothing;
    first ||= next === 44 && rest[3]! % 2 === 1;
    next = rest[0]!;
    rest = rest.slice(length);
  }
  return next === 59 ? nothing : { offset: packet.length - rest.length, protocol: next, first };
}

/** Ones'-complement sum as RFC 1071 §1 tells it: big-endian words, carry by carry. */
function naiveSum(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum = (sum & 0xffff) + 1;
  }
  return sum;
}

/** Bytes of every short length and of a frame's; runs of ff and 00 make the carries that matter. */
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 70, ...WHOLE }),
  fc.uint8Array({ minLength: 100, maxLength: 1600, ...WHOLE }),
  fc.tuple(fc.constantFrom(0, 0xff), fc.nat(1600)).map(([value, length]) => {
    return new Uint8Array(length).fill(value);
  }),
);

describe('checksums', () => {
  it('equal a naive sum at any alignment and length, in one go or in two', () => {
    fc.assert(
      fc.property(payload, fc.nat(17), fc.nat(2000), (bytes, at, split) => {
        const memory = new Uint8Array(bytes.length + at + 3).fill(0xff);
        memory.set(bytes, at);
        const view = tight(memory);
        const expected = naiveSum(bytes);
        const whole = sumBytes(view, at, bytes.length, 0);
        expect(foldSum(whole)).toBe(expected);
        expect(foldChecksum(whole)).toBe(expected ^ 0xffff);
        const even = Math.min(split, bytes.length) & ~1;
        const first = sumBytes(view, at, even, 0);
        expect(foldSum(sumBytes(view, at + even, bytes.length - even, first))).toBe(expected);
      }),
      RUNS,
    );
  });

  it('never read outside the bytes that they sum', () => {
    fc.assert(
      fc.property(payload, (bytes) => {
        sumBytes(tight(bytes), 0, bytes.length, 0);
      }),
      RUNS,
    );
  });

  it('equal a naive sum over a pseudo-header that was written out', () => {
    const header = fc.uint8Array({ minLength: 40, maxLength: 40 });
    const word = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];
    fc.assert(
      fc.property(header, byte, fc.nat(0xffff), (bytes, protocol, length) => {
        const four = [...bytes.subarray(12, 20), 0, protocol, ...word(length)];
        expect(foldSum(sumPseudoIpv4(tight(bytes.subarray(0, 20)), 0, protocol, length))).toBe(
          naiveSum(four),
        );
        const six = [...bytes.subarray(8, 40), 0, 0, ...word(length), 0, 0, 0, protocol];
        expect(foldSum(sumPseudoIpv6(tight(bytes), 0, protocol, length))).toBe(naiveSum(six));
      }),
      RUNS,
    );
  });

  it('updated by the difference of one word equal those computed anew', () => {
    const words = fc.array(fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0xffff)), {
      minLength: 1,
      maxLength: 30,
      ...WHOLE,
    });
    fc.assert(
      fc.property(words, fc.nat(99), fc.nat(0xffff), (list, index, word) => {
        const at = index % list.length;
        const changed = list.with(at, word);
        // No header that has a checksum is all zeros; RFC 1624 §3 leaves that case out too.
        fc.pre(changed.some((value) => value !== 0));
        const checksum = (values: number[]): number =>
          naiveSum(values.flatMap((value) => [value >>> 8, value & 0xff])) ^ 0xffff;
        expect(updateChecksum16(checksum(list), list[at]!, word)).toBe(checksum(changed));
      }),
      RUNS,
    );
  });
});

describe('text', () => {
  const group = fc.oneof(fc.constant(0), fc.constant(0), fc.nat(0xffff));
  const groups = fc.array(group, { minLength: 8, maxLength: 8 });
  const toBytes = (list: number[]): Uint8Array =>
    Uint8Array.from(list.flatMap((value) => [value >>> 8, value & 0xff]));
  const address = fc.oneof(
    groups.map(toBytes),
    fc.tuple(group, group).map((last) => toBytes([0, 0, 0, 0, 0, 0xffff, ...last])),
  );

  it('of an address gives the same 16 bytes back', () => {
    fc.assert(
      fc.property(address, (bytes) => {
        const text = formatIp(bytes);
        expect(parseIp(text)).toEqual(bytes);
        expect(isIP(text)).toBe(isIpv4Mapped(bytes) ? 4 : 6);
      }),
      RUNS,
    );
  });

  it('of an IPv6 address is the one that the URL standard writes too', () => {
    fc.assert(
      fc.property(groups.map(toBytes), (bytes) => {
        fc.pre(!isIpv4Mapped(bytes));
        const spelled = [...Buffer.from(bytes).toString('hex').matchAll(/.{4}/g)].join(':');
        expect(`[${formatIp(bytes)}]`).toBe(new URL(`http://[${spelled}]`).hostname);
      }),
      RUNS,
    );
  });

  it('of an address in any spelling parses as the URL standard parses it', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const bytes = parseIp(text) ?? expect.fail(`${text} did not parse`);
        const spelled = [...Buffer.from(bytes).toString('hex').matchAll(/.{4}/g)].join(':');
        const hostname = (host: string): string => new URL(`http://[${host}]`).hostname;
        expect(hostname(spelled)).toBe(hostname(text));
      }),
      RUNS,
    );
  });

  it('of a prefix keeps address and length', () => {
    fc.assert(
      fc.property(address, fc.nat(128), (bytes, number) => {
        const family = isIpv4Mapped(bytes) ? 4 : 6;
        const length = family === 4 ? number % 33 : number;
        const parsed = parsePrefix(`${formatIp(bytes)}/${length}`);
        expect(parsed).toEqual({ address: bytes, length, family });
      }),
      RUNS,
    );
  });

  it('of a MAC gives the same two numbers back, as do its bytes', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffff_ffff), (high, low) => {
        const text = formatMac(high, low);
        expect(text).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
        expect(parseMac(text)).toEqual({ high, low });
        expect(parseMac(text.toUpperCase().replaceAll(':', '-'))).toEqual({ high, low });
        const view = tight(new Uint8Array(6));
        writeMac(view, 0, high, low);
        expect([readMacHigh(view, 0), readMacLow(view, 0)]).toEqual([high, low]);
      }),
      RUNS,
    );
  });

  it('of any kind never throws, and what parses is canonical after one round', () => {
    const letters = fc.constantFrom(...'0123456789abcdefABCDEF:.-/%[]+ x');
    const near = fc.array(letters, { maxLength: 45, ...WHOLE }).map((list) => list.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), near, fc.ipV4(), fc.ipV6()), (text) => {
        const bytes = parseIp(text);
        expect(bytes !== undefined).toBe(isIP(text) !== 0 && !text.includes('%'));
        if (bytes !== undefined) expect(parseIp(formatIp(bytes))).toEqual(bytes);
        const mac = parseMac(text);
        if (mac !== undefined) expect(parseMac(formatMac(mac.high, mac.low))).toEqual(mac);
        const prefix = parsePrefix(text);
        if (prefix !== undefined) expect(prefix.address).toHaveLength(16);
      }),
      RUNS,
    );
  });
});
