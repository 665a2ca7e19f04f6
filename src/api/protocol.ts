import type { ErrorCode } from '../base/errors.ts';
import type { FdbRequest as ParsedFdbRequest, FdbVerb } from '../vtep/fdb-request.ts';
import type { FdbRow } from '../vtep/fdb-rows.ts';
import type {
  NeighbourRequest,
  NeighbourStateWord,
  NeighbourVerb,
} from '../vtep/neighbour-request.ts';
import type { NeighbourRow } from '../vtep/neighbour-verbs.ts';

/**
 * What goes over the daemon's socket: HTTP/1.1 with JSON bodies under a versioned path.
 *
 * | request | answer |
 * |---|---|
 * | `GET /v1/version` | {@link VersionReport} |
 * | `GET /v1/tunnels[?dev=]` | {@link StatusReport} |
 * | `GET /v1/fdb[?dev=&mac=&vlan=&vni=&dst=&port=&state=&…]` | array of {@link FdbRow}, one row a line |
 * | `GET /v1/fdb/entry?dev=&mac=[&vlan=&statistics=1]` | array of {@link FdbRow}, never empty |
 * | `POST /v1/fdb` {@link ChangeRequest} | {@link ChangeReport} |
 * | `POST /v1/fdb?verb=VERB`, `application/x-ndjson`, one entry a line | {@link ChangeReport} |
 * | `POST /v1/fdb/flush` {@link FlushRequest} | {@link FlushReport} |
 * | `GET /v1/neigh[?dev=&dst=&lladdr=&state=&statistics=1]` | array of {@link NeighbourRow} |
 * | `POST /v1/neigh` {@link NeighbourChangeRequest} | {@link ChangeReport} |
 * | `POST /v1/neigh?verb=VERB`, `application/x-ndjson` | {@link ChangeReport} |
 * | `POST /v1/neigh/flush` {@link NeighbourFlushRequest} | {@link FlushReport} |
 *
 * A failure is an {@link ErrorReport} with the HTTP status of its code. Fields are only ever added.
 */
export const API_VERSION = 'v1';

/** The content type of a batch that is sent line by line. */
export const NDJSON = 'application/x-ndjson';

export type { FdbRow, FdbVerb, NeighbourRequest, NeighbourRow, NeighbourStateWord, NeighbourVerb };

/** One entry of a change, with iproute2's spelling of `src_vni`. */
export interface FdbRequest extends Omit<ParsedFdbRequest, 'srcVni'> {
  readonly src_vni?: number | undefined;
}

export interface VersionReport {
  readonly name: 'vtepd';
  readonly version: string;
  readonly api: typeof API_VERSION;
}

/** Entries are applied all or none. */
export interface ChangeRequest {
  readonly verb: FdbVerb;
  readonly entries: readonly FdbRequest[];
}

export interface ChangeReport {
  /** How many entries were applied. */
  readonly applied: number;
}

/** Which rows to remove; `states` defaults to all three. */
export interface FlushRequest {
  readonly dev: string;
  readonly mac?: string | undefined;
  readonly dst?: string | undefined;
  /** Only of that VLAN of the device. */
  readonly vlan?: number | undefined;
  readonly port?: number | undefined;
  readonly vni?: number | undefined;
  readonly src_vni?: number | undefined;
  readonly states?: readonly FdbStateName[] | undefined;
}

export interface FlushReport {
  /** How many rows were removed; each destination of a list is one. */
  readonly removed: number;
}

/** Entries are applied all or none. */
export interface NeighbourChangeRequest {
  readonly verb: NeighbourVerb;
  readonly entries: readonly NeighbourRequest[];
}

/** Which neighbours to remove; `states` defaults to all. */
export interface NeighbourFlushRequest {
  readonly dev: string;
  readonly dst?: string | undefined;
  readonly lladdr?: string | undefined;
  readonly states?: readonly NeighbourStateWord[] | undefined;
}

export type FdbStateName = 'dynamic' | 'static' | 'permanent';

export interface ErrorReport {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly hint?: string;
    /** Which entry of the request was wrong, from 0. */
    readonly index?: number;
  };
}

/** Packets and bytes of inner frames since the tunnel was opened. */
export interface Traffic {
  readonly packets: number;
  readonly bytes: number;
}

export type OffloadState = 'on' | 'off' | 'off after a failure';

