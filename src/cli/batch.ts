import { createReadStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { VtepError } from '../base/errors.ts';
import { usageError } from './usage.ts';

/**
 * The lines of a file as words. Empty lines and what follows `#` are skipped.
 *
 * Remembers which line each element came from, so that {@link located} can name the line of an index.
 */
export class BatchLines {
  readonly #path: string;
  readonly #lineOf: number[] = [];
  #line = 0;

  /** `path` may be `-` for standard input. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The words of each line that has some; throws ERR_USAGE when the file cannot be read. */
  async *tokens(): AsyncGenerator<string[], void, undefined> {
    for await (const lines of this.#lines()) {
      for (const line of lines) {
        this.#line += 1;
        const tokens = tokenize(line);
        if (tokens.length === 0) continue;
        this.#lineOf.push(this.#line);
        yield tokens;
      }
    }
  }

  /** What `parse` makes of the line that was read last; its error names file and line. */
  parsed<T>(parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      throw error instanceof VtepError ? this.atLine(error, this.#line) : error;
    }
  }

  /** An error with the file and line of the element it speaks of; other values pass unchanged. */
  located(error: unknown): unknown {
    if (!(error instanceof VtepError) || error.index === undefined) return error;
    const line = this.#lineOf[error.index];
    return line === undefined ? error : this.atLine(error, line);
  }

  atLine(error: VtepError, line: number): VtepError {
    const name = this.#path === '-' ? 'standard input' : this.#path;
    return new VtepError(error.code, `${name}:${line}: ${error.message}`, {
      cause: error,
      hint: [error.hint, 'nothing was changed'].filter((part) => part !== undefined).join('; '),
    });
  }

  async *#lines(): AsyncGenerator<string[], void, undefined> {
    const source = this.#path === '-' ? process.stdin : createReadStream(this.#path);
    const decoder = new StringDecoder('utf8');
    let rest = '';
    try {
      for await (const part of source) {
        const lines = (rest + decoder.write(part as Buffer)).split('\n');
        rest = lines.pop()!;
        yield lines;
      }
    } catch (error) {
      if (error instanceof VtepError) throw error;
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      throw usageError(
        `Cannot read "${this.#path}": ${code}`,
        'name a file, or - for standard input',
      );
    }
    yield [rest + decoder.end()];
  }
}

/** Entries from a file, one a line in the verb's grammar without the verb. */
export class BatchFile<Entry> {
  readonly #parse: (tokens: readonly string[]) => Entry;
  readonly #lines: BatchLines;

  /** `path` may be `-` for standard input; `parse` reads the words of one line, or throws ERR_USAGE. */
  constructor(path: string, parse: (tokens: readonly string[]) => Entry) {
    this.#parse = parse;
    this.#lines = new BatchLines(path);
  }

  /** The entries in order; throws ERR_USAGE that names file and line. */
  async *entries(): AsyncGenerator<Entry, void, undefined> {
    for await (const tokens of this.#lines.tokens()) {
      yield this.#lines.parsed(() => this.#parse(tokens));
    }
  }

  /** See {@link BatchLines.located}. */
  located(error: unknown): unknown {
    return this.#lines.located(error);
  }
}

/** The words of a line in front of a comment. */
export function tokenize(line: string): string[] {
  const at = line.indexOf('#');
  const text = (at < 0 ? line : line.slice(0, at)).trim();
  return text === '' ? [] : text.split(/\s+/);
}
