import { VtepError } from '../base/errors.ts';
import { NEIGHBOUR_ROUTER, NEIGHBOUR_STATIC } from '../fdb/neighbour-rows.ts';
import { isLoopbackIp, isMulticastIp, isUnspecifiedIp } from '../wire/ip.ts';
import { isMulticastMac, isZeroMac } from '../wire/mac.ts';
import type { Mac } from '../wire/mac.ts';
import { requireIp, requireMac, requireTunnel } from './fdb-request.ts';
import type { TunnelDirectory, TunnelInfo } from './tunnel-directory.ts';

/** The verbs that change single neighbours; iproute2's words. */
export type NeighbourVerb = 'add' | 'replace' | 'del';

/** iproute2's words for a neighbour's state; `reachable` ages and moves, `permanent` never does. */
export type NeighbourStateWord = 'permanent' | 'reachable';

/** One neighbour as a user writes it: text, not yet judged. `state` defaults to `permanent`. */
export interface NeighbourRequest {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string | undefined;
  readonly state?: NeighbourStateWord | undefined;
  readonly router?: boolean | undefined;
}

/** A request that was judged. */
export interface NeighbourChange {
  readonly tunnel: TunnelInfo;
  /** 16 bytes, IPv4 mapped. */
  readonly address: Uint8Array;
  /** Undefined only for `del`. */
  readonly mac: Mac | undefined;
  readonly flags: number;
}

/** Judges a request: ERR_USAGE for what makes no sense, ERR_NOT_FOUND for a device that does not exist. */
export function readNeighbour(
  verb: NeighbourVerb,
  request: NeighbourRequest,
  tunnels: TunnelDirectory,
): NeighbourChange {
  const tunnel = requireTunnel(tunnels, request.dev);
  const address = requireIp(request.dst, 'dst');
  if (isMulticastIp(address) || isUnspecifiedIp(address) || isLoopbackIp(address)) {
    throw new VtepError('ERR_USAGE', `Cannot ${verb} the neighbour "${request.dst}"`, {
      hint: 'a neighbour has a unicast address, for example 10.0.0.2 or fd00:42::2',
    });
  }
  const mac = request.lladdr === undefined ? undefined : requireMac(request.lladdr);
  if (mac === undefined && verb !== 'del') {
    throw new VtepError('ERR_USAGE', `Cannot ${verb} "${request.dst}" without its MAC address`, {
      hint: 'write: lladdr LLADDR',
    });
  }
  if (mac !== undefined && (isMulticastMac(mac.high) || isZeroMac(mac.high, mac.low))) {
    throw new VtepError('ERR_USAGE', `Cannot ${verb} a neighbour at "${request.lladdr}"`, {
      hint: 'a neighbour has a unicast MAC address, for example 52:54:00:3f:e6:43',
    });
  }
  const state = request.state === 'reachable' ? 0 : NEIGHBOUR_STATIC;
  return { tunnel, address, mac, flags: state | (request.router ? NEIGHBOUR_ROUTER : 0) };
}
