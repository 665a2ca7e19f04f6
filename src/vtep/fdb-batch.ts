import { VtepError } from '../base/errors.ts';
import type { RemoteKey } from '../fdb/remotes.ts';
import { STATE_DYNAMIC, STATE_PERMANENT, STATE_STATIC } from '../fdb/table.ts';
import { isMulticastMac, isZeroMac } from '../wire/mac.ts';
import { checkSourceVni, remoteKeyOf, requireMac, requireTunnel } from './fdb-request.ts';
import type { FdbRequest, FdbStateWord, FdbVerb } from './fdb-request.ts';
import type { InterfaceDirectory, TunnelDirectory, TunnelInfo } from './tunnel-directory.ts';

/** {@link FdbBatch.destinationAt} of a row without `dst`. */
export const NO_DESTINATION = -1;

const WORDS_PER_ROW = 4;
const ROWS_AT_START = 16;
const STATES: Readonly<Record<FdbStateWord, number>> = {
  dynamic: STATE_DYNAMIC,
  static: STATE_STATIC,
  permanent: STATE_PERMANENT,
};

/**
 * Entries of one verb, parsed and judged one by one, kept small (16 bytes each) until they are applied
 * together. Equal tunnels and destinations are kept once.
 *
 * A row is four words: MAC high and state, MAC low, tunnel, destination.
 */
export class FdbBatch {
  readonly verb: FdbVerb;
  readonly #tunnels: TunnelDirectory;
  readonly #interfaces: InterfaceDirectory;
  #words = new Int32Array(ROWS_AT_START * WORDS_PER_ROW);
  #length = 0;
  readonly #usedTunnels: TunnelInfo[] = [];
  readonly #tunnelByName = new Map<string, number>();
  readonly #destinations: RemoteKey[] = [];
  readonly #destinationByText = new Map<string, number>();

  constructor(verb: FdbVerb, tunnels: TunnelDirectory, interfaces: InterfaceDirectory) {
    this.verb = verb;
    this.#tunnels = tunnels;
    this.#interfaces = interfaces;
  }

  get length(): number {
    return this.#length;
  }

  /** The distinct tunnels of the rows so far. */
  get tunnels(): readonly TunnelInfo[] {
    return this.#usedTunnels;
  }

  /** The distinct destinations of the rows so far. */
  get destinations(): readonly RemoteKey[] {
    return this.#destinations;
  }

  /**
   * Appends one entry. Throws ERR_USAGE or ERR_NOT_FOUND, with the entry's index, when it can never be
   * applied; whether it fits what is in the table is judged later.
   */
  push(request: FdbRequest): void {
    try {
      this.#push(request);
    } catch (error) {
      throw withIndex(error, this.#length);
    }
  }

  macHighAt(row: number): number {
    return this.#words[row * WORDS_PER_ROW]! & 0xffff;
  }

  macLowAt(row: number): number {
    return this.#words[row * WORDS_PER_ROW + 1]! >>> 0;
  }

  stateAt(row: number): number {
    return this.#words[row * WORDS_PER_ROW]! >>> 16;
  }

  tunnelAt(row: number): TunnelInfo {
    return this.#usedTunnels[this.#words[row * WORDS_PER_ROW + 2]!]!;
  }

  /** Index into {@link destinations}, or NO_DESTINATION. */
  destinationAt(row: number): number {
    return this.#words[row * WORDS_PER_ROW + 3]!;
  }

  #push(request: FdbRequest): void {
    const tunnelSlot = this.#tunnelSlot(request.dev, request.vlan);
    const tunnel = this.#usedTunnels[tunnelSlot]!;
    checkSourceVni(tunnel, request.srcVni);
    const mac = requireMac(request.mac);
    this.#checkVerb(request, ownsList(mac.high, mac.low));
    const destination =
      request.dst === undefined ? NO_DESTINATION : this.#destinationSlot(tunnel, request);
    if ((this.#length + 1) * WORDS_PER_ROW > this.#words.length) {
      const grown = new Int32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    const at = this.#length * WORDS_PER_ROW;
    this.#words[at] = mac.high | (STATES[request.state ?? 'permanent'] << 16);
    this.#words[at + 1] = mac.low | 0;
    this.#words[at + 2] = tunnelSlot;
    this.#words[at + 3] = destination;
    this.#length += 1;
  }

  #checkVerb(request: FdbRequest, list: boolean): void {
    if (this.verb === 'del') {
      if (request.dst !== undefined) return;
      if (request.port === undefined && request.vni === undefined && request.via === undefined)
        return;
      throw new VtepError(
        'ERR_USAGE',
        `Cannot delete "${request.mac}": port, vni or via without dst`,
        {
          hint: 'name the destination too, or leave all of them out to delete the whole entry',
        },
      );
    }
    if (request.dst === undefined) {
      throw new VtepError('ERR_USAGE', `Cannot ${this.verb} "${request.mac}" without "dst"`, {
        hint: 'say where frames for this MAC go: dst IP',
      });
    }
    if (this.verb === 'append' && !list) {
      throw new VtepError(
        'ERR_USAGE',
        `Cannot append a destination to the unicast MAC "${request.mac}"`,
        {
          hint: 'only 00:00:00:00:00:00 and multicast MACs own lists; use replace to move a MAC',
        },
      );
    }
    if (list && request.state === 'dynamic') {
      throw new VtepError('ERR_USAGE', `Cannot make the list of "${request.mac}" dynamic`, {
        hint: 'lists of destinations do not age; use static or permanent',
      });
    }
  }

  #tunnelSlot(name: string, vlan: number | undefined): number {
    const key = vlan === undefined ? name : `${name} ${vlan}`;
    const known = this.#tunnelByName.get(key);
    if (known !== undefined) return known;
    this.#usedTunnels.push(requireTunnel(this.#tunnels, name, vlan));
    const slot = this.#usedTunnels.length - 1;
    this.#tunnelByName.set(key, slot);
    return slot;
  }

  #destinationSlot(tunnel: TunnelInfo, request: FdbRequest): number {
    const text = `${tunnel.index} ${request.dst} ${request.port} ${request.vni} ${request.via}`;
    const known = this.#destinationByText.get(text);
    if (known !== undefined) return known;
    this.#destinations.push(remoteKeyOf(tunnel, request, this.#interfaces));
    const slot = this.#destinations.length - 1;
    this.#destinationByText.set(text, slot);
    return slot;
  }
}

/** True for the MACs that may own lists of destinations: all-zeros (the flood list) and multicast. */
export function ownsList(macHigh: number, macLow: number): boolean {
  return isZeroMac(macHigh, macLow) || isMulticastMac(macHigh);
}

/** The error with the index of the list element that caused it; anything but a VtepError passes unchanged. */
export function withIndex(error: unknown, index: number): unknown {
  if (!(error instanceof VtepError) || error.index !== undefined) return error;
  return new VtepError(error.code, error.message, {
    index,
    cause: error.cause,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
