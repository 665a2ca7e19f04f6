/** Multicast groups of the tunnels that run: joined, sent to, and joined again after a change. */
import { VtepError, asVtepError } from '../base/errors.ts';
import { monotonicSeconds } from '../base/clock.ts';
import { RateLimitedLog, type Logger } from '../base/log.ts';
import type { TunnelConfig, UnderlayAddress } from '../config/config.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { resolveInterface } from '../linux/netlink-link.ts';
import { setMulticastEgress } from '../linux/multicast.ts';
import { bindToDevice } from '../linux/transmit-options.ts';
import type { FdbVerbs } from '../vtep/fdb-verbs.ts';
import type { TunnelInfo } from '../vtep/tunnel-directory.ts';
import { isMulticastIp } from '../wire/ip.ts';
import { localOf } from './egress.ts';
import type { Endpoint } from './endpoints.ts';
import { GroupSocket } from './group-socket.ts';
import { groupSource, linkState } from './link-state.ts';
import { poolsOf, type TunnelPools } from './transmit-pools.ts';
import type { TunnelRemotes } from './tunnel-remotes.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Of a tunnel that runs, what its group needs to know. */
export interface GroupTunnel {
  readonly info: TunnelInfo;
  readonly config: TunnelConfig;
  readonly endpoints: readonly Endpoint[];
  readonly pools: TunnelPools;
}

export interface TunnelGroupsOptions {
  readonly tables: SharedTables;
  readonly verbs: FdbVerbs;
  readonly workers: WorkerPool;
  readonly remotes: TunnelRemotes;
  /** Ids of endpoints from here on are those of groups, so many. */
  readonly firstId: number;
  readonly groupsMax: number;
  readonly log: Logger;
}

interface Group {
  readonly address: UnderlayAddress;
  readonly link: string;
  readonly tunnels: Map<number, GroupTunnel>;
  socket: GroupSocket | undefined;
  signature: string;
}

