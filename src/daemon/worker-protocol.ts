/** What the main thread and a forwarding worker say to each other. */
import type { SharedMemory } from '../dataplane/shared-tables.ts';

/** The receive socket of one underlay address and port. Every worker knows it by the same id. */
export interface EndpointCommand {
  readonly type: 'open-endpoint';
  readonly endpoint: number;
  /** The fast underlay's descriptor, opened by the main thread; this worker's own. */
  readonly receiveFd?: number;
  /** What the portable underlay opens by itself. */
  readonly portable?: {
    readonly family: 4 | 6;
    readonly address: string;
    readonly port: number;
  };
}

/** Transmit sockets that send from one address in one way. Every worker knows them by the same id. */
export interface PoolCommand {
  readonly type: 'open-pool';
  readonly pool: number;
  readonly family: 4 | 6;
  readonly firstLane: number;
  /** The fast underlay's descriptors, opened by the main thread; this worker's own. */
  readonly fast?: {
    readonly fds: readonly number[];
    readonly segmentation: boolean;
    /** The IPv4 address they are bound to, as 32 bits; else 0. */
    readonly source: number;
  };
  /** What the portable underlay opens by itself. */
  readonly portable?: {
    readonly address: string;
    readonly sourcePorts: readonly [number, number];
    /** 0 for the system's. */
    readonly ttl: number;
  };
}

export interface TunnelCommand {
  readonly type: 'open-tunnel';
  readonly tunnel: number;
  readonly vni: number;
  /** The queue this worker reads, or -1 when the device has fewer queues than there are workers. */
  readonly readFd: number;
  /** The queue this worker writes to. */
  readonly writeFd: number;
  readonly endpoints: readonly number[];
  /** First lanes of the pools that its datagrams leave from, -1 where there is none. */
  readonly lanes4: number;
  readonly lanes4WithoutDf: number;
  readonly lanes6: number;
}

export type WorkerCommand =
  | EndpointCommand
  /** The endpoint's tunnels are open: receive. */
  | { readonly type: 'listen'; readonly endpoint: number }
  /** Datagrams of the VNI that the endpoint receives are the tunnel's, whose own endpoint is another. */
  | {
      readonly type: 'attach-vni';
      readonly endpoint: number;
      readonly vni: number;
      readonly tunnel: number;
    }
  | { readonly type: 'detach-vni'; readonly endpoint: number; readonly vni: number }
  | { readonly type: 'close-endpoint'; readonly endpoint: number }
  | PoolCommand
  | { readonly type: 'close-pool'; readonly pool: number }
  | TunnelCommand
  | { readonly type: 'close-tunnel'; readonly tunnel: number }
  | { readonly type: 'stop' };

/** A command with the number under which the worker answers. */
export interface WorkerRequest {
  readonly id: number;
  readonly command: WorkerCommand;
}

export type WorkerMessage =
  | { readonly type: 'done'; readonly id: number; readonly error?: string }
  /** A descriptor reported an error and is no longer watched. */
  | {
      readonly type: 'lost';
      readonly what: 'tunnel' | 'endpoint';
      readonly index: number;
      readonly errno: number;
    }
  /** A batch failed in our own code and was dropped. */
  | { readonly type: 'fault'; readonly message: string };

export interface WorkerOptions {
  readonly worker: number;
  readonly memory: SharedMemory;
  /** Int32 a worker: the second of its last sign of life. */
  readonly heartbeat: SharedArrayBuffer;
  readonly portable: boolean;
  readonly lanesPerPool: number;
  readonly poolsMax: number;
  readonly endpointsMax: number;
}
