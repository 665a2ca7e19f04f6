import { createReadStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { VtepError } from '../base/errors.ts';
import { usageError } from './usage.ts';

/**
 * Entries from a file, one a line in the verb's grammar without the verb. Empty lines and what follows `#`
 * are skipped.
 *
 * Remembers which line each entry came from, so that {@link located} can name the line of an entry's index.
 */
export class BatchFile<Entry> {
  readonly #path: string;
  readonly #parseEntry: (tokens: readonly string[]) => Entry;
  readonly #lineOfEntry: number[] = [];

  /** `path` may be `-` for standard input; `parse` reads the words of one line, or throws ERR_USAGE. */
  constructor(path: string, parse: (tokens: readonly string[]) => Entry) {
    this.#path = path;
    this.#parseEntry = parse;
  }

  /** The entries in order; throws ERR_USAGE that names file and line. */
  async *entries(): AsyncGenerator<Entry, void, undefined> {
    let number = 0;
    for await (const lines of this.#lines()) {
      for (const line of lines) {
        number += 1;
        const tokens = tokenize(line);
        if (tokens.length === 0) continue;
        this.#lineOfEntry.push(number);
        yield this.#parse(tokens, number);
      }
    }
  }

  /** An error with the file and line of the entry it speaks of; other values pass unchanged. */
  located(error: unknown): unknown {
    if (!(error instanceof VtepError) || error.index === undefined) return error;
    const line = this.#lineOfEntry[error.index];
    return line === undefined ? error : this.#atLine(error, line);
  }

  #parse(tokens: readonly string[], line: number): Entry {
    try {
      return this.#parseEntry(tokens);
    } catch (error) {
      throw error instanceof VtepError ? this.#atLine(error, line) : error;
    }
  }

  #atLine(error: VtepError, line: number): VtepError {
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
        'name a file of entries, or - for standard input',
      );
    }
    yield [rest + decoder.end()];
  }
}

/** The words of a line in front of a comment. */
export function tokenize(line: string): string[] {
  const at = line.indexOf('#');
  const text = (at < 0 ? line : line.slice(0, at)).trim();
  return text === '' ? [] : text.split(/\s+/);
}
