/** Follows the underlay while tunnels run: MTU of devices and paths, and routes that lead into a tunnel. */
import { monotonicSeconds } from '../base/clock.ts';
import { asVtepError } from '../base/errors.ts';
import { RateLimitedLog, type Logger } from '../base/log.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { addAddress } from '../linux/netlink-address.ts';
import { linkByIndex, setLink, type Link } from '../linux/netlink-link.ts';
import { mssLimits, overlayMtu } from '../vtep/mtu.ts';
import { formatIp } from '../wire/ip.ts';
import { leadsInto } from './circular-route.ts';
import { egressOf, widestFamily } from './egress.ts';
import type { OpenTunnel } from './open-tunnel.ts';
import { RemoteRoutes } from './remote-routes.ts';
import { fitSuperFrames } from './tunnel-device.ts';

/**
 * Rounds between two looks that nothing calls for: remotes come and go without a notification, and so does
 * what the kernel learns of paths.
 */
const IDLE_ROUNDS = 20;
/** Of the main thread's time, the part that may go into looking while changes never end. */
const BUSY_PART = 0.1;

/** What tells that something may have changed; see netlink-changes.ts. */
export interface Changes {
  take(): boolean;
}

export class EgressWatch {
  readonly #tables: SharedTables;
  readonly #log: Logger;
  readonly #quiet: RateLimitedLog;
  readonly #changes: Changes;
  /** The MTU that each device got from here, while it is the only one who sets it. */
  readonly #given = new WeakMap<OpenTunnel, number>();
  /** The MTU that has been reported as too large, with what would fit. */
  readonly #reported = new WeakMap<OpenTunnel, string>();
  readonly #circular = new Set<string>();
  #round = 0;
  #due = false;
  #restUntil = 0;

  constructor(tables: SharedTables, log: Logger, changes: Changes) {
    this.#tables = tables;
    this.#log = log;
    this.#quiet = new RateLimitedLog(log);
    this.#changes = changes;
  }

  /** Several times a minute and cheap: looks only after a change, or when it has not looked for long. */
  round(tunnels: readonly OpenTunnel[]): void {
    this.#round += 1;
    this.#due ||= this.#changes.take() || this.#round % IDLE_ROUNDS === 0;
    const now = performance.now();
    if (!this.#due || now < this.#restUntil) return;
    this.#due = false;
    this.look(tunnels);
    this.#restUntil = now + (performance.now() - now) / BUSY_PART;
  }

  /** Looks at every tunnel. One that cannot be looked at (an interface is gone) keeps what it has. */
  look(tunnels: readonly OpenTunnel[]): void {
    const routes = new RemoteRoutes(this.#tables);
    for (const tunnel of tunnels) {
      try {
        this.#look(tunnel, routes);
      } catch (error) {
        const { message } = asVtepError(error);
        this.#quiet.warn(tunnel.info.name, monotonicSeconds(), 'underlay not known', {
          dev: tunnel.info.name,
          message,
        });
      }
    }
  }

  #look(tunnel: OpenTunnel, routes: RemoteRoutes): void {
    const link = linkByIndex(tunnel.info.ifindex);
    if (link === undefined) return;
    const egress = egressOf(tunnel.config);
    if (egress.known) {
      const largest = overlayMtu(egress.mtu, widestFamily(tunnel.config));
      const mtu = this.#follow(tunnel, link, largest);
      this.#setMss(tunnel, Math.min(mtu, largest));
    }
    for (const remote of this.#tables.remotes.list(tunnel.info.index)) {
      const route = routes.to(tunnel, remote);
      if (route === undefined) continue;
      this.#correctPathMtu(remote, routes.pathMtu(tunnel, remote) ?? 0);
      this.#reportCircular(tunnel, remote, leadsInto(route.oif, link, routes.link));
    }
  }

  /** Gives a device its MTU, if we gave it the one it has; returns the one it has now. */
  #follow(tunnel: OpenTunnel, link: Link, largest: number): number {
    const { info, config, device } = tunnel;
    const ours = config.mtu === 'auto' && device.tap.created;
    const given = this.#given.get(tunnel) ?? device.link.mtu;
    if (!ours || link.mtu !== given) {
      this.#reportMtu(tunnel, link.mtu, largest);
      return link.mtu;
    }
    if (largest === given) return given;
    setLink(info.ifindex, { mtu: largest });
    fitSuperFrames(link, largest, this.#log);
    this.#given.set(tunnel, largest);
    this.#tables.tunnels.setMtu(info.index, largest);
    this.#log.info('mtu follows the underlay', { dev: info.name, mtu: largest, before: given });
    // The kernel takes IPv6 from a device of less than 1280, and does not give it back.
    for (const { bytes, prefixLength, family } of config.addresses) {
      if (family === 6) addAddress(info.ifindex, { address: bytes, length: prefixLength, family });
    }
    return largest;
  }

  #reportMtu(tunnel: OpenTunnel, mtu: number, largest: number): void {
    const what = `${mtu} ${largest}`;
    if (mtu <= largest) {
      this.#reported.set(tunnel, '');
      return;
    }
    if (this.#reported.get(tunnel) === what) return;
    this.#reported.set(tunnel, what);
    this.#log.warn('mtu larger than the underlay carries', {
      dev: tunnel.info.name,
      mtu,
      largest,
      hint: `ip link set ${tunnel.info.name} mtu ${largest}, or raise the MTU of the underlay`,
    });
  }

  #setMss({ info, config }: OpenTunnel, mtu: number): void {
    const { mssLimit4, mssLimit6 } = mssLimits(config.mssClamp, mtu);
    this.#tables.tunnels.setMssLimits(info.index, mssLimit4, mssLimit6);
  }

  /** The kernel may know of a larger path before what was learned expires: its routes were changed. */
  #correctPathMtu(remote: number, known: number): void {
    const { pathMtus } = this.#tables;
    const learned = pathMtus.mtu(remote);
    if (learned !== 0 && known > learned) pathMtus.clear(remote);
  }

  #reportCircular({ info }: OpenTunnel, remote: number, circular: boolean): void {
    const { remotes } = this.#tables;
    const text = formatIp(remotes.bytes, remotes.addressOffset(remote));
    const key = `${info.name} ${text}`;
    if (!circular) {
      this.#circular.delete(key);
      return;
    }
    if (this.#circular.has(key)) return;
    this.#circular.add(key);
    this.#log.warn('route to a remote leads into the tunnel itself', {
      dev: info.name,
      remote: text,
      hint: `frames to it are dropped (circular_route); ip route get ${text} tells the route`,
    });
  }
}
