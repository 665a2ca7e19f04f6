import type { TunnelConfig } from '../config/config.ts';
import type { TunnelInfo } from '../vtep/tunnel-directory.ts';
import type { Endpoint } from './endpoints.ts';
import type { TunnelDevice } from './tunnel-device.ts';

/** A tunnel that runs, with all that belongs to it. */
export interface OpenTunnel {
  readonly info: TunnelInfo;
  readonly config: TunnelConfig;
  /** Named by the configuration; false for one that was added at run time. */
  readonly configured: boolean;
  readonly device: TunnelDevice;
  readonly endpoint: Endpoint;
  /** The underlay address in use, text. */
  readonly local: string;
}
