import type { UnderlayAddress } from './config.ts';
import type { Values } from './read-mapping.ts';
import type { TUNNEL_SHAPE } from './schema.ts';

/** How the outer headers of a tunnel's datagrams look, and which ones it takes. */
export interface OuterConfig {
  /** TTL or hop limit, 1..255; `inherit` is that of the inner IP packet, `auto` the route's default. */
  readonly ttl: number | 'inherit' | 'auto';
  /** TOS or traffic class without its two ECN bits, which RFC 6040 decides; `inherit` is the inner one. */
  readonly tos: number | 'inherit';
  readonly dontFragment: DontFragment;
  /** Datagrams that are larger than the path are fragmented here, against RFC 7348 section 4.3. */
  readonly fragment: boolean;
  /** 0..2^20-1; `inherit` is that of the inner IPv6 packet, `auto` the kernel's hash of the outer flow. */
  readonly flowLabel: number | 'inherit' | 'auto';
  /** UDP checksums over IPv4. */
  readonly udpChecksum: boolean;
  /** Datagrams leave over IPv6 with a UDP checksum of zero (RFC 6935). */
  readonly zeroChecksum6Tx: boolean;
  /** Such datagrams are taken. */
  readonly zeroChecksum6Rx: boolean;
  /** The underlay device that all sockets are bound to. */
  readonly link: string | undefined;
  readonly reservedBits: ReservedBits;
}

export const DONT_FRAGMENT = ['set', 'unset', 'inherit'] as const;
/** DF of the outer IPv4 header; `inherit` is that of the inner one. */
export type DontFragment = (typeof DONT_FRAGMENT)[number];

/** Bits of the VXLAN header, its two words as signed 32-bit numbers, that must be zero on receive. */
export interface ReservedBits {
  readonly first: number;
  readonly second: number;
}

export const TTL_MAX = 255;
export const TOS_MAX = 252;
export const FLOW_LABEL_MAX = 0xf_ffff;

export const CHECKSUMS = ['udp', 'zero-udp6-tx', 'zero-udp6-rx'] as const;

/** What RFC 7348 section 5 asks for: nothing is looked at. */
export const RESERVED_IGNORE: ReservedBits = { first: 0, second: 0 };
/** Every bit but the I flag and the VNI, as the Linux kernel does: 0xf7ffffff000000ff. */
export const RESERVED_STRICT: ReservedBits = { first: 0xf7ff_ffff | 0, second: 0xff };

export const DEFAULT_OUTER: OuterConfig = {
  ttl: 'auto',
  tos: 0,
  dontFragment: 'set',
  fragment: false,
  flowLabel: 'auto',
  udpChecksum: true,
  zeroChecksum6Tx: false,
  zeroChecksum6Rx: false,
  link: undefined,
  reservedBits: RESERVED_IGNORE,
};

/** The settings of a tunnel without problems, defaults filled in. */
export function resolveOuter(values: Values<typeof TUNNEL_SHAPE>): OuterConfig {
  const checksums = values.checksums?.items.map(({ value }) => value);
  return {
    ttl: values.ttl?.value ?? DEFAULT_OUTER.ttl,
    tos: values['type-of-service']?.value ?? DEFAULT_OUTER.tos,
    dontFragment: values['do-not-fragment']?.value ?? DEFAULT_OUTER.dontFragment,
    fragment: values.fragment?.value ?? DEFAULT_OUTER.fragment,
    flowLabel: values['flow-label']?.value ?? DEFAULT_OUTER.flowLabel,
    // A list that is given says it all.
    udpChecksum: checksums?.includes('udp') ?? DEFAULT_OUTER.udpChecksum,
    zeroChecksum6Tx: checksums?.includes('zero-udp6-tx') ?? DEFAULT_OUTER.zeroChecksum6Tx,
    zeroChecksum6Rx: checksums?.includes('zero-udp6-rx') ?? DEFAULT_OUTER.zeroChecksum6Rx,
    link: values.link?.value,
    reservedBits: values['reserved-bits']?.value ?? DEFAULT_OUTER.reservedBits,
  };
}

/** The word or number for {@link ReservedBits}, as the configuration takes it. */
export function reservedBitsText({ first, second }: ReservedBits): string {
  if ((first | second) === 0) return 'ignore';
  if (first === RESERVED_STRICT.first && second === RESERVED_STRICT.second) return 'strict';
  const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
  return `0x${hex(first)}${hex(second)}`;
}

/** The underlays of a tunnel, IPv4 first: those of its addresses; IPv4 when it has none. */
export function familiesOf(
  locals: readonly UnderlayAddress[],
  remotes: readonly UnderlayAddress[],
): (4 | 6)[] {
  const families = new Set([...locals, ...remotes].map(({ family }) => family));
  return families.size === 0 ? [4] : [...families].sort();
}
