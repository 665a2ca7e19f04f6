/** `vtep link add`, `set`, `del` and `show`: tunnels that come, change and go while the daemon runs. */
import type { LinkReport, LinkRequest, Links, LinkSettings } from '../api/link-protocol.ts';
import { VtepError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Config, TunnelConfig } from '../config/config.ts';
import { readTunnelChange, readTunnelRequest } from '../config/tunnel-request.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { linkByName } from '../linux/netlink-link.ts';
import { listLinkDetails } from '../linux/netlink-link-details.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import { withIndex } from '../vtep/fdb-batch.ts';
import { parseMac, type Mac } from '../wire/mac.ts';
import type { Endpoints } from './endpoints.ts';
import { changeLink } from './link-change.ts';
import { refuseBeside } from './link-conflicts.ts';
import { linkReport } from './link-report.ts';
import type { OpenTunnel } from './open-tunnel.ts';
import type { TunnelSet } from './tunnel-set.ts';

export interface LinkVerbsOptions {
  readonly config: Config;
  readonly tables: SharedTables;
  readonly verbs: FdbVerbs;
  readonly tunnels: TunnelSet;
  readonly endpoints: Endpoints;
  readonly log: Logger;
}

interface Addition {
  readonly config: TunnelConfig;
  readonly up: boolean;
  readonly mac: Mac | undefined;
}

export class LinkVerbs implements Links {
  readonly #options: LinkVerbsOptions;

  constructor(options: LinkVerbsOptions) {
    this.#options = options;
  }

  show(name: string | undefined): LinkReport[] {
    const { tunnels, verbs, tables, config } = this.#options;
    const wanted = name === undefined ? tunnels.list().filter(isDevice) : [this.#require(name)];
    const links = listLinkDetails();
    const reports: LinkReport[] = [];
    for (const tunnel of wanted) {
      const link = links.get(tunnel.info.ifindex);
      // Somebody deleted the device a moment ago.
      if (link === undefined) continue;
      const master = link.master === undefined ? undefined : links.get(link.master)?.ifname;
      const flood = verbs.floodRemotes(tunnel.info).map((row) => tables.remotes.keyOf(row).address);
      reports.push(linkReport(tunnel, link, master, flood, config.sourcePorts));
    }
    return reports;
  }

  async apply({ verb, links }: LinkRequest): Promise<void> {
    if (verb === 'add') await this.#add(links);
    else if (verb === 'set') await this.#set(links);
    else await this.#del(links);
  }

  async #add(links: readonly LinkSettings[]): Promise<void> {
    const { tunnels, endpoints, config, log } = this.#options;
    const additions = links.map((link, index) => at(index, () => this.#readAddition(link)));
    await tunnels.inTurn(async () => {
      const opened: OpenTunnel[] = [];
      const beside = tunnels.list().map((tunnel) => tunnel.config);
      try {
        for (const [index, { config: wanted, up, mac }] of additions.entries()) {
          try {
            refuseBeside(wanted, beside);
            refuseTakenName(wanted.name);
            opened.push(await tunnels.open(wanted, { configured: false, up, mac }));
          } catch (error) {
            throw additions.length === 1 ? error : withIndex(error, index);
          }
          beside.push(wanted);
        }
        await endpoints.listen();
      } catch (error) {
        await tunnels.close(...opened);
        throw error;
      }
    });
    log.info('links added', { count: links.length, socket: config.socket });
  }

  #readAddition({ name, up, lladdr, ...settings }: LinkSettings): Addition {
    const mac = lladdr === undefined ? undefined : requireDeviceMac(lladdr);
    const { offload } = this.#options.config;
    return { config: readTunnelRequest(name, settings, offload), up: up ?? false, mac };
  }

  async #set(links: readonly LinkSettings[]): Promise<void> {
    const { tunnels, tables } = this.#options;
    if (links.length > 1) {
      throw new VtepError('ERR_USAGE', `Cannot set ${links.length} links in one request`, {
        hint: 'send one request for each',
      });
    }
    const { name, up, lladdr, ...settings } = links[0]!;
    const change = readTunnelChange(name, settings);
    const mac = lladdr === undefined ? undefined : requireDeviceMac(lladdr);
    await tunnels.inTurn(async () => {
      const tunnel = this.#require(name);
      for (const each of [tunnel, ...tunnels.vlansOf(tunnel)]) {
        tunnels.replace(changeLink(each, { ...change, up, mac }, tables.tunnels));
      }
      return Promise.resolve();
    });
  }

  async #del(links: readonly LinkSettings[]): Promise<void> {
    const { tunnels, log } = this.#options;
    for (const [index, { name, ...rest }] of links.entries()) {
      const [extra] = Object.keys(rest);
      if (extra === undefined) continue;
      throw withIndex(new VtepError('ERR_USAGE', `Cannot delete "${name}" with "${extra}"`), index);
    }
    await tunnels.inTurn(async () => {
      const found = links.map(({ name }, index) => at(index, () => this.#require(name)));
      await tunnels.close(...new Set(found));
      for (const { info, configured } of found) {
        if (!configured) continue;
        const hint = 'the configuration names it: it comes back with the next start';
        log.warn('configured link deleted', { dev: info.name, hint });
      }
    });
    log.info('links deleted', { count: links.length });
  }

  #require(name: string): OpenTunnel {
    const tunnel = this.#options.tunnels.byName(name);
    if (tunnel !== undefined) return tunnel;
    throw new VtepError('ERR_NOT_FOUND', `Cannot find device "${name}"`, {
      hint: 'list the tunnels with: vtep link show',
    });
  }
}

/** Not one of the VLANs of a device. */
function isDevice({ info }: OpenTunnel): boolean {
  return info.vlan === undefined;
}

/** A device that is no TAP is somebody else's; a TAP may wait for us, as with a configured tunnel. */
function refuseTakenName(name: string): void {
  const link = linkByName(name);
  if (link === undefined || link.kind === 'tun') return;
  throw new VtepError('ERR_EXISTS', `Cannot add "${name}": there is a device of that name`, {
    hint: 'choose another name; ip link shows the devices',
  });
}

function requireDeviceMac(text: string): Mac {
  const mac = parseMac(text);
  const isUnicast = mac !== undefined && (mac.high & 0x100) === 0;
  if (isUnicast && (mac.high !== 0 || mac.low !== 0)) return mac;
  throw new VtepError('ERR_USAGE', `Cannot use "${text}" as the MAC of a device`, {
    hint: 'a unicast MAC is six bytes in hexadecimal, for example 02:00:00:00:00:01',
  });
}

function at<T>(index: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw withIndex(error, index);
  }
}
