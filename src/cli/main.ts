import { once } from 'node:events';
import { asVtepError, formatError } from '../base/errors.ts';
import { findCommand } from './commands.ts';
import type { Request } from './commands.ts';
import { parseCommandLine } from './options.ts';
import type { CommandLine } from './options.ts';
import type { Output } from './output.ts';
import { usageError } from './usage.ts';

/**
 * The program `vtep`: data on standard output, messages on standard error, and an exit status.
 * `argv` is `process.argv`. Never throws.
 */
export async function main(argv: readonly string[]): Promise<void> {
  // Whoever reads our output may have seen enough, as head does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : 1);
  });
  process.exitCode = await runCommandLine(argv.slice(2), process.env, STDOUT, (message) => {
    process.stderr.write(`${message}\n`);
  });
}

/** {@link main} with everything it touches passed in; returns the exit status. */
export async function runCommandLine(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  output: Output,
  complain: (message: string) => void,
): Promise<number> {
  try {
    return await dispatch(parseCommandLine(args, environment), output, complain);
  } catch (thrown) {
    const error = asVtepError(thrown);
    complain(formatError(error));
    return error.exitStatus;
  }
}

const STDOUT: Output = {
  write: (text) => process.stdout.write(text),
  drained: async () => {
    await once(process.stdout, 'drain');
  },
};

async function dispatch(
  { options, words }: CommandLine,
  output: Output,
  complain: (message: string) => void,
): Promise<number> {
  const request: Request = findCommand(options.version && words.length === 0 ? ['version'] : words);
  if (request.kind === 'help' || options.help) {
    const { helpText } = await import('./help.ts');
    const isAsked = options.help || words.length > 0;
    const text = helpText(topicOf(request, words));
    if (isAsked) output.write(text);
    else complain(text.trimEnd());
    return isAsked ? 0 : 2;
  }
  if (options.batch !== undefined && request.command.takesBatch !== true) {
    throw usageError(
      `Cannot use --batch with "${request.command.name}"`,
      'it is for fdb add, append, replace and del, and for link add and del',
    );
  }
  await request.command.run({ options, words: request.words, output });
  return 0;
}

/** `vtep fdb --help` is about all of fdb, though `vtep fdb` alone shows the entries; so with link. */
function topicOf(request: Request, words: readonly string[]): string {
  if (request.kind === 'help') return request.topic;
  const [object = '', verb] = request.command.name.split(' ');
  return words.length === 1 && verb === 'show' ? object : request.command.name;
}
