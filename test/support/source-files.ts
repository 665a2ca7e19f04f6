import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { repositoryRoot } from './paths.ts';

export interface SourceFile {
  /** Relative to the repository, such as `src/wire/mac.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file below `folder` (relative to the repository), sorted. For the rule tests. */
export function sourceFiles(folder: string): SourceFile[] {
  const root = repositoryRoot();
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path: relative(root, path), text: readFileSync(path, 'utf8') }));
}
