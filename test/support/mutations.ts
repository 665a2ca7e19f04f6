/**
 * Malformed input, the same for the same seed: the frames of malformed-frames.ts, first cut off at every
 * length and with every byte of their headers overwritten in turn, then damaged at random in the ways that
 * parsers fall for.
 */
import { CORPUS } from './malformed-frames.ts';
import { concat, macBytes } from './packets.ts';

/** Headers are in front of this; behind it only random changes are made. */
const HEADER_BYTES = 130;
const ETHERNET_BYTES = 14;
const VXLAN_BYTES = 8;
const SOURCE_OFFSET = 6;
const EDGES = [0, 1, 2, 4, 7, 8, 15, 16, 0x1f, 0x3f, 0x40, 0x7f, 0x80, 0xf0, 0xfe, 0xff];

/** What becomes of a datagram, as far as its bytes alone say: a drop reason, or `passed`. */
export type Fate =
  | 'short'
  | 'no_i_flag'
  | 'vni_unknown'
  | 'reserved_bits'
  | 'inner_short'
  | 'smac_invalid'
  | 'own_mac'
  | 'passed';

export interface HostileOptions {
  /** VNIs of the datagrams; some get another one. */
  readonly vnis: readonly number[];
  /** MACs of the receiver's own devices; some frames get one as their source. */
  readonly ownMacs: readonly string[];
  readonly seed: number;
}

/** Endless hostile frames and datagrams. */
export class Hostile {
  readonly #options: HostileOptions;
  readonly #systematic: Iterator<Uint8Array, undefined> = systematic();
  #state: number;

  constructor(options: HostileOptions) {
    this.#options = options;
    this.#state = options.seed | 0;
  }

  /** 0..`limit` - 1; mulberry32. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** An inner frame, 0 bytes and more. */
  frame(): Uint8Array {
    const { value } = this.#systematic.next();
    if (value !== undefined && this.below(2) === 0) return value.slice();
    // The longest are rare: a datagram above the underlay's MTU costs as much as many others.
    const longest = this.below(64) === 0 ? CORPUS.length : CORPUS.length - 2;
    let frame: Uint8Array = CORPUS[this.below(longest)]!.slice();
    for (let times = 1 + this.below(3); times > 0; times -= 1) frame = this.#damage(frame);
    return frame;
  }

