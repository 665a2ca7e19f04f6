// Hot path: no allocation, no throw, no await.
import { DROP_REASON_COUNT } from './drop-reasons.ts';

// Columns of a tunnel's row; a drop with reason r counts in COUNTER_DROPS + r.
export const COUNTER_TX_PACKETS = 0;
export const COUNTER_TX_BYTES = 1;
export const COUNTER_RX_PACKETS = 2;
export const COUNTER_RX_BYTES = 3;
export const COUNTER_LEARNED = 4;
export const COUNTER_MOVED = 5;
/** Frames whose source MAC was not learned because the FDB was full. */
export const COUNTER_NOT_LEARNED = 6;
/** The same because the tunnel or the remote had learned as many as it may. */
export const COUNTER_LIMITED = 7;
/** ARP requests and neighbour solicitations that were answered here and not flooded. */
export const COUNTER_NEIGH_ANSWERED = 8;
/** Neighbours that ARP and neighbour discovery added or changed. */
export const COUNTER_NEIGH_LEARNED = 9;
export const COUNTER_DROPS = 10;
const TUNNEL_COLUMNS = COUNTER_DROPS + DROP_REASON_COUNT;

// Columns of a remote's row.
export const REMOTE_TX_PACKETS = 0;
export const REMOTE_TX_BYTES = 1;
export const REMOTE_RX_PACKETS = 2;
export const REMOTE_RX_BYTES = 3;
export const REMOTE_COLUMNS = 4;

/** The row for what happens before a tunnel is known is the one after the last tunnel's. */
export interface CounterShape {
  workers: number;
  tunnels: number;
  remotes: number;
}

/**
 * Counters in shared memory, exact to 2^53. Each worker adds to rows of its own, so that nothing is
 * locked; readers add the workers up, and may be behind by what is being counted at the moment.
 *
 * Packets are inner frames as they are on the wire (segments, not super-frames); bytes are theirs
 * without the VXLAN header, as the kernel's vxlan device counts.
 */
export class Counters {
  readonly memory: SharedArrayBuffer;
  readonly shape: CounterShape;
  readonly cells: Float64Array;
  readonly #workerCells: number;

  constructor(shape: CounterShape, memory?: SharedArrayBuffer) {
    this.shape = shape;
    this.#workerCells = (shape.tunnels + 1) * TUNNEL_COLUMNS + shape.remotes * REMOTE_COLUMNS;
    this.memory = memory ?? new SharedArrayBuffer(shape.workers * this.#workerCells * 8);
    this.cells = new Float64Array(this.memory);
  }

  /** Index of the cell of `tunnel` (or `shape.tunnels` for none) that `worker` adds to. */
  tunnelCell(worker: number, tunnel: number, column: number): number {
    return worker * this.#workerCells + tunnel * TUNNEL_COLUMNS + column;
  }

  remoteCell(worker: number, remote: number, column: number): number {
    const remotes = (this.shape.tunnels + 1) * TUNNEL_COLUMNS;
    return worker * this.#workerCells + remotes + remote * REMOTE_COLUMNS + column;
  }

  /** Adds to the counters of a frame that died. */
  drop(worker: number, tunnel: number, reason: number, frames: number): void {
    const cell = this.tunnelCell(worker, tunnel, COUNTER_DROPS + reason);
    this.cells[cell] = this.cells[cell]! + frames;
  }

  increment(worker: number, tunnel: number, column: number): void {
    const cell = this.tunnelCell(worker, tunnel, column);
    this.cells[cell] = this.cells[cell]! + 1;
  }

  /** Adds to a pair of adjacent columns, packets and bytes, of a tunnel and of a remote. */
  traffic(
    worker: number,
    tunnel: number,
    remote: number,
    column: number,
    frames: number,
    bytes: number,
  ): void {
    const cells = this.cells;
    const tunnelCell = this.tunnelCell(worker, tunnel, column);
    cells[tunnelCell] = cells[tunnelCell]! + frames;
    cells[tunnelCell + 1] = cells[tunnelCell + 1]! + bytes;
    const remoteCell = this.remoteCell(worker, remote, column);
    cells[remoteCell] = cells[remoteCell]! + frames;
    cells[remoteCell + 1] = cells[remoteCell + 1]! + bytes;
  }

  /** Sum over all workers of one column of a tunnel's row. */
  tunnelTotal(tunnel: number, column: number): number {
    let total = 0;
    for (let worker = 0; worker < this.shape.workers; worker += 1) {
      total += this.cells[this.tunnelCell(worker, tunnel, column)]!;
    }
    return total;
  }

  remoteTotal(remote: number, column: number): number {
    let total = 0;
    for (let worker = 0; worker < this.shape.workers; worker += 1) {
      total += this.cells[this.remoteCell(worker, remote, column)]!;
    }
    return total;
  }

  /** Zeroes the rows of a tunnel index that is given to another tunnel. The workers must not be using it. */
  clearTunnel(tunnel: number): void {
    for (let worker = 0; worker < this.shape.workers; worker += 1) {
      const first = this.tunnelCell(worker, tunnel, 0);
      this.cells.fill(0, first, first + TUNNEL_COLUMNS);
    }
  }

  clearRemote(remote: number): void {
    for (let worker = 0; worker < this.shape.workers; worker += 1) {
      const first = this.remoteCell(worker, remote, 0);
      this.cells.fill(0, first, first + REMOTE_COLUMNS);
    }
  }
}
