import type { TunnelConfig } from '../config/config.ts';
import type { TunnelInfo } from '../vtep/tunnel-directory.ts';
import type { Endpoint } from './endpoints.ts';
import type { TunnelPools } from './transmit-pools.ts';
import type { TunnelDevice } from './tunnel-device.ts';

/** A tunnel that runs, with all that belongs to it. */
export interface OpenTunnel {
  readonly info: TunnelInfo;
  readonly config: TunnelConfig;
  /** Named by the configuration; false for one that was added at run time. */
  readonly configured: boolean;
  readonly device: TunnelDevice;
  /** One of each family. */
  readonly endpoints: readonly Endpoint[];
  readonly pools: TunnelPools;
  /** The underlay addresses in use, one of each family, text. */
  readonly locals: readonly string[];
}
