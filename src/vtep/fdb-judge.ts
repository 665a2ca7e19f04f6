import { VtepError } from '../base/errors.ts';
import type { FdbEntry } from '../fdb/table.ts';
import { ORIGIN_LEARNED, ORIGIN_STATIC, STATE_DYNAMIC } from '../fdb/table.ts';
import { formatMac } from '../wire/mac.ts';
import { NO_DESTINATION, ownsList, withIndex } from './fdb-batch.ts';
import type { FdbBatch } from './fdb-batch.ts';
import { listMembers, macNumber } from './fdb-references.ts';
import type { FdbTables } from './fdb-references.ts';
import { Slices } from './fdb-slices.ts';

/** What a list of destinations will be once the whole batch is applied. */
export interface ListChange {
  readonly vni: number;
  readonly macHigh: number;
  readonly macLow: number;
  state: number;
  members: Set<number>;
}

/** The outcome of judging a batch that may be applied. */
export interface Judgement {
  readonly lists: readonly ListChange[];
  /** Upper bound of the rows that the table must have room for. */
  readonly newRows: number;
}

/**
 * Judges a whole batch against the table before anything of it is applied: iproute2's semantics, with the
 * precedence static > control > learned. `remotes` are the rows of the batch's destinations.
 *
 * Throws ERR_EXISTS or ERR_NOT_FOUND with the index of the first entry that does not fit.
 */
export async function judge(
  batch: FdbBatch,
  remotes: readonly number[],
  tables: FdbTables,
): Promise<Judgement> {
  const judge = new Judge(batch, remotes, tables);
  const slices = new Slices();
  for (let row = 0; row < batch.length; row += 1) {
    if (slices.due(row)) await slices.pause();
    try {
      judge.judgeRow(row);
    } catch (error) {
      throw withIndex(error, row);
    }
  }
  return judge.judgement();
}

class Judge {
  readonly #batch: FdbBatch;
  readonly #remotes: readonly number[];
  readonly #tables: FdbTables;
  /** VNI to the unicast MACs that an earlier entry of the batch has added or deleted. */
  readonly #seen = new Map<number, Set<number>>();
  readonly #lists = new Map<string, ListChange>();
  #newRows = 0;

  constructor(batch: FdbBatch, remotes: readonly number[], tables: FdbTables) {
    this.#batch = batch;
    this.#remotes = remotes;
    this.#tables = tables;
  }

  judgement(): Judgement {
    return { lists: [...this.#lists.values()], newRows: this.#newRows };
  }

  judgeRow(row: number): void {
    const macHigh = this.#batch.macHighAt(row);
    const macLow = this.#batch.macLowAt(row);
    const { vni } = this.#batch.tunnelAt(row);
    const slot = this.#batch.destinationAt(row);
    const remote = slot === NO_DESTINATION ? NO_DESTINATION : this.#remotes[slot]!;
    if (ownsList(macHigh, macLow)) {
      this.#judgeList(row, this.#listOf(vni, macHigh, macLow, this.#batch.stateAt(row)), remote);
      return;
    }
    const entry = this.#tables.table.read(vni, macHigh, macLow);
    if (this.#batch.verb === 'del') this.#judgeDelete(row, entry, remote);
    else this.#judgeUnicast(row, entry);
  }

  #judgeUnicast(row: number, entry: FdbEntry | undefined): void {
    if (entry === undefined) this.#newRows += 1;
    if (this.#batch.verb === 'replace') return;
    const origin = this.#batch.stateAt(row) === STATE_DYNAMIC ? ORIGIN_LEARNED : ORIGIN_STATIC;
    const stands = entry !== undefined && origin <= entry.origin;
    if (this.#isSeenBefore(row) || stands) {
      throw this.#error(
        'ERR_EXISTS',
        row,
        'the entry exists already',
        'use replace to overwrite it',
      );
    }
  }

  #judgeDelete(row: number, entry: FdbEntry | undefined, remote: number): void {
    if (entry === undefined || this.#isSeenBefore(row)) {
      throw this.#error(
        'ERR_NOT_FOUND',
        row,
        'there is no such entry',
        'list them with: vtep fdb show',
      );
    }
    if (remote === NO_DESTINATION || remote === entry.destination) return;
    throw this.#error(
      'ERR_NOT_FOUND',
      row,
      'the entry has another destination',
      'look at it with fdb get, or leave dst out to delete it whatever its destination',
    );
  }

  #judgeList(row: number, list: ListChange, remote: number): void {
    const { members } = list;
    const member = members.has(remote);
    if (this.#batch.verb === 'replace') {
      list.members = new Set([remote]);
    } else if (this.#batch.verb === 'del') {
      if (remote === NO_DESTINATION ? members.size === 0 : !member) {
        const what =
          remote === NO_DESTINATION ? 'there is no such entry' : 'the list has no such destination';
        throw this.#error('ERR_NOT_FOUND', row, what, 'list them with: vtep fdb show');
      }
      if (remote === NO_DESTINATION) members.clear();
      else members.delete(remote);
    } else {
      if (member) {
        throw this.#error('ERR_EXISTS', row, 'the list has this destination already');
      }
      if (this.#batch.verb === 'add' && members.size > 0) {
        throw this.#error(
          'ERR_EXISTS',
          row,
          'the entry exists already',
          'use append for one more destination, or replace to make this the only one',
        );
      }
      members.add(remote);
    }
    if (this.#batch.verb !== 'del') list.state = this.#batch.stateAt(row);
  }

  /** The list as the entries of the batch so far leave it. */
  #listOf(vni: number, macHigh: number, macLow: number, state: number): ListChange {
    const key = `${vni} ${macNumber(macHigh, macLow)}`;
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const entry = this.#tables.table.read(vni, macHigh, macLow);
    if (entry === undefined) this.#newRows += 1;
    const list: ListChange = {
      vni,
      macHigh,
      macLow,
      state: entry?.state ?? state,
      members: new Set(entry && listMembers(this.#tables.lists, entry.destination)),
    };
    this.#lists.set(key, list);
    return list;
  }

  #isSeenBefore(row: number): boolean {
    const { vni } = this.#batch.tunnelAt(row);
    let macs = this.#seen.get(vni);
    if (macs === undefined) {
      macs = new Set();
      this.#seen.set(vni, macs);
    }
    const before = macs.size;
    macs.add(macNumber(this.#batch.macHighAt(row), this.#batch.macLowAt(row)));
    return macs.size === before;
  }

  #error(code: 'ERR_EXISTS' | 'ERR_NOT_FOUND', row: number, why: string, hint?: string): VtepError {
    const mac = formatMac(this.#batch.macHighAt(row), this.#batch.macLowAt(row));
    const { name } = this.#batch.tunnelAt(row);
    return new VtepError(
      code,
      `Cannot ${this.#batch.verb === 'del' ? 'delete' : this.#batch.verb} "${mac}" on "${name}": ${why}`,
      hint === undefined ? {} : { hint },
    );
  }
}
