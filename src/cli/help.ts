import { ERROR_CODES } from '../base/errors.ts';
import { DEFAULT_SOCKET } from '../config/config.ts';
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';

const OPTIONS: readonly (readonly [string, string])[] = [
  ['-j, --json', 'print JSON'],
  ['-p, --pretty', 'with -j: print it for people'],
  ['-s, --statistics', 'add ages and counters'],
  ['-d, --details', 'accepted and without effect: details are always shown'],
  ['--socket PATH', `the daemon's socket (VTEP_SOCKET, or ${DEFAULT_SOCKET})`],
  ['-h, --help', 'explain a command'],
  ['-V, --version', 'show versions'],
];

/** Help for a topic: a command's full name, `fdb` for all its verbs, or empty for everything. */
export function helpText(topic: string): string {
  const command = COMMANDS.find(({ name }) => name === topic);
  return command === undefined ? overview(topic) : commandHelp(command);
}

function commandHelp(command: Command): string {
  const options: (readonly [string, string])[] = [...OPTIONS];
  if (command.takesBatch)
    options.unshift(['-b, --batch FILE', 'entries from a file, or - for standard input']);
  return sections([
    [
      'Usage:',
      command.usage.map((line) => (line.startsWith(' ') ? `     ${line}` : `vtep ${line}`)),
    ],
    ['', [capitalize(command.summary) + '.', ...command.notes]],
    ['Options:', table(options)],
    [command.examples.length > 1 ? 'Examples:' : 'Example:', command.examples],
  ]);
}

function overview(topic: string): string {
  const commands = COMMANDS.filter(({ name }) => topic === '' || name.startsWith(`${topic} `));
  const target = topic === '' ? 'COMMAND' : `${topic} VERB`;
  return sections([
    ['Usage:', [`vtep [OPTIONS] ${target} [ARGUMENTS]`]],
    ['Commands:', table(commands.map(({ name, summary }) => [name, summary] as const))],
    ['Options:', table(OPTIONS)],
    ['Exit status:', exitStatuses()],
    ['Examples:', commands.slice(0, 3).map(({ examples }) => examples[0]!)],
    [
      '',
      [
        'Commands may be shortened while they stay unique: vtep f s. Explain one: vtep fdb add --help',
      ],
    ],
  ]);
}

function exitStatuses(): string[] {
  const { ERR_USAGE, ERR_UNREACHABLE, ERR_NOT_FOUND, ERR_EXISTS } = ERROR_CODES;
  return table([
    ['0', 'ok'],
    ['1', 'failed'],
    [String(ERR_USAGE.exit), 'wrong usage'],
    [String(ERR_UNREACHABLE.exit), 'the daemon does not answer'],
    [String(ERR_NOT_FOUND.exit), 'not found'],
    [String(ERR_EXISTS.exit), 'exists already'],
  ]);
}

function sections(parts: readonly (readonly [title: string, lines: readonly string[]])[]): string {
  return parts
    .map(([title, lines]) => {
      if (title === '') return `${lines.join('\n')}\n`;
      return `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`;
    })
    .join('\n');
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, meaning]) => `${name.padEnd(width)}  ${meaning}`);
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