  /** A datagram for the port of a VTEP: mostly with a right VXLAN header, 0 bytes and more. */
  datagram(): Uint8Array {
    const frame = this.frame();
    const { vnis } = this.#options;
    const datagram = concat(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0), frame);
    const view = new DataView(datagram.buffer);
    view.setUint32(4, vnis[this.below(vnis.length)]! * 256);
    switch (this.below(32)) {
      case 0:
        return datagram.slice(0, this.below(VXLAN_BYTES));
      case 1:
        datagram[0] = this.below(256) & ~8;
        break;
      case 2:
        datagram[this.below(VXLAN_BYTES)]! ^= 1 << this.below(8);
        break;
      case 3:
        view.setUint32(4, this.below(0xff_ffff) * 256);
        break;
      case 4:
        // Generic protocol extension and group-based policy.
        datagram.set([this.below(256) | 8, this.below(256), this.below(256), this.below(256)]);
        break;
    }
    return datagram;
  }

  /** A datagram that a tunnel with `reserved-bits: strict` must drop by its first bytes alone. */
  invalid(): Uint8Array {
    const datagram = this.datagram();
    if (this.fate(datagram, true) !== 'passed') return datagram;
    const { ownMacs } = this.#options;
    switch (this.below(6)) {
      case 0:
        return datagram.slice(0, this.below(VXLAN_BYTES + ETHERNET_BYTES));
      case 1:
        datagram[0]! ^= 8;
        break;
      case 2:
        datagram[7] = 1 + this.below(255);
        break;
      case 3:
        datagram[VXLAN_BYTES + SOURCE_OFFSET]! |= 1;
        break;
      case 4:
        datagram.fill(0, VXLAN_BYTES + SOURCE_OFFSET, VXLAN_BYTES + SOURCE_OFFSET + 6);
        break;
      case 5:
        datagram.set(macBytes(ownMacs[0]!), VXLAN_BYTES + SOURCE_OFFSET);
        break;
    }
    return datagram;
  }

  /** What an allowed remote's datagram must come to; reserved bits count only when `strict`. */
  fate(datagram: Uint8Array, strict: boolean): Fate {
    if (datagram.length < VXLAN_BYTES) return 'short';
    if ((datagram[0]! & 8) === 0) return 'no_i_flag';
    const vni = datagram[4]! * 65_536 + datagram[5]! * 256 + datagram[6]!;
    if (!this.#options.vnis.includes(vni)) return 'vni_unknown';
    const rest = datagram[1]! | datagram[2]! | datagram[3]! | datagram[7]!;
    if (strict && (datagram[0] !== 8 || rest !== 0)) return 'reserved_bits';
    if (datagram.length < VXLAN_BYTES + ETHERNET_BYTES) return 'inner_short';
    const source = Buffer.from(datagram.subarray(14, 20));
    if ((source[0]! & 1) !== 0 || source.every((byte) => byte === 0)) return 'smac_invalid';
    const isOwn = this.#options.ownMacs.some((mac) => source.equals(macBytes(mac)));
    return isOwn ? 'own_mac' : 'passed';
  }

  #damage(frame: Uint8Array): Uint8Array {
    const { length } = frame;
    if (length === 0) return frame;
    const at = this.below(Math.min(length, HEADER_BYTES));
    const l3 = l3Of(frame);
    const set = (offset: number, value: number): void => {
      if (offset < length) frame[offset] = value;
    };
    switch (this.below(14)) {
      case 0:
        return frame.slice(0, this.below(length));
      case 1:
        for (let bits = 1 + this.below(8); bits > 0; bits -= 1) {
          frame[this.below(Math.min(length, HEADER_BYTES))]! ^= 1 << this.below(8);
        }
        return frame;
      case 2:
        set(at, EDGES[this.below(EDGES.length)]!);
        return frame;
      case 3:
        // Some off: lengths, offsets, counts.
        set(at, frame[at]! + [-8, -4, -1, 1, 4, 8][this.below(6)]!);
        return frame;
      case 4:
        // The version, or the length of the header.
        set(l3, this.below(256));
        return frame;
      case 5:
        // Total length or payload length of the packet, and what UDP and TCP say.
        set(l3 + [2, 3, 4, 5, 24, 25, 32, 44, 45, 52][this.below(10)]!, this.below(256));
        return frame;
      case 6: {
        // A run of options of length 0, 1 or 255.
        const value = [0, 1, 255][this.below(3)]!;
        for (let more = 0; more < 16; more += 1) set(at + more, value);
        return frame;
      }
      case 7:
        // Extension headers without end, tags without end.
        for (let more = l3 + 40; more < length; more += 8) {
          set(more, [0, 43, 60, 44][this.below(4)]!);
          set(more + 1, 0);
        }
        set(l3 + 6, 0);
        return frame;
      case 8: {
        const tags = new Uint8Array(4 * (1 + this.below(8)));
        for (let tag = 0; tag < tags.length; tag += 4) {
          tags.set(
            [
              ...[
                [0x81, 0],
                [0x88, 0xa8],
                [0x91, 0],
              ][this.below(3)]!,
              0,
              this.below(32),
            ],
            tag,
          );
        }
        return concat(frame.subarray(0, 12), tags, frame.subarray(12));
      }
      case 9:
        return concat(frame.subarray(0, at), frame.subarray(at + 1 + this.below(16)));
      case 10:
        return concat(frame.subarray(0, at), frame.subarray(Math.max(0, at - 16)));
      case 11:
        return concat(frame, new Uint8Array(this.below(64)).fill(this.below(256)));
      case 12: {
        const other = CORPUS[this.below(CORPUS.length - 2)]!;
        return concat(frame.subarray(0, at), other.subarray(Math.min(at, other.length)));
      }
      default:
        return this.#changeMac(frame);
    }
  }

  #changeMac(frame: Uint8Array): Uint8Array {
    if (frame.length < ETHERNET_BYTES) return frame;
    const { ownMacs } = this.#options;
    const random = Uint8Array.from({ length: 6 }, () => this.below(256));
    switch (this.below(4)) {
      case 0:
        frame[SOURCE_OFFSET]! |= 1;
        break;
      case 1:
        frame.fill(0, SOURCE_OFFSET, SOURCE_OFFSET + 6);
        break;
      case 2:
        frame.set(ownMacs.length > 0 ? macBytes(ownMacs[this.below(ownMacs.length)]!) : random, 6);
        break;
      case 3:
        frame.set(random, this.below(7));
        break;
    }
    return frame;
  }
}

/** Every way to cut a header short, and every byte of it at both ends of its range. */
function* systematic(): Generator<Uint8Array, undefined> {
  for (const frame of CORPUS) {
    const end = Math.min(frame.length, HEADER_BYTES);
    for (let length = 0; length < end; length += 1) yield frame.subarray(0, length);
    for (let at = ETHERNET_BYTES - 2; at < end; at += 1) {
      for (const value of [0, 0xff]) {
        const copy = frame.slice();
        copy[at] = value;
        yield copy;
      }
    }
  }
  return undefined;
}

function l3Of(frame: Uint8Array): number {
  let at = 12;
  while (at + 4 < frame.length && [0x8100, 0x88a8].includes(frame[at]! * 256 + frame[at + 1]!)) {
    at += 4;
  }
  return at + 2;
}
