import { DEFAULT_SOCKET } from '../config/config.ts';
import { resolvePrefix, usageError } from './usage.ts';

/** The options common to all verbs, and `--batch`. */
export interface Options {
  readonly json: boolean;
  readonly pretty: boolean;
  readonly statistics: boolean;
  readonly help: boolean;
  readonly version: boolean;
  readonly socket: string;
  /** File of entries, `-` for standard input; only for the verbs that change entries. */
  readonly batch: string | undefined;
}

/** A command line split into its options and everything else, in order. */
export interface CommandLine {
  readonly options: Options;
  readonly words: readonly string[];
}

/** Details are always shown; the option is there for the hands that know iproute2. */
const FLAGS = ['json', 'pretty', 'statistics', 'details', 'help', 'version'];
const VALUED = ['socket', 'batch'];
const SHORT: Readonly<Record<string, string>> = {
  j: 'json',
  p: 'pretty',
  s: 'statistics',
  d: 'details',
  h: 'help',
  V: 'version',
  b: 'batch',
};

/**
 * Splits arguments; options may stand before, between and after the words, with one dash or two, as
 * iproute2 has it, and single letters may be joined. `--` ends the options. Throws ERR_USAGE.
 */
export function parseCommandLine(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CommandLine {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const words: string[] = [];
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i]!;
    if (arg === '--') {
      words.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg);
      continue;
    }
    const { names, value } = readOption(arg);
    for (const name of names) {
      if (!VALUED.includes(name)) {
        if (value !== undefined) throw usageError(`Option "--${name}" takes no value`);
        flags.add(name);
        continue;
      }
      const next = value ?? args[(i += 1)];
      if (next === undefined || next === '') throw usageError(`Option "${arg}" needs a value`);
      values.set(name, next);
    }
  }
  return {
    words,
    options: {
      json: flags.has('json'),
      pretty: flags.has('pretty'),
      statistics: flags.has('statistics'),
      help: flags.has('help'),
      version: flags.has('version'),
      socket: values.get('socket') ?? (environment['VTEP_SOCKET'] || DEFAULT_SOCKET),
      batch: values.get('batch'),
    },
  };
}

function readOption(arg: string): { names: readonly string[]; value: string | undefined } {
  const dashes = arg.startsWith('--') ? 2 : 1;
  const at = arg.indexOf('=');
  const name = arg.slice(dashes, at < 0 ? undefined : at);
  const value = at < 0 ? undefined : arg.slice(at + 1);
  if (dashes === 1) {
    const letters = [...name].map((letter) => SHORT[letter]);
    const isJoined = letters.every((long) => long !== undefined && !VALUED.includes(long));
    if (letters.length === 1 && letters[0] !== undefined) return { names: [letters[0]], value };
    if (isJoined && letters.length > 0) return { names: letters as string[], value };
  }
  if (name === 'stats') return { names: ['statistics'], value };
  return { names: [resolvePrefix(name, [...FLAGS, ...VALUED], 'option')], value };
}
