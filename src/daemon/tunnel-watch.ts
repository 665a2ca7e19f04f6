/** Looks after the tunnels that run: follows their devices, tells once what an operator should know. */
import type { Logger } from '../base/log.ts';
import { COUNTER_DROPS, COUNTER_NOT_LEARNED } from '../dataplane/counters.ts';
import { DROP_CIRCULAR_ROUTE, DROP_MTU, DROP_OWN_MAC } from '../dataplane/drop-reasons.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { TUNNEL_COALESCE_FAILED, TUNNEL_SEGMENTATION_FAILED } from '../dataplane/tunnel-table.ts';
import type { Link } from '../linux/netlink-link.ts';
import type { OpenTunnel } from './open-tunnel.ts';

export class TunnelWatch {
  readonly #tables: SharedTables;
  readonly #log: Logger;
  /** What has been told: event and device. */
  readonly #told = new Set<string>();

  constructor(tables: SharedTables, log: Logger) {
    this.#tables = tables;
    this.#log = log;
  }

  /** `changed` is the tunnel's device when it has changed since the last look. */
  look(tunnel: OpenTunnel, changed: Link | undefined): void {
    if (changed?.mac !== undefined) this.#follow(tunnel, changed, changed.mac);
    this.#reportDrops(tunnel);
    this.#reportOffloads(tunnel);
  }

  /** MAC and MTU may be changed with `ip link` at any time; a bridge does it by itself. */
  #follow({ info }: OpenTunnel, link: Link, mac: { high: number; low: number }): void {
    const { tunnels } = this.#tables;
    tunnels.setMac(info.index, mac.high, mac.low);
    tunnels.setMtu(info.index, link.mtu);
  }

  #reportDrops({ info }: OpenTunnel): void {
    const { counters } = this.#tables;
    if (counters.tunnelTotal(info.index, COUNTER_DROPS + DROP_OWN_MAC) > 0) {
      this.#once('own mac heard from a remote', info.name, {
        hint:
          'another host has the same MAC (cloned machine?), or the overlay has a loop; ' +
          `give this device another: ip link set ${info.name} address …`,
      });
    }
    if (counters.tunnelTotal(info.index, COUNTER_DROPS + DROP_MTU) > 0) {
      this.#once('frames larger than the path', info.name, {
        hint: `the underlay carries less than this MTU needs: ip link set ${info.name} mtu …, or raise the underlay's; vtep show names the path's`,
      });
    }
    if (counters.tunnelTotal(info.index, COUNTER_DROPS + DROP_CIRCULAR_ROUTE) > 0) {
      this.#once('own datagrams came back out of the device', info.name, {
        hint: 'a route to a remote leads into the tunnel itself: ip route get REMOTE',
      });
    }
    if (counters.tunnelTotal(info.index, COUNTER_NOT_LEARNED) > 0) {
      this.#once('fdb full', info.name, {
        hint: 'new MACs are not learned and their frames flooded; find the host that sends from so many: vtep -s fdb show',
      });
    }
  }

  #reportOffloads({ info }: OpenTunnel): void {
    const flags = this.#tables.tunnels.flags(info.index);
    const hint = 'forwarding goes on without it, slower; vtep show tells the state of all offloads';
    if ((flags & TUNNEL_SEGMENTATION_FAILED) !== 0) {
      this.#once('udp segmentation switched off', info.name, { hint });
    }
    if ((flags & TUNNEL_COALESCE_FAILED) !== 0) {
      this.#once('coalescing switched off', info.name, { hint });
    }
  }

  #once(event: string, dev: string, fields: Record<string, unknown>): void {
    const key = `${event} ${dev}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#log.warn(event, { dev, ...fields });
  }
}
