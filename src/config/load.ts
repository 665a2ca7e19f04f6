import { closeSync, openSync, readSync } from 'node:fs';
import { VtepError } from '../base/errors.ts';
import type { Config, ConfigOverrides } from './config.ts';
import { ConfigError, type Problem, quote } from './problem.ts';
import { readConfig } from './read.ts';
import { NOWHERE } from './tree.ts';
import { parseYaml } from './yaml-tree.ts';

/**
 * The configuration in a text.
 *
 * `source` is YAML, bytes being UTF-8; `fileName` only names it in messages. `overrides` take the
 * place of what the text says. Throws ConfigError (ERR_CONFIG) with every problem, nothing else.
 */
export function loadConfig(
  source: string | Uint8Array,
  fileName: string,
  overrides: ConfigOverrides = {},
): Config {
  const text = typeof source === 'string' ? source : decode(source);
  if (text === undefined) fail(fileName, [{ path: [], place: NOWHERE, message: NOT_UTF8 }]);
  if (text.length > FILE_MAX) fail(fileName, [{ path: [], place: NOWHERE, message: TOO_LONG }]);
  const parsed = parseYaml(text);
  if ('problems' in parsed) fail(fileName, parsed.problems, HINT_UNREADABLE);
  const read = readConfig(parsed.tree, overrides);
  if ('problems' in read) fail(fileName, read.problems);
  return read.config;
}

/**
 * The configuration in a file, a pipe such as /dev/stdin included.
 *
 * Throws what {@link loadConfig} throws; ERR_PERMISSION and ERR_CONFIG when it cannot be read.
 */
export function loadConfigFile(path: string, overrides: ConfigOverrides = {}): Config {
  return loadConfig(readBounded(path), path, overrides);
}

/** At most one byte more than is allowed, for a path may name something without an end. */
function readBounded(path: string): Uint8Array {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (length <= FILE_MAX) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const count = readSync(descriptor, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      length += count;
    }
    return Buffer.concat(chunks);
  } catch (error) {
    throw unreadable(path, error as NodeJS.ErrnoException);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function unreadable(path: string, cause: NodeJS.ErrnoException): VtepError {
  const what = `Cannot read the configuration ${quote(path)}`;
  switch (cause.code) {
    case 'ENOENT':
    case 'ENOTDIR': {
      const hint = 'name an existing file with --config; the README has an example to start from';
      return new VtepError('ERR_CONFIG', `${what}: there is no such file`, { hint, cause });
    }
    case 'EISDIR': {
      const hint = 'name the file in it, such as /etc/vtepd/vtepd.yaml';
      return new VtepError('ERR_CONFIG', `${what}: it is a directory`, { hint, cause });
    }
    case 'EACCES':
    case 'EPERM': {
      const hint =
        'the user that vtepd runs as must be able to read the file and enter its folders';
      return new VtepError('ERR_PERMISSION', `${what}: permission denied`, { hint, cause });
    }
    default:
      return new VtepError('ERR_CONFIG', `${what}: ${cause.message}`, { cause });
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function fail(fileName: string, problems: readonly Problem[], hint = HINT): never {
  throw new ConfigError(fileName, problems, hint);
}

/** Over 10,000 tunnels' worth of text. */
const FILE_MAX = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const NOT_UTF8 = 'the file is not text in UTF-8; allowed: YAML in UTF-8';
const TOO_LONG = `the file is too long; allowed: up to ${FILE_MAX / 1024 / 1024} MiB`;
const HINT =
  'the section "Configuration" of the README has an example and every key with its range';
const HINT_UNREADABLE = 'names and values are checked once the file can be read as YAML';