/** What `vtep show` says of one tunnel. */
export interface TunnelReport {
  readonly ifname: string;
  readonly ifindex: number;
  /** Named by the configuration; false for a tunnel that was added at run time. */
  readonly configured: boolean;
  readonly vni: number;
  /** The VLAN of the device that is this tunnel. */
  readonly vlan?: number;
  /** What is done with other VLAN tags; left out when they pass. */
  readonly vlanPolicy?: 'strip' | 'drop';
  /** The underlay address in use, text; that of IPv4 where the tunnel has both families. */
  readonly local: string;
  /** That of IPv6, where the tunnel has both families. */
  readonly local6?: string;
  readonly port: number;
  readonly mtu: number;
  /** Largest TCP segments that a SYN may announce, where they are clamped. */
  readonly mssClamp?: { readonly ipv4: number; readonly ipv6: number };
  readonly mac: string;
  readonly learning: boolean;
  /** Seconds; 0 means never. */
  readonly ageing: number;
  readonly offload: {
    readonly configured: 'auto' | 'off';
    readonly checksum: OffloadState;
    readonly tso: OffloadState;
    readonly uso: OffloadState;
    readonly gso: OffloadState;
    readonly gro: OffloadState;
  };
  readonly outer: OuterReport;
  readonly underlay: 'fast' | 'portable';
  readonly remotes: readonly RemoteReport[];
  /** Remotes by host name; left out when there are none. */
  readonly names?: readonly NameReport[];
  /** Left out without one. */
  readonly group?: GroupReport;
  /** `frozen` are those among the learned that moved too often. */
  readonly fdb: { readonly learned: number; readonly static: number; readonly frozen: number };
  readonly safety: SafetyReport;
  readonly neigh: NeighbourReport;
  readonly tx: Traffic;
  readonly rx: Traffic;
  /** Frames and datagrams dropped, by drop reason; reasons that never happened may be left out. */
  readonly drops: Readonly<Record<string, number>>;
}

/** What protects a tunnel; storm limits (frames a second), rates (bits a second) only where they are set. */
export interface SafetyReport {
  /** Most entries to learn, in the tunnel and of one remote; 0 is no limit. */
  readonly limit: number;
  readonly remoteLimit: number;
  /** Frames whose MAC was not learned because of a limit or a full table. */
  readonly notLearned: number;
  /** Moves of MACs from one remote to another. */
  readonly moved: number;
  /** So many moves (0: any number) within so many seconds freeze a MAC for some (0: until deleted). */
  readonly macMoves: number;
  readonly macMoveWindow: number;
  readonly macFreeze: number;
  readonly anyRemote: boolean;
  readonly floodUnknown: boolean;
  readonly stormBroadcast?: number;
  readonly stormMulticast?: number;
  readonly stormUnknown?: number;
  readonly rateTransmit?: number;
  readonly rateReceive?: number;
}

/** How the outer headers look; the keys of `ip -j -d link show` where it has them. */
export interface OuterReport {
  readonly ttl: number | 'inherit' | 'auto';
  readonly tos: number | 'inherit';
  readonly df: 'set' | 'unset' | 'inherit';
  /** Datagrams larger than the path are fragmented here. */
  readonly fragment: boolean;
  readonly label: number | 'inherit' | 'auto';
  readonly udp_csum: boolean;
  readonly udp_zero_csum6_tx: boolean;
  readonly udp_zero_csum6_rx: boolean;
  /** The underlay device that the sockets are bound to. */
  readonly link?: string;
  /** `ignore`, `strict`, or a mask of 64 bits. */
  readonly reserved_bits: string;
}

/** ARP and ND suppression of a tunnel. */
export interface NeighbourReport {
  readonly suppress: boolean;
  /** Requests that were answered here and not flooded. */
  readonly answered: number;
  /** Neighbours that were added or changed by what passed. */
  readonly learned: number;
  /** Neighbours in the table that were not added by hand. */
  readonly dynamic: number;
}

/** One remote of a tunnel; `port` and `vni` only where they differ from the tunnel's. */
export interface RemoteReport {
  readonly dst: string;
  readonly port?: number;
  readonly vni?: number;
  /** The interface that datagrams to it leave by, where that was named. */
  readonly via?: string;
  /** Named by the configuration. */
  readonly configured: boolean;
  /** Member of the flood list. */
  readonly flood: boolean;
  /** Learned entries that name it. */
  readonly learned: number;
  /** Nobody named it: it was heard in the multicast group. */
  readonly heard?: true;
  /** Largest IP packet that the path takes; absent without a route. */
  readonly pathMtu?: number;
  /** Seconds until a path MTU that was learned from ICMP is forgotten. */
  readonly pathMtuExpires?: number;
  readonly tx: Traffic;
  readonly rx: Traffic;
}

/** A host name among a tunnel's remotes. */
export interface NameReport {
  readonly name: string;
  /** What it stands for at the moment. */
  readonly addresses: readonly string[];
  /** Why the last query failed. */
  readonly failure?: string;
}

/** A tunnel's multicast group. */
export interface GroupReport {
  readonly address: string;
  /** The underlay device. */
  readonly link: string;
  /** TTL or hop limit. */
  readonly ttl: number;
  /** False while there is no such device. */
  readonly joined: boolean;
}

/** What `vtep show` says of the process. */
export interface DaemonReport {
  readonly version: string;
  readonly pid: number;
  /** Node's version, for example `v20.19.2`. */
  readonly node: string;
  readonly uptimeSeconds: number;
  readonly workers: number;
  /** Drops that belong to no tunnel, by drop reason. */
  readonly drops: Readonly<Record<string, number>>;
}

export interface StatusReport {
  readonly daemon: DaemonReport;
  readonly tunnels: readonly TunnelReport[];
}

/** Where the reports come from; the daemon's composition root implements it. */
export interface Inspector {
  tunnels(): TunnelReport[] | Promise<TunnelReport[]>;
  daemon(): DaemonReport;
}
