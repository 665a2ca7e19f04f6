/** The receive socket of one multicast group, which one worker owns. */
import { closeSocket, openReceiveSocket } from '../linux/udp-socket.ts';
import { joinGroup, leaveGroup } from '../linux/multicast.ts';
import type { UnderlayAddress } from '../config/config.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface GroupSocketOptions {
  /** Under which the worker knows it; no other endpoint has it. */
  readonly id: number;
  readonly group: UnderlayAddress;
  readonly port: number;
  readonly device: string;
  readonly ifindex: number;
  /** Ask for UDP_GRO. */
  readonly gro: boolean;
}

/**
 * A socket bound to group and port: one bound to a unicast address hears no group, and of several that
 * share the port each would get a copy.
 */
export class GroupSocket {
  readonly id: number;
  readonly ifindex: number;
  readonly #options: GroupSocketOptions;
  readonly #workers: WorkerPool;
  readonly #worker: number;
  readonly #fd: number;
  #listening = false;

  private constructor(options: GroupSocketOptions, workers: WorkerPool, fd: number) {
    this.id = options.id;
    this.ifindex = options.ifindex;
    this.#options = options;
    this.#workers = workers;
    this.#worker = options.id % workers.count;
    this.#fd = fd;
  }

  /** Opens the socket, joins, and hands it to its worker, which does not receive yet. */
  static async open(options: GroupSocketOptions, workers: WorkerPool): Promise<GroupSocket> {
    const { group, port, device, ifindex, gro } = options;
    const { family, bytes: address } = group;
    const { fd } = openReceiveSocket({
      ...{ family, address, port, scope: ifindex, device },
      ...{ gro, reusePort: true },
    });
    try {
      joinGroup(fd, { family, group: address, ifindex });
      const socket = new GroupSocket(options, workers, fd);
      await workers.one(socket.#worker, {
        ...{ type: 'open-endpoint', endpoint: options.id, receiveFd: fd },
      });
      return socket;
    } catch (error) {
      closeSocket(fd);
      throw error;
    }
  }

  /** Has the worker take datagrams of `vni` for the tunnel, and receive. */
  async attach(vni: number, tunnel: number): Promise<void> {
    const endpoint = this.id;
    await this.#workers.one(this.#worker, { type: 'attach-vni', endpoint, vni, tunnel });
    if (this.#listening) return;
    this.#listening = true;
    await this.#workers.one(this.#worker, { type: 'listen', endpoint });
  }

  async detach(vni: number): Promise<void> {
    await this.#workers.one(this.#worker, { type: 'detach-vni', endpoint: this.id, vni });
  }

  /** Says again that we are a member: the device has been down, or has other addresses. */
  rejoin(): void {
    const { group, ifindex } = this.#options;
    const membership = { family: group.family, group: group.bytes, ifindex };
    leaveGroup(this.#fd, membership);
    joinGroup(this.#fd, membership);
  }

  async close(): Promise<void> {
    await this.#workers.one(this.#worker, { type: 'close-endpoint', endpoint: this.id });
    closeSocket(this.#fd);
  }

  /** Closes the descriptor, after the workers have stopped. */
  closeNow(): void {
    closeSocket(this.#fd);
  }
}
