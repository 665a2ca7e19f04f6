/**
 * What goes over the daemon's socket about tunnels as network devices.
 *
 * | request | answer |
 * |---|---|
 * | `GET /v1/links[?dev=]` | array of {@link LinkReport}, with the keys of `ip -j -d link show` |
 * | `POST /v1/links` {@link LinkRequest} | {@link LinkChangeReport} |
 */
export const LINK_VERBS = ['add', 'set', 'del'] as const;
export type LinkVerb = (typeof LINK_VERBS)[number];

/** All links of a request are changed or none. */
export interface LinkRequest {
  readonly verb: LinkVerb;
  readonly links: readonly LinkSettings[];
}

/** One link: beside these the keys of a tunnel in the configuration file, with the same values. */
export interface LinkSettings {
  readonly name: string;
  /** Administrative state; a link that is added without it is down. */
  readonly up?: boolean | undefined;
  /** MAC of the device; without it a link that is added gets the one that is always the same. */
  readonly lladdr?: string | undefined;
  readonly [key: string]: unknown;
}

export interface LinkChangeReport {
  /** How many links were changed. */
  readonly applied: number;
}

/** `info_data` of a vxlan link in the words of `ip -j -d link show`. */
export interface VxlanInfoData {
  readonly id: number;
  /** The first member of the flood list; `remote6` when it is of IPv6. */
  readonly remote?: string;
  readonly remote6?: string;
  /** The multicast group; `group6` when it is of IPv6. */
  readonly group?: string;
  readonly group6?: string;
  /** The underlay device. */
  readonly link?: string;
  /** Absent when the tunnel sends from any address. */
  readonly local?: string;
  readonly local6?: string;
  readonly port_range: { readonly low: number; readonly high: number };
  readonly port: number;
  readonly learning: boolean;
  /** 0 is the kernel's default. */
  readonly ttl: number | 'inherit';
  /** Absent for 0. */
  readonly tos?: string;
  readonly df: 'set' | 'unset' | 'inherit';
  /** Seconds, 0 for never. */
  readonly ageing: number;
  readonly udp_csum: boolean;
  readonly udp_zero_csum6_tx: boolean;
  readonly udp_zero_csum6_rx: boolean;
}

/** A tunnel's device: the keys and values of `ip -j -d link show`, then ours. */
export interface LinkReport {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly qdisc: string;
  /** The bridge or bond it belongs to. */
  readonly master?: string;
  readonly operstate: string;
  readonly linkmode: string;
  readonly group: string;
  readonly txqlen: number;
  readonly link_type: 'ether';
  readonly address: string;
  readonly broadcast: string;
  readonly min_mtu: number;
  readonly max_mtu: number;
  readonly linkinfo: { readonly info_kind: 'vxlan'; readonly info_data: VxlanInfoData };
  /** Named by the configuration; false for one that was added at run time. */
  readonly configured: boolean;
  /** The whole flood list. */
  readonly remotes: readonly string[];
}

/** Who carries the verbs out; the daemon implements it. Every verb is all or none. */
export interface Links {
  /** All links, or the one of this name; ERR_NOT_FOUND when there is none. */
  show(name: string | undefined): LinkReport[];
  apply(request: LinkRequest): Promise<void>;
}
