import { VtepError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';

/** Keys and list indices from the top of the configuration. */
export type ConfigPath = readonly (string | number)[];

/** A place in a file, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong, and what is allowed instead. */
export interface Problem {
  readonly path: ConfigPath;
  readonly place: Place;
  /** One line, without the path and without a final period. */
  readonly message: string;
}

/** An invalid configuration with all its problems, in the order of the file; a line for each. */
export class ConfigError extends VtepError {
  readonly problems: readonly Problem[];

  constructor(fileName: string, problems: readonly Problem[], hint: string) {
    const sorted = problems.toSorted(
      (a, b) => a.place.line - b.place.line || a.place.column - b.place.column,
    );
    super('ERR_CONFIG', describe(fileName, sorted), { hint });
    this.problems = sorted;
  }
}

/** `tunnels.vx42.remotes[1]`; a key that is not a plain word is quoted. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += (text === '' ? '' : '.') + (PLAIN_KEY.test(part) ? part : quote(part));
  }
  return text;
}

/** The value in double quotes, on one line, without control characters and cut when it is long. */
export function quote(text: string): string {
  const characters = [...text];
  const cut =
    characters.length > QUOTED_MAX ? `${characters.slice(0, QUOTED_MAX).join('')}…` : text;
  return printable(JSON.stringify(cut));
}

/** "1 problem", "2 problems". */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function describe(fileName: string, problems: readonly Problem[]): string {
  const file = printable(fileName);
  const lines = problems.slice(0, PRINTED_MAX).map(({ path, place, message }) => {
    const where = path.length === 0 ? '' : `${formatPath(path)}: `;
    return `${file}:${place.line}:${place.column}: ${where}${message}`;
  });
  if (problems.length > PRINTED_MAX) lines.push(`… and ${problems.length - PRINTED_MAX} more`);
  const count = countOf(problems.length, 'problem');
  return [`Configuration ${quote(fileName)} has ${count}, nothing was started or changed`]
    .concat(lines)
    .join('\n');
}

const PLAIN_KEY = /^[\w-]+$/;
const QUOTED_MAX = 60;
const PRINTED_MAX = 200;
