/** The results as text for a person. */
import type { Contender } from './contender.ts';
import { REFERENCE, type Results } from './results.ts';
import type { Target } from './targets.ts';
import type { Figure } from './workload.ts';

/** Figures down, contenders across: the median, and beside it the ratio to the kernel. */
export function resultTable(
  results: Results,
  figures: readonly Figure[],
  contenders: readonly Contender[],
): string {
  const head = ['', 'unit', ...contenders.map(({ title }) => title)];
  const rows = figures.flatMap(({ name, title, unit, digits }) => {
    const cells = contenders.map((contender) => cellText(results, name, contender.name, digits));
    return cells.every((cell) => cell === '') ? [] : [[title, unit, ...cells]];
  });
  return align([head, ...rows]);
}

function cellText(results: Results, figure: string, contender: string, digits: number): string {
  const cell = results.cell(figure, contender);
  if (cell === undefined) return '';
  const text = cell.median.toFixed(digits);
  if (cell.toKernel === undefined || contender === REFERENCE) return text;
  return `${text} (${cell.toKernel.toFixed(2)})`;
}

export function targetTable(targets: readonly Target[]): string {
  const rows = targets.map(({ title, wanted, measured, reached }) => [
    title,
    wanted,
    measured ?? '',
    reached === undefined ? 'not measured' : reached ? 'reached' : 'NOT REACHED',
  ]);
  return align([['target', 'wanted', 'measured', ''], ...rows]);
}

/** Columns of equal width, the first one to the left, all others to the right. */
function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  const [head, ...body] = rows.map(line);
  return [head, '-'.repeat(Math.max(...rows.map((row) => line(row).length))), ...body].join('\n');
}