export class TunnelGroups {
  readonly #options: TunnelGroupsOptions;
  readonly #quiet: RateLimitedLog;
  readonly #groups = new Map<string, Group>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: TunnelGroupsOptions) {
    this.#options = options;
    this.#quiet = new RateLimitedLog(options.log);
  }

  /**
   * Joins the group of a tunnel, if it has one, and begins to receive. Throws ERR_NOT_FOUND without the
   * device, ERR_LIMIT, ERR_SYSCALL. Not with the portable underlay, for which no `link` is configured.
   */
  async open(tunnel: GroupTunnel): Promise<void> {
    const { group, outer } = tunnel.config;
    const { link } = outer;
    if (group === undefined || link === undefined) return;
    await this.#inTurn(() => this.#join(tunnel, group, link));
  }

  /** Leaves the group when the tunnel was the last one in it. */
  async close(tunnel: GroupTunnel): Promise<void> {
    const key = keyOf(tunnel.config);
    if (key !== undefined) await this.#inTurn(() => this.#leave(tunnel, key));
  }

  /** True while the tunnel's group is joined on a device that is up. */
  isJoined({ config }: Pick<GroupTunnel, 'config'>): boolean {
    const key = keyOf(config);
    return key !== undefined && this.#groups.get(key)?.socket !== undefined;
  }

  /** Joins again where the device or its addresses have changed. Call about once a second. */
  async check(): Promise<void> {
    for (const group of [...this.#groups.values()]) {
      try {
        await this.#inTurn(() => this.#follow(group));
      } catch (error) {
        const { message } = asVtepError(error);
        const fields = { group: group.address.text, link: group.link, message };
        this.#quiet.warn(group.address.text, monotonicSeconds(), 'group not joined', fields);
      }
    }
  }

  /** Closes every descriptor, after the workers have stopped. */
  closeAll(): void {
    for (const { socket } of this.#groups.values()) socket?.closeNow();
    this.#groups.clear();
  }

  async #join(tunnel: GroupTunnel, address: UnderlayAddress, link: string): Promise<void> {
    const key = keyOf(tunnel.config)!;
    let group = this.#groups.get(key);
    if (group === undefined) {
      // Throws when there is no such device.
      resolveInterface(link);
      group = { address, link, tunnels: new Map(), socket: undefined, signature: '' };
      this.#groups.set(key, group);
    }
    group.tunnels.set(tunnel.info.index, tunnel);
    if (group.socket === undefined) await this.#follow(group);
    else await this.#attach(tunnel, group.socket);
  }

  async #leave(tunnel: GroupTunnel, key: string): Promise<void> {
    const { tables } = this.#options;
    const group = this.#groups.get(key);
    if (group?.tunnels.delete(tunnel.info.index) !== true) return;
    tables.groups.clearGroup(tunnel.info.index);
    await group.socket?.detach(tunnel.info.vni);
    if (group.tunnels.size > 0) return;
    this.#groups.delete(key);
    await group.socket?.close();
  }

  async #follow(group: Group): Promise<void> {
    const state = linkState(group.link);
    const signature = state?.signature ?? '';
    if (signature === group.signature && group.socket !== undefined) return;
    if (state === undefined) {
      if (group.socket === undefined) return;
      const { socket } = group;
      group.socket = undefined;
      await socket.close();
      this.#options.log.warn('group left', {
        ...{ group: group.address.text, link: group.link },
        hint: 'the device is gone; the group is joined again when it is back',
      });
      return;
    }
    const isFirst = group.signature === '';
    if (group.socket?.ifindex === state.ifindex) {
      group.socket.rejoin();
    } else {
      await group.socket?.close();
      group.socket = undefined;
      if (!isFirst) for (const tunnel of group.tunnels.values()) this.#rebind(tunnel, group.link);
      group.socket = await this.#openSocket(group, state.ifindex);
    }
    for (const tunnel of group.tunnels.values()) await this.#attach(tunnel, group.socket);
    group.signature = signature;
    const fields = { group: group.address.text, link: group.link };
    this.#options.log.info(isFirst ? 'group joined' : 'group joined again', fields);
  }

  async #openSocket(group: Group, ifindex: number): Promise<GroupSocket> {
    const [first] = group.tunnels.values();
    const { port, offload } = first!.config;
    const id = this.#freeId();
    const { workers } = this.#options;
    const gro = offload === 'auto';
    const { address, link: device } = group;
    return GroupSocket.open({ id, group: address, port, device, ifindex, gro }, workers);
  }

  /** A socket stays bound to the device that has gone until it is told the name again. */
  #rebind({ endpoints, pools }: GroupTunnel, link: string): void {
    try {
      for (const { fds } of [...endpoints, ...poolsOf(pools)]) {
        for (const fd of fds) bindToDevice(fd, link);
      }
    } catch (error) {
      const { message } = asVtepError(error);
      const hint = 'only a process with CAP_NET_RAW may do this; restart the daemon otherwise';
      const fields = { link, message, hint };
      this.#quiet.warn(link, monotonicSeconds(), 'sockets not bound to the new device', fields);
    }
  }

  #freeId(): number {
    const { firstId, groupsMax } = this.#options;
    const used = new Set([...this.#groups.values()].map(({ socket }) => socket?.id));
    for (let id = firstId; id < firstId + groupsMax; id += 1) if (!used.has(id)) return id;
    throw new VtepError('ERR_LIMIT', `Cannot join more than ${groupsMax} multicast groups`);
  }

  /** Directs what the tunnel sends to the group, and what the group sends to the tunnel. */
  async #attach({ info, config, pools }: GroupTunnel, socket: GroupSocket): Promise<void> {
    const { tables, verbs, remotes } = this.#options;
    const group = config.group!;
    const egress = { ifindex: socket.ifindex, ttl: config.multicastTtl };
    for (const pool of poolsOf(pools)) {
      if (pool.family !== group.family) continue;
      for (const fd of pool.fds) setMulticastEgress(fd, group.family, egress);
    }
    // The row of the group names the device too.
    await remotes.refresh(info.index);
    const row = verbs.configuredRemotes(info).find((index) => {
      const offset = tables.remotes.addressOffset(index);
      return isMulticastIp(tables.remotes.bytes.slice(offset, offset + 16));
    });
    const own =
      groupSource(group, localOf(config, group.family), socket.ifindex) ?? new Uint8Array(16);
    if (row !== undefined) tables.groups.setGroup(info.index, row, own);
    await socket.attach(info.vni, info.index);
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change, change);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** Tunnels of one group, port and device share a socket. */
function keyOf({ group, outer, port }: TunnelConfig): string | undefined {
  return group === undefined ? undefined : `${group.text} ${port} ${outer.link}`;
}
