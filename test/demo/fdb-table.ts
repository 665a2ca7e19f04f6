/** One row as `bridge -j fdb show` and `vtep -j fdb show` both print it. */
export interface FdbRow {
  readonly mac: string;
  readonly dst?: string;
  readonly state?: string;
}

const HEADINGS = ['HOST', 'MAC', 'DESTINATION', 'STATE', ''];

/** The rows of several hosts as lines of one aligned table, headings first. */
export function fdbTable(hosts: readonly { host: string; rows: readonly FdbRow[] }[]): string[] {
  const cells = hosts.flatMap(({ host, rows }) =>
    rows
      .filter((row) => row.dst !== undefined)
      .map((row) => [host, row.mac, row.dst!, stateOf(row), noteOf(row)]),
  );
  const table = [HEADINGS, ...cells];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

function stateOf(row: FdbRow): string {
  return row.state === undefined || row.state === '' ? 'learned' : row.state;
}

function noteOf(row: FdbRow): string {
  return row.mac === '00:00:00:00:00:00' ? 'flood list: broadcast and unknown MACs' : '';
}
