import { existsSync, readFileSync } from 'node:fs';

/**
 * The version in this package's package.json, the nearest one above this file: two folders up from the
 * sources, three from what is built of them. `0.0.0` when there is none.
 */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    const url = new URL(path, import.meta.url);
    if (!existsSync(url)) continue;
    return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
  }
  return '0.0.0';
}
