import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder, found from this file, whether it runs from `test/` or from `dist/test/`. */
export function repositoryRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('Find package.json above the test folder: none there');
    folder = parent;
  }
  return folder;
}

/** Where `npm run build` puts the JavaScript that `bin/` starts. */
export function distFolder(): string {
  return join(repositoryRoot(), 'dist');
}
