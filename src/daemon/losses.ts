/** Frames that are lost beside the forwarding core, counted like those that the core drops. */
import { COUNTER_TX_PACKETS } from '../dataplane/counters.ts';
import {
  DROP_MTU,
  DROP_RX_OVERFLOW,
  DROP_SEND_FAILED,
  DROP_TX_MALFORMED,
  DROP_UNREACHABLE,
} from '../dataplane/drop-reasons.ts';
import type { SharedTables } from '../dataplane/shared-tables.ts';
import { VXLAN_HEADER_LENGTH } from '../wire/vxlan.ts';

/** What node:dgram's errors mean. */
const REFUSALS: ReadonlyMap<string, number> = new Map([
  ['ECONNREFUSED', DROP_UNREACHABLE],
  ['EHOSTUNREACH', DROP_UNREACHABLE],
  ['ENETUNREACH', DROP_UNREACHABLE],
  ['EMSGSIZE', DROP_MTU],
]);

export class Losses {
  readonly #worker: number;
  readonly #tables: SharedTables;
  /** Datagrams lost so far, by endpoint, as its socket counts them. */
  readonly #overflows = new Map<number, number>();

  constructor(worker: number, tables: SharedTables) {
    this.#worker = worker;
    this.#tables = tables;
  }

  /** An endpoint has a new socket, whose count begins at 0. */
  reset(endpoint: number): void {
    this.#overflows.delete(endpoint);
  }

  /** The socket of an endpoint has lost `total` datagrams since it was opened. */
  overflow(endpoint: number, total: number): void {
    const { counters } = this.#tables;
    const lost = total - (this.#overflows.get(endpoint) ?? 0);
    this.#overflows.set(endpoint, total);
    counters.drop(this.#worker, counters.shape.tunnels, DROP_RX_OVERFLOW, lost);
  }

  /** The device of a tunnel could not hand over `frames`. */
  unread(tunnel: number, frames: number): void {
    this.#tables.counters.drop(this.#worker, tunnel, DROP_TX_MALFORMED, frames);
  }

  /** A datagram of `bytes` that counts as sent was refused later; `code` is node's. */
  unsent(tunnel: number, remote: number, bytes: number, code: string): void {
    const { counters } = this.#tables;
    const frame = bytes - VXLAN_HEADER_LENGTH;
    counters.traffic(this.#worker, tunnel, remote, COUNTER_TX_PACKETS, -1, -frame);
    counters.drop(this.#worker, tunnel, REFUSALS.get(code) ?? DROP_SEND_FAILED, 1);
  }
}
